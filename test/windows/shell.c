/* shell.c - what the laws about child processes start on Windows, which has no such programs: cat, when it is
 * called so, and else as much of a shell as their scripts use. It transfers bytes as a plain program does. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define TEXT_BYTES 4096
#define WORDS 16

static int arguments_count;
static char **arguments;
static char line[TEXT_BYTES]; /* what `read` has read */
static char line_name[64];

static void write_all(DWORD stream, const char *text, size_t bytes) {
  DWORD written;
  while (bytes > 0 && WriteFile(GetStdHandle(stream), text, (DWORD)bytes, &written, NULL)) {
    text += written;
    bytes -= written;
  }
}

static bool read_some(char *out, DWORD room, DWORD *bytes) {
  return ReadFile(GetStdHandle(STD_INPUT_HANDLE), out, room, bytes, NULL) && *bytes > 0;
}

static int cat(void) {
  static char piece[65536];
  DWORD bytes;
  while (read_some(piece, sizeof(piece), &bytes)) write_all(STD_OUTPUT_HANDLE, piece, bytes);
  return 0;
}

/* Whether there was a whole line. */
static bool read_line(const char *name) {
  DWORD bytes;
  size_t length = 0;
  char byte;
  snprintf(line_name, sizeof(line_name), "%s", name);
  line[0] = '\0';
  while (read_some(&byte, 1, &bytes)) {
    if (byte == '\n') return true;
    if (length + 1 < sizeof(line)) line[length++] = byte;
    line[length] = '\0';
  }
  return false;
}

/* The value behind a dollar sign; moves *at behind its name. */
static const char *value(const char **at) {
  static char number[16];
  char name[64];
  size_t length = 0;
  const char first = *(*at)++;
  if (first == '$' || first == '#') {
    snprintf(number, sizeof(number), "%lu",
             first == '$' ? GetCurrentProcessId() : (unsigned long)(arguments_count - 1));
    return number;
  }
  if (first >= '0' && first <= '9') {
    return first - '0' < arguments_count ? arguments[first - '0'] : "";
  }
  for (--*at; length + 1 < sizeof(name) && (isalnum((unsigned char)**at) || **at == '_'); ++*at) {
    name[length++] = **at;
  }
  name[length] = '\0';
  if (strcmp(name, line_name) == 0) return line;
  const char *variable = getenv(name);
  return variable == NULL ? "" : variable;
}

/* The words of a command, as they mean something. Returns how many. */
static int split(const char *at, char *text, char *words[WORDS]) {
  int count = 0;
  for (;;) {
    bool quoted = false;
    while (*at == ' ' || *at == '\n') at++;
    if (*at == '\0' || count == WORDS) return count;
    words[count++] = text;
    while (*at != '\0' && (quoted || (*at != ' ' && *at != '\n'))) {
      if (*at == '"') {
        quoted = !quoted;
        at++;
      } else if (*at == '$') {
        at++;
        const char *found = value(&at);
        text += sprintf(text, "%s", found);
      } else {
        *text++ = *at++;
      }
    }
    *text++ = '\0';
  }
}

static void say(char *words[], int count) {
  const bool error = count > 1 && strcmp(words[count - 1], ">&2") == 0;
  const DWORD stream = error ? STD_ERROR_HANDLE : STD_OUTPUT_HANDLE;
  char text[TEXT_BYTES] = "";
  for (int i = 1; i < count - (error ? 1 : 0); i++) {
    if (i > 1) strcat(text, " ");
    strcat(text, words[i]);
  }
  strcat(text, "\n");
  write_all(stream, text, strlen(text));
}

/* It is sorted already. */
static void tell_environment(const char *before) {
  char *all = GetEnvironmentStringsA();
  char text[TEXT_BYTES];
  for (const char *at = all; *at != '\0'; at += strlen(at) + 1) {
    snprintf(text, sizeof(text), "%s%s\n", before, at);
    write_all(STD_OUTPUT_HANDLE, text, strlen(text));
  }
  FreeEnvironmentStringsA(all);
}

static void tell_directory(void) {
  char text[TEXT_BYTES];
  GetCurrentDirectoryA(sizeof(text) - 1, text);
  strcat(text, "\n");
  write_all(STD_OUTPUT_HANDLE, text, strlen(text));
}

/* Returns whether it succeeded. */
static bool command(const char *script) {
  static char text[TEXT_BYTES];
  char *words[WORDS];
  const int count = split(script, text, words);
  if (count == 0) return true;
  const char *name = words[0];
  if (strcmp(name, "exit") == 0) ExitProcess((UINT)atoi(count > 1 ? words[1] : "0"));
  if (strcmp(name, "read") == 0) return read_line(count > 1 ? words[1] : "");
  if (strcmp(name, "echo") == 0) {
    say(words, count);
  } else if (strcmp(name, "env") == 0) {
    tell_environment("");
  } else if (strcmp(name, "export") == 0) {
    tell_environment("export ");
  } else if (strcmp(name, "pwd") == 0) {
    tell_directory();
  } else if (strcmp(name, "kill") == 0) {
    Sleep(INFINITE); /* -STOP */
  } else if (strcmp(name, "trap") != 0) {
    ExitProcess(127);
  }
  return true;
}

/* Commands with ";" between them, each of which may have another behind "||". */
static void run(char *script) {
  for (char *next = script; next != NULL;) {
    char *at = next;
    next = strchr(at, ';');
    if (next != NULL) *next++ = '\0';
    char *otherwise = strstr(at, "||");
    if (otherwise != NULL) *otherwise = '\0';
    if (!command(at) && otherwise != NULL) command(otherwise + 2);
  }
}

int main(int count, char **given) {
  if (count > 0 && strcmp(given[0], "cat") == 0) return cat();
  if (count < 3 || strcmp(given[1], "-c") != 0) return 2;
  /* As a shell does: the script's own name, if it has one, stands behind it. */
  arguments = count > 3 ? given + 3 : given;
  arguments_count = count > 3 ? count - 3 : 1;
  run(given[2]);
  return 0;
}
