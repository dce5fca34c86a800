/* open.c - files and directories are opened. */
#include <stdarg.h>
#include <stdlib.h>

#include "windows/descriptors.h"
#include "windows/names.h"
#include "windows/open.h"
#include "windows/status.h"

/* Directories are read one at a time, and wait for that. */
#define DIRECTORY_ACCESS (FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | SYNCHRONIZE)
#define DIRECTORY_OPTIONS (FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT)

static ACCESS_MASK access_of(int flags) {
  ACCESS_MASK writes = FILE_GENERIC_WRITE | FILE_READ_ATTRIBUTES;
  /* Who may only append does so, wherever he says to write. */
  if ((flags & O_APPEND) != 0) writes &= ~(ACCESS_MASK)FILE_WRITE_DATA;
  switch (flags & O_ACCMODE) {
    case O_RDONLY:
      return FILE_GENERIC_READ;
    case O_WRONLY:
      return writes;
    default:
      return FILE_GENERIC_READ | writes;
  }
}

/* What was opened, unless it is a link, which is not followed. */
static int finish(HANDLE handle, enum sf_win_kind kind, int flags) {
  FILE_ATTRIBUTE_TAG_INFO tag;
  int err = 0;
  if (handle == NULL) return -1;
  if (sf__win_tag(handle, &tag) < 0) {
    err = errno;
  } else if ((tag.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
    err = sf__win_is_link(&tag) ? ELOOP : ENOTSUP;
  }
  if (err != 0) {
    CloseHandle(handle);
    errno = err;
    return -1;
  }
  const int fd = sf__win_add(handle, kind, flags);
  if (fd < 0 || kind != SF_WIN_FILE || (flags & O_TRUNC) == 0 || ftruncate(fd, 0) == 0) return fd;
  err = errno;
  close(fd);
  errno = err;
  return -1;
}

static int open_directory(int directory, const char *name, int flags) {
  const struct sf_win_how how = {
    .access = DIRECTORY_ACCESS,
    .disposition = FILE_OPEN,
    .options = DIRECTORY_OPTIONS,
  };
  return finish(sf__win_create(directory, name, &how), SF_WIN_DIRECTORY, flags);
}

int openat(int directory, const char *name, int flags, ...) {
  uint32_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, uint32_t);
    va_end(arguments);
  }
  if ((flags & O_DIRECTORY) != 0) return open_directory(directory, name, flags);
  const bool creates = (flags & O_CREAT) != 0;
  const struct sf_win_how how = {
    .access = access_of(flags),
    .disposition = !creates ? FILE_OPEN : (flags & O_EXCL) != 0 ? FILE_CREATE : FILE_OPEN_IF,
    .options = FILE_NON_DIRECTORY_FILE | ((flags & O_SYNC) != 0 ? FILE_WRITE_THROUGH : 0),
    .attributes = creates && (mode & 0222) == 0 ? FILE_ATTRIBUTE_READONLY : FILE_ATTRIBUTE_NORMAL,
  };
  const HANDLE handle = sf__win_create(directory, name, &how);
  if (handle != NULL) return finish(handle, SF_WIN_FILE, flags);
  if (errno != EISDIR || creates || (flags & O_ACCMODE) != O_RDONLY) return -1;
  return open_directory(directory, name, flags);
}

/* A directory of the embedder's, by its full name. */
int open(const char *path, int flags) {
  const int units = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
  if (units == 0) {
    errno = EILSEQ;
    return -1;
  }
  WCHAR *wide = malloc((size_t)units * sizeof(*wide));
  if (wide == NULL) {
    errno = ENOMEM;
    return -1;
  }
  MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, units);
  const HANDLE handle =
    CreateFileW(wide, DIRECTORY_ACCESS, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
  const DWORD error = GetLastError();
  free(wide);
  if (handle == INVALID_HANDLE_VALUE) return sf__win_fail(error);
  BY_HANDLE_FILE_INFORMATION info;
  if (!GetFileInformationByHandle(handle, &info) ||
      (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
    CloseHandle(handle);
    errno = ENOTDIR;
    return -1;
  }
  return sf__win_add(handle, SF_WIN_DIRECTORY, flags);
}

HANDLE sf__win_open_again(int fd) {
  const struct sf_win_open *open = sf__win_open_of(fd);
  const struct sf_win_how how = {
    .access = access_of(open->flags),
    .disposition = FILE_OPEN,
    .options = FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT,
  };
  const LARGE_INTEGER position = { .QuadPart = open->position };
  const HANDLE handle = sf__win_create(fd, NULL, &how);
  if (handle == NULL || SetFilePointerEx(handle, position, NULL, FILE_BEGIN)) return handle;
  sf__win_fail(GetLastError());
  CloseHandle(handle);
  return NULL;
}

int sf__win_stream(int number) {
  static const DWORD names[] = { STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE };
  const HANDLE process = GetCurrentProcess();
  HANDLE handle;
  /* Other numbers are known to the C library that has opened them, and to nobody else. */
  if (number < 0 || number > 2) {
    errno = EBADF;
    return -1;
  }
  if (!DuplicateHandle(process, GetStdHandle(names[number]), process, &handle, 0, FALSE,
                       DUPLICATE_SAME_ACCESS)) {
    return sf__win_fail(GetLastError());
  }
  return sf__win_add(handle, SF_WIN_STREAM, number == 0 ? O_RDONLY : O_WRONLY);
}
