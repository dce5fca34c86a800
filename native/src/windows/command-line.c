/* command-line.c - a child's arguments and its environment, as Windows hands them over: each is one text. */
#include <stdlib.h>
#include <string.h>

#include "windows/posix.h"
/* After that. */
#include "windows/command-line.h"

/* Of a command line, with its zero. */
#define LINE_UNITS_MAX 32767

struct text {
  WCHAR *units; /* owned */
  size_t count;
  size_t capacity;
  int err; /* an errno; then nothing is added */
};

static void put(struct text *text, WCHAR unit) {
  if (text->err != 0) return;
  if (text->count == text->capacity) {
    const size_t capacity = text->capacity == 0 ? 256 : text->capacity * 2;
    WCHAR *grown = realloc(text->units, capacity * sizeof(*grown));
    if (grown == NULL) {
      text->err = ENOMEM;
      return;
    }
    text->units = grown;
    text->capacity = capacity;
  }
  text->units[text->count++] = unit;
}

static WCHAR *finish(struct text *text) {
  put(text, 0);
  if (text->err == 0) return text->units;
  free(text->units);
  errno = text->err;
  return NULL;
}

WCHAR *sf__win_wide(const char *text) {
  const int units = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
  WCHAR *wide = units == 0 ? NULL : malloc((size_t)units * sizeof(*wide));
  if (wide == NULL) {
    errno = units == 0 ? EILSEQ : ENOMEM;
    return NULL;
  }
  MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, units);
  return wide;
}

/* In quotation marks, in which a backslash is one unless it stands before such a mark. */
static void put_quoted(struct text *text, const WCHAR *argument) {
  put(text, L'"');
  for (;;) {
    size_t backslashes = 0;
    for (; *argument == L'\\'; argument++) backslashes++;
    const bool ends = *argument == 0;
    const size_t wanted = ends || *argument == L'"' ? backslashes * 2 : backslashes;
    for (size_t i = 0; i < wanted; i++) put(text, L'\\');
    if (ends) break;
    if (*argument == L'"') put(text, L'\\');
    put(text, *argument++);
  }
  put(text, L'"');
}

WCHAR *sf__win_command_line(char *const *arguments) {
  struct text text = { 0 };
  for (; *arguments != NULL && text.err == 0; arguments++) {
    WCHAR *wide = sf__win_wide(*arguments);
    if (wide == NULL) {
      text.err = errno;
      break;
    }
    if (text.count > 0) put(&text, L' ');
    if (*wide != 0 && wcspbrk(wide, L" \t\n\v\"") == NULL) {
      for (const WCHAR *at = wide; *at != 0; at++) put(&text, *at);
    } else {
      put_quoted(&text, wide);
    }
    free(wide);
    if (text.count >= LINE_UNITS_MAX) text.err = E2BIG;
  }
  return finish(&text);
}

static int compare(const void *one, const void *other) {
  return CompareStringOrdinal(*(WCHAR *const *)one, -1, *(WCHAR *const *)other, -1, TRUE) -
         CSTR_EQUAL;
}

static bool has_name(WCHAR *const *entries, size_t count, const WCHAR *name) {
  const size_t units = wcslen(name);
  for (size_t i = 0; i < count; i++) {
    if (_wcsnicmp(entries[i], name, units) == 0 && entries[i][units] == L'=') return true;
  }
  return false;
}

/* What no program starts without: where the system's libraries are. */
static WCHAR *system_root(void) {
  static const WCHAR name[] = L"SystemRoot=";
  const DWORD room = GetEnvironmentVariableW(L"SystemRoot", NULL, 0);
  WCHAR *entry = calloc(room + wcslen(name) + 1, sizeof(*entry));
  if (entry == NULL) return NULL;
  wcscpy(entry, name);
  GetEnvironmentVariableW(L"SystemRoot", entry + wcslen(name), room);
  return entry;
}

WCHAR *sf__win_environment(char *const *environment) {
  struct text text = { 0 };
  size_t given = 0;
  while (environment[given] != NULL) given++;
  WCHAR **entries = calloc(given + 1, sizeof(*entries));
  size_t count = 0;
  if (entries == NULL) text.err = ENOMEM;
  for (; text.err == 0 && count < given; count++) {
    entries[count] = sf__win_wide(environment[count]);
    if (entries[count] == NULL) text.err = errno;
  }
  if (text.err == 0 && !has_name(entries, count, L"SystemRoot")) {
    entries[count] = system_root();
    if (entries[count] == NULL) text.err = ENOMEM;
    count++;
  }
  if (text.err == 0) qsort(entries, count, sizeof(*entries), compare);
  for (size_t i = 0; i < count; i++) {
    for (const WCHAR *at = entries[i]; at != NULL && *at != 0; at++) put(&text, *at);
    put(&text, 0);
    free(entries[i]);
  }
  free(entries);
  return finish(&text);
}
