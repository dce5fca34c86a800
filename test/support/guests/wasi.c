/* wasi.c - a program of plain C: what it prints is what it was given. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <stackful.h>

static void files(void) {
  char line[64];
  struct stat status;
  FILE *file = fopen("/data/file", "w");
  fprintf(file, "first %d\n", 42);
  fclose(file);
  file = fopen("/data/file", "a");
  fputs("second\n", file);
  fclose(file);
  file = fopen("/data/file", "r");
  while (fgets(line, sizeof line, file) != NULL) printf("line: %s", line);
  fseek(file, 6, SEEK_SET);
  printf("byte 6: %c\n", fgetc(file));
  fclose(file);
  printf("size: %d\n", stat("/data/file", &status) == 0 ? (int)status.st_size : -1);
  printf("missing: %s\n", strerror(stat("/data/none", &status) < 0 ? errno : 0));
}

static void directories(void) {
  printf("mkdir: %d, rename: %d\n", mkdir("/data/sub", 0755),
         rename("/data/file", "/data/sub/moved"));
  DIR *directory = opendir("/data");
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
    if (entry->d_name[0] != '.') printf("entry: %s\n", entry->d_name);
  closedir(directory);
  printf("unlink: %d, rmdir: %d\n", unlink("/data/sub/moved"), rmdir("/data/sub"));
}

static void outside(const char *path) {
  printf("%s: %s\n", path, fopen(path, "r") == NULL ? "refused" : "opened");
}

static void clocks(void) {
  struct timespec before, after, now;
  clock_gettime(CLOCK_REALTIME, &now);
  clock_gettime(CLOCK_MONOTONIC, &before);
  sf_sleep(2 * SF_MILLISECOND);
  clock_gettime(CLOCK_MONOTONIC, &after);
  const long long slept_ns =
    (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
  printf("after 2020: %d, slept: %d\n", now.tv_sec > 1577836800, slept_ns >= 2000000);
}

int main(int argc, char **argv) {
  unsigned char random[64] = { 0 };
  char input[16];
  if (argc == 3 && strcmp(argv[1], "writes") == 0) return fopen(argv[2], "w") != NULL;
  printf("%d arguments, the last is %s; X is %s, Y is %s\n", argc - 1, argv[argc - 1], getenv("X"),
         getenv("Y") == NULL ? "unset" : "set");
  files();
  directories();
  outside("/etc/hostname");
  outside("/data/../outside");
  outside("/data/link");
  clocks();
  const int err = getentropy(random, sizeof random);
  printf("random: %d, all zero: %d\n", err, memcmp(random, random + 32, 32) == 0);
  printf("input: %d bytes\n", (int)read(STDIN_FILENO, input, sizeof input));
  /* What WASI holds of the memory has to follow it. */
  memset(malloc(8 << 20), 1, 8 << 20);
  printf("still here");
  fprintf(stderr, "an error\n");
  exit(3);
}
