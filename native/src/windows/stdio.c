/* stdio.c - the host's own streams, by calls that wait on a thread: other programs opened them, most so that nothing
 * else can be. What a console takes and gives is text in UTF-16; what a guest does, in UTF-8. */
#include "windows/stdio.h"

#include <string.h>

#include "windows/descriptors.h"
#include "windows/status.h"

/* Of one write, so that one that is canceled has been at little. */
#define WRITE_BYTES_MAX 4096
#define CONSOLE_UNITS 1024
/* Of a character. */
#define SEQUENCE_BYTES 4

/* There is one console, whoever reads from it: the rest of what it gave, and the first half of a pair. */
static SRWLOCK lock = SRWLOCK_INIT;
static char rest[CONSOLE_UNITS * 3];
static size_t rest_bytes;
static WCHAR half;
static char unfinished[SEQUENCE_BYTES];
static size_t unfinished_bytes;

static bool is_console(HANDLE handle) {
  DWORD mode;
  return GetConsoleMode(handle, &mode) != 0;
}

static bool is_high(WCHAR unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}

/* Waits for text, and puts it into `rest`. Returns 0, or -1 and sets errno. */
static int read_text(HANDLE handle) {
  WCHAR units[CONSOLE_UNITS];
  DWORD count = 0;
  DWORD before = 0;
  if (half != 0) units[before++] = half;
  half = 0;
  if (!ReadConsoleW(handle, units + before, CONSOLE_UNITS - before, &count, NULL)) {
    return sf__win_fail(GetLastError());
  }
  /* What a canceled read says. */
  if (count == 0 && GetLastError() == ERROR_OPERATION_ABORTED) {
    return sf__win_fail(ERROR_OPERATION_ABORTED);
  }
  count += before;
  if (count > 0 && is_high(units[count - 1])) half = units[--count];
  /* Ctrl+Z at the beginning of a line is the end. */
  if (count > 0 && units[0] == 0x1A) count = 0;
  rest_bytes = (size_t)WideCharToMultiByte(CP_UTF8, 0, units, (int)count, rest, sizeof(rest), NULL, NULL);
  return 0;
}

static ssize_t read_console(HANDLE handle, void *data, size_t bytes) {
  AcquireSRWLockExclusive(&lock);
  ssize_t result = rest_bytes == 0 ? read_text(handle) : 0;
  if (result == 0) {
    result = (ssize_t)(bytes < rest_bytes ? bytes : rest_bytes);
    memcpy(data, rest, (size_t)result);
    rest_bytes -= (size_t)result;
    memmove(rest, rest + result, rest_bytes);
  }
  ReleaseSRWLockExclusive(&lock);
  return result;
}

/* How many bytes at the end of a text begin a character that goes on. */
static size_t unfinished_at_end(const char *text, size_t bytes) {
  for (size_t back = 1; back < SEQUENCE_BYTES && back <= bytes; back++) {
    const unsigned char byte = (unsigned char)text[bytes - back];
    if ((byte & 0xC0) == 0x80) continue;
    const size_t wanted = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return wanted > back ? back : 0;
  }
  return 0;
}

static ssize_t write_console(HANDLE handle, const void *data, size_t bytes) {
  char text[SEQUENCE_BYTES + CONSOLE_UNITS];
  WCHAR units[SEQUENCE_BYTES + CONSOLE_UNITS];
  DWORD written;
  const size_t taken = bytes < CONSOLE_UNITS ? bytes : CONSOLE_UNITS;
  AcquireSRWLockExclusive(&lock);
  size_t total = unfinished_bytes + taken;
  memcpy(text, unfinished, unfinished_bytes);
  memcpy(text + unfinished_bytes, data, taken);
  unfinished_bytes = unfinished_at_end(text, total);
  total -= unfinished_bytes;
  memcpy(unfinished, text + total, unfinished_bytes);
  const int count = MultiByteToWideChar(CP_UTF8, 0, text, (int)total, units, (int)(sizeof(units) / sizeof(units[0])));
  const bool done = count == 0 || WriteConsoleW(handle, units, (DWORD)count, &written, NULL);
  const DWORD error = done ? 0 : GetLastError();
  ReleaseSRWLockExclusive(&lock);
  return done ? (ssize_t)taken : sf__win_fail(error);
}

ssize_t sf__win_stream_read(int fd, void *data, size_t bytes) {
  const HANDLE handle = sf__win_handle(fd);
  DWORD moved = 0;
  if (is_console(handle)) return read_console(handle, data, bytes);
  if (ReadFile(handle, data, (DWORD)bytes, &moved, NULL)) return (ssize_t)moved;
  const DWORD error = GetLastError();
  if (error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF) return 0;
  return sf__win_fail(error);
}

ssize_t sf__win_stream_write(int fd, const void *data, size_t bytes) {
  const HANDLE handle = sf__win_handle(fd);
  DWORD moved = 0;
  if (is_console(handle)) return write_console(handle, data, bytes);
  const DWORD wanted = bytes < WRITE_BYTES_MAX ? (DWORD)bytes : WRITE_BYTES_MAX;
  if (WriteFile(handle, data, wanted, &moved, NULL)) return (ssize_t)moved;
  return sf__win_fail(GetLastError());
}
