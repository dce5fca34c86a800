/* change.c - names are made, removed and moved; what is in a file is cut, locked, and brought to the disk. */
#include <stdlib.h>
#include <string.h>

#include "engine/platform.h"
#include "windows/descriptors.h"
#include "windows/names.h"
#include "windows/status.h"

BOOLEAN NTAPI SystemFunction036(void *out, ULONG bytes);

/* Of NtSetInformationFile; winternl.h has few of them. */
enum { RENAME = 10, LINK = 11, DISPOSITION = 13, DISPOSITION_EX = 64, RENAME_EX = 65 };

struct disposition_ex {
  ULONG flags;
};

#define DELETE_NOW (0x1 | 0x2 | 0x10) /* delete, as POSIX does, also what is read-only */

struct rename {
  ULONG flags; /* of the older form a BOOLEAN: to replace */
  HANDLE root;
  ULONG bytes;
  WCHAR name[SF_WIN_NAME_UNITS];
};

#define REPLACE 0x1
#define AS_POSIX 0x2

NTSTATUS NTAPI NtSetInformationFile(HANDLE handle, IO_STATUS_BLOCK *status, void *information,
                                    ULONG bytes, FILE_INFORMATION_CLASS what);

static NTSTATUS set(HANDLE handle, void *information, size_t bytes, int what) {
  IO_STATUS_BLOCK status;
  return NtSetInformationFile(handle, &status, information, (ULONG)bytes,
                              (FILE_INFORMATION_CLASS)what);
}

/* Whether the file system, or the system, is older than what it was asked for. */
static bool is_unknown(NTSTATUS status) {
  const uint32_t code = (uint32_t)status;
  return code == 0xC0000003 || code == 0xC000000D || code == 0xC0000002 || code == 0xC00000BB ||
         code == 0xC0000010;
}

static int told(HANDLE handle, NTSTATUS status) {
  CloseHandle(handle);
  return status >= 0 ? 0 : sf__win_fail_status(status);
}

static HANDLE open_name(int directory, const char *name, ACCESS_MASK access, ULONG options) {
  const struct sf_win_how how = {
    .access = access | SYNCHRONIZE,
    .disposition = FILE_OPEN,
    .options = options | FILE_SYNCHRONOUS_IO_NONALERT,
  };
  return sf__win_create(directory, name, &how);
}

int unlinkat(int directory, const char *name, int flags) {
  const bool removes_directory = (flags & AT_REMOVEDIR) != 0;
  const HANDLE handle = open_name(directory, name, DELETE | FILE_READ_ATTRIBUTES,
                                  removes_directory ? FILE_DIRECTORY_FILE
                                                    : FILE_NON_DIRECTORY_FILE);
  if (handle == NULL) return -1;
  struct disposition_ex now = { .flags = DELETE_NOW };
  NTSTATUS status = set(handle, &now, sizeof(now), DISPOSITION_EX);
  if (status < 0 && is_unknown(status)) {
    BOOLEAN on_close = TRUE;
    status = set(handle, &on_close, sizeof(on_close), DISPOSITION);
  }
  return told(handle, status);
}

int mkdirat(int directory, const char *name, uint32_t mode) {
  const struct sf_win_how how = {
    .access = FILE_LIST_DIRECTORY | SYNCHRONIZE,
    .disposition = FILE_CREATE,
    .options = FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT,
    .attributes = FILE_ATTRIBUTE_NORMAL,
  };
  (void)mode;
  const HANDLE handle = sf__win_create(directory, name, &how);
  if (handle == NULL) return -1;
  CloseHandle(handle);
  return 0;
}

static int fill(struct rename *out, int directory, const char *name, ULONG flags) {
  struct sf_win_name wide;
  if (sf__win_name(name, &wide) < 0) return -1;
  *out = (struct rename){
    .flags = flags,
    .root = sf__win_handle(directory),
    .bytes = wide.text.Length,
  };
  memcpy(out->name, wide.units, wide.text.Length);
  return 0;
}

/* A directory takes the place of an empty one, a file that of a file. */
static int make_way(int from_directory, const char *from, int to_directory, const char *to) {
  struct stat old;
  struct stat new;
  if (fstatat(from_directory, from, &old, 0) < 0) return -1;
  if (fstatat(to_directory, to, &new, 0) < 0) return errno == ENOENT ? 0 : -1;
  if (old.st_dev == new.st_dev && old.st_ino == new.st_ino) return 1;
  if (S_ISDIR(old.st_mode) != S_ISDIR(new.st_mode)) {
    errno = S_ISDIR(old.st_mode) ? ENOTDIR : EISDIR;
    return -1;
  }
  return S_ISDIR(old.st_mode) ? unlinkat(to_directory, to, AT_REMOVEDIR) : 0;
}

static int move(int from_directory, const char *from, int to_directory, const char *to,
                bool replaces) {
  struct rename rename;
  if (fill(&rename, to_directory, to, replaces ? REPLACE | AS_POSIX : AS_POSIX) < 0) return -1;
  const HANDLE handle = open_name(from_directory, from, DELETE | FILE_READ_ATTRIBUTES, 0);
  if (handle == NULL) return -1;
  NTSTATUS status = set(handle, &rename, sizeof(rename), RENAME_EX);
  if (status < 0 && is_unknown(status)) {
    rename.flags = replaces;
    status = set(handle, &rename, sizeof(rename), RENAME);
  }
  return told(handle, status);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
  const int way = make_way(from_directory, from, to_directory, to);
  if (way != 0) return way < 0 ? -1 : 0;
  return move(from_directory, from, to_directory, to, true);
}

int sf__os_rename_new(int from_directory, const char *from, int to_directory, const char *to) {
  return move(from_directory, from, to_directory, to, false);
}

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
  struct rename link;
  (void)flags;
  if (fill(&link, to_directory, to, 0) < 0) return -1;
  const HANDLE handle =
    open_name(from_directory, from, FILE_WRITE_ATTRIBUTES, FILE_NON_DIRECTORY_FILE);
  if (handle == NULL) {
    if (errno == EISDIR) errno = EPERM;
    return -1;
  }
  return told(handle, set(handle, &link, sizeof(link), LINK));
}

int ftruncate(int fd, int64_t bytes) {
  const struct sf_win_open *open = sf__win_open_of(fd);
  FILE_END_OF_FILE_INFO end = { .EndOfFile.QuadPart = bytes };
  if (open == NULL || open->kind != SF_WIN_FILE || (open->flags & O_ACCMODE) == O_RDONLY) {
    errno = EINVAL;
    return -1;
  }
  /* It may have been opened for appending alone: it is opened again. */
  const HANDLE handle = open_name(fd, NULL, FILE_WRITE_DATA, 0);
  if (handle == NULL) return -1;
  const bool done = SetFileInformationByHandle(handle, FileEndOfFileInfo, &end, sizeof(end));
  const DWORD error = done ? 0 : GetLastError();
  CloseHandle(handle);
  return done ? 0 : sf__win_fail(error);
}

/* A file that grows gets its room at once, unless it is made not to. */
int posix_fallocate(int fd, int64_t offset, int64_t bytes) {
  const struct sf_win_open *open = sf__win_open_of(fd);
  LARGE_INTEGER size;
  if (open == NULL || (open->flags & O_ACCMODE) == O_RDONLY) return EBADF;
  if (!GetFileSizeEx(sf__win_handle(fd), &size)) return sf__win_errno(GetLastError());
  if (size.QuadPart >= offset + bytes) return 0;
  return ftruncate(fd, offset + bytes) < 0 ? errno : 0;
}

/* What is open may have been opened for reading alone: it is opened again. */
int sf__os_sync(int fd, bool data) {
  (void)data;
  const HANDLE handle = open_name(fd, NULL, FILE_WRITE_DATA, 0);
  if (handle == NULL) return -1;
  const bool done = FlushFileBuffers(handle);
  const DWORD error = done ? 0 : GetLastError();
  CloseHandle(handle);
  return done ? 0 : sf__win_fail(error);
}

/* Locks of Windows keep others from reading and writing; these only from locking, since they are of a byte that
 * no file has. */
int flock(int fd, int how) {
  const HANDLE handle = sf__win_handle(fd);
  OVERLAPPED place = { .Offset = 0xFFFFFFFE, .OffsetHigh = 0x7FFFFFFF };
  const HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (event == NULL) return sf__win_fail(GetLastError());
  /* With the lowest bit set the completion port hears nothing of it. */
  place.hEvent = (HANDLE)((uintptr_t)event | 1);
  /* What it holds it gives back first: a lock can be held twice there. */
  UnlockFileEx(handle, 0, 1, 0, &place);
  bool done = true;
  DWORD moved;
  if ((how & LOCK_UN) == 0) {
    const DWORD flags = LOCKFILE_FAIL_IMMEDIATELY |
                        ((how & LOCK_EX) != 0 ? LOCKFILE_EXCLUSIVE_LOCK : 0);
    done = LockFileEx(handle, flags, 0, 1, 0, &place);
    if (!done && GetLastError() == ERROR_IO_PENDING) {
      done = GetOverlappedResult(handle, &place, &moved, TRUE);
    }
  }
  const DWORD error = done ? 0 : GetLastError();
  CloseHandle(event);
  return done ? 0 : sf__win_fail(error);
}

int getentropy(void *out, size_t bytes) {
  if (SystemFunction036(out, (ULONG)bytes)) return 0;
  errno = EIO;
  return -1;
}
