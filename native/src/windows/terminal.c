/* terminal.c - the console, of which a process has one: its size, and its mode, which is that of its input whichever
 * stream is asked. */
#include "engine/terminal.h"

#include <stdlib.h>

#include "engine/os-errno.h"
#include "windows/descriptors.h"
#include "windows/status.h"

static SRWLOCK lock = SRWLOCK_INIT;
static uint32_t users;
static DWORD before;
static bool at_exit;

int isatty(int fd) {
  DWORD mode;
  return GetConsoleMode(sf__win_handle(fd), &mode) != 0;
}

static HANDLE open_console(const WCHAR *name) {
  return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                     OPEN_EXISTING, 0, NULL);
}

int ioctl(int fd, int what, struct winsize *out) {
  CONSOLE_SCREEN_BUFFER_INFO info;
  const HANDLE screen = open_console(L"CONOUT$");
  (void)fd;
  (void)what;
  if (screen == INVALID_HANDLE_VALUE) return sf__win_fail(GetLastError());
  const bool done = GetConsoleScreenBufferInfo(screen, &info);
  const DWORD error = done ? 0 : GetLastError();
  CloseHandle(screen);
  if (!done) return sf__win_fail(error);
  *out = (struct winsize){
    .ws_row = (uint16_t)(info.srWindow.Bottom - info.srWindow.Top + 1),
    .ws_col = (uint16_t)(info.srWindow.Right - info.srWindow.Left + 1),
  };
  return 0;
}

/* Sets the mode of the input, and tells the one before. Returns 0 or an error of the system. */
static DWORD set_mode(bool raw, DWORD *old) {
  const HANDLE input = open_console(L"CONIN$");
  if (input == INVALID_HANDLE_VALUE) return GetLastError();
  bool done = true;
  if (raw) {
    const DWORD cooked = ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT | ENABLE_PROCESSED_INPUT;
    done = GetConsoleMode(input, old);
    /* Not every console tells keys as terminals do. */
    done = done && (SetConsoleMode(input, (*old & ~cooked) | ENABLE_VIRTUAL_TERMINAL_INPUT) ||
                    SetConsoleMode(input, *old & ~cooked));
  } else {
    done = SetConsoleMode(input, *old);
  }
  const DWORD error = done ? 0 : GetLastError();
  CloseHandle(input);
  return error;
}

static void restore_at_exit(void) {
  if (users > 0) set_mode(false, &before);
}

int32_t sf__terminal_acquire(int fd) {
  (void)fd;
  AcquireSRWLockExclusive(&lock);
  const DWORD error = users == 0 ? set_mode(true, &before) : 0;
  if (error == 0) users++;
  if (!at_exit) at_exit = atexit(restore_at_exit) == 0;
  ReleaseSRWLockExclusive(&lock);
  return error == 0 ? 0 : sf__error(sf__win_errno(error));
}

void sf__terminal_release(int fd) {
  (void)fd;
  AcquireSRWLockExclusive(&lock);
  if (users > 0 && --users == 0) set_mode(false, &before);
  ReleaseSRWLockExclusive(&lock);
}
