/* descriptors.c - the table of descriptors, and what works on all of them. */
#include "windows/descriptors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "windows/status.h"

bool sf__win_shared;

/* By the handle's number, which is a multiple of four. The lock is of all that. */
static SRWLOCK lock = SRWLOCK_INIT;
static struct sf_win_open **table;
static uint32_t capacity;

static struct sf_win_open *at(int fd) {
  const uint32_t index = (uint32_t)fd >> 2;
  return fd < 0 || index >= capacity ? NULL : table[index];
}

struct sf_win_open *sf__win_open_of(int fd) {
  AcquireSRWLockShared(&lock);
  struct sf_win_open *open = at(fd);
  ReleaseSRWLockShared(&lock);
  return open;
}

/* Returns false when there is no memory for it. */
static bool put(int fd, struct sf_win_open *open) {
  const uint32_t index = (uint32_t)fd >> 2;
  bool done = true;
  AcquireSRWLockExclusive(&lock);
  if (index >= capacity) {
    const uint32_t wanted = index < 512 ? 1024 : index * 2;
    struct sf_win_open **grown = realloc(table, wanted * sizeof(*grown));
    done = grown != NULL;
    if (done) {
      memset(grown + capacity, 0, (wanted - capacity) * sizeof(*grown));
      table = grown;
      capacity = wanted;
    }
  }
  if (done) {
    table[index] = open;
    open->users++;
  }
  ReleaseSRWLockExclusive(&lock);
  return done;
}

/* Returns whether that was the last descriptor. */
static bool take_out(int fd, struct sf_win_open **out) {
  AcquireSRWLockExclusive(&lock);
  struct sf_win_open *open = *out = at(fd);
  if (open != NULL) table[(uint32_t)fd >> 2] = NULL;
  const bool last = open != NULL && --open->users == 0;
  ReleaseSRWLockExclusive(&lock);
  return last;
}

static void close_handle(HANDLE handle, uint8_t kind) {
  if (kind == SF_WIN_SOCKET) {
    u_long off = 0;
    if (closesocket((SOCKET)handle) == 0) return;
    /* It lingers, which one that does not block refuses. */
    ioctlsocket((SOCKET)handle, (long)FIONBIO, &off);
    closesocket((SOCKET)handle);
  } else {
    CloseHandle(handle);
  }
}

int sf__win_add(HANDLE handle, enum sf_win_kind kind, int flags) {
  const int fd = (int)(intptr_t)handle;
  struct sf_win_open *open = calloc(1, sizeof(*open));
  if (open != NULL) {
    open->kind = (uint8_t)kind;
    open->flags = flags;
    if (put(fd, open)) return fd;
    free(open);
  }
  close_handle(handle, (uint8_t)kind);
  errno = ENOMEM;
  return -1;
}

int close(int fd) {
  struct sf_win_open *open;
  const bool last = take_out(fd, &open);
  if (open == NULL) {
    errno = EBADF;
    return -1;
  }
  close_handle(sf__win_handle(fd), open->kind);
  if (last) free(open);
  return 0;
}

/* Files alone: they share their position. */
static int duplicate(int fd, struct sf_win_open *open) {
  HANDLE handle;
  const HANDLE process = GetCurrentProcess();
  if (!DuplicateHandle(process, sf__win_handle(fd), process, &handle, 0, FALSE,
                       DUPLICATE_SAME_ACCESS)) {
    return sf__win_fail(GetLastError());
  }
  const int own = (int)(intptr_t)handle;
  if (put(own, open)) return own;
  CloseHandle(handle);
  errno = ENOMEM;
  return -1;
}

int fcntl(int fd, int what, ...) {
  struct sf_win_open *open = sf__win_open_of(fd);
  if (open == NULL) {
    errno = EBADF;
    return -1;
  }
  switch (what) {
    case F_DUPFD_CLOEXEC:
      return duplicate(fd, open);
    case F_GETFL:
      return open->flags;
    default: /* F_SETFL: it never blocks, and appends if it was opened so */
      return 0;
  }
}
