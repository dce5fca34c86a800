/* file-write.c - small files written and synced by `depth` threads. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "peer.h"

#define BLOCK_BYTES 4096
#define DEPTH_MAX 1024

static struct {
  const char *directory;
  uint32_t files;
  atomic_uint next;
  atomic_bool failed;
} work;

static int open_file(uint32_t index, int flags) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/file-%u", work.directory, index);
  return open(path, flags | O_CLOEXEC, 0644);
}

static void *write_some(void *argument) {
  uint8_t block[BLOCK_BYTES] = { 0 };
  uint32_t index;
  (void)argument;
  while ((index = atomic_fetch_add(&work.next, 1)) < work.files) {
    const uint32_t word = (index + 1) * 2654435761u;
    memcpy(block, &word, sizeof(word));
    const int file = open_file(index, O_WRONLY | O_CREAT | O_TRUNC);
    if (file < 0 || write(file, block, BLOCK_BYTES) != BLOCK_BYTES || fsync(file) < 0 ||
        close(file) < 0) {
      atomic_store(&work.failed, true);
    }
  }
  return NULL;
}

static uint32_t written_sum(void) {
  uint32_t sum = 0;
  for (uint32_t index = 0; index < work.files; index++) {
    uint32_t word;
    const int file = open_file(index, O_RDONLY);
    if (file < 0 || read(file, &word, sizeof(word)) != sizeof(word)) return 0;
    close(file);
    sum += word;
  }
  return sum;
}

int file_write(int argc, char **argv) {
  const uint32_t depth = flag(argc, argv, "--depth=");
  pthread_t threads[DEPTH_MAX];
  work.files = flag(argc, argv, "--files=");
  work.directory = argv[argc - 1];
  const struct meter start = meter_start();
  for (uint32_t i = 0; i < depth && i < DEPTH_MAX; i++) {
    if (pthread_create(&threads[i], NULL, write_some, NULL) != 0) return 1;
  }
  for (uint32_t i = 0; i < depth && i < DEPTH_MAX; i++) pthread_join(threads[i], NULL);
  const struct meter end = meter_end(&start);
  if (atomic_load(&work.failed)) {
    fprintf(stderr, "file-write: a file could not be written\n");
    return 1;
  }
  meter_print(&end, "file", work.files, written_sum(), "C, threads");
  return 0;
}
