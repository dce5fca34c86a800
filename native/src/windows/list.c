/* list.c - what is in a directory, and what a link says. */
#include <stdlib.h>
#include <string.h>

#include "windows/descriptors.h"
#include "windows/names.h"
/* After that. */
#include <winioctl.h>
#include "windows/status.h"

#define BATCH_BYTES 32768
#define NO_MORE_FILES 0x80000006
#define ID_BOTH_DIRECTORY 37

struct entry { /* FILE_ID_BOTH_DIR_INFORMATION */
  ULONG next;
  ULONG index;
  LARGE_INTEGER times[4];
  LARGE_INTEGER end_of_file;
  LARGE_INTEGER allocated;
  ULONG attributes;
  ULONG name_bytes;
  ULONG ea_bytes; /* of a reparse point: its tag */
  CCHAR short_bytes;
  WCHAR short_name[12];
  LARGE_INTEGER id;
  WCHAR name[];
};

struct sf_win_directory {
  int fd;
  bool begun;
  bool full;     /* `batch` has entries from `at` on */
  uint32_t at;
  struct dirent current;
  _Alignas(8) uint8_t batch[BATCH_BYTES];
};

NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void *context,
                                    IO_STATUS_BLOCK *status, void *out, ULONG bytes,
                                    FILE_INFORMATION_CLASS what, BOOLEAN single,
                                    UNICODE_STRING *pattern, BOOLEAN restart);

DIR *fdopendir(int fd) {
  DIR *stream = calloc(1, sizeof(*stream));
  if (stream == NULL) {
    errno = ENOMEM;
    return NULL;
  }
  stream->fd = fd;
  return stream;
}

void rewinddir(DIR *stream) {
  /* Opened again: what came meanwhile is to be seen, and Wine 8 goes on with what it has read. */
  const int again = openat(stream->fd, ".", O_RDONLY | O_DIRECTORY);
  if (again >= 0) {
    close(stream->fd);
    stream->fd = again;
  }
  stream->begun = false;
  stream->full = false;
}

int closedir(DIR *stream) {
  const int result = close(stream->fd);
  free(stream);
  return result;
}

static bool fill(DIR *stream) {
  IO_STATUS_BLOCK status;
  const NTSTATUS result =
    NtQueryDirectoryFile(sf__win_handle(stream->fd), NULL, NULL, NULL, &status, stream->batch,
                         BATCH_BYTES, (FILE_INFORMATION_CLASS)ID_BOTH_DIRECTORY, FALSE, NULL,
                         !stream->begun);
  stream->begun = true;
  stream->full = result >= 0;
  stream->at = 0;
  if (result < 0 && (uint32_t)result != NO_MORE_FILES) sf__win_fail_status(result);
  return stream->full;
}

static uint8_t type_of(const struct entry *entry) {
  const FILE_ATTRIBUTE_TAG_INFO tag = {
    .FileAttributes = entry->attributes,
    .ReparseTag = entry->ea_bytes,
  };
  if (sf__win_is_link(&tag)) return DT_LNK;
  return (entry->attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? DT_DIR : DT_REG;
}

struct dirent *readdir(DIR *stream) {
  if (!stream->full && !fill(stream)) return NULL;
  const struct entry *entry = (const struct entry *)(stream->batch + stream->at);
  struct dirent *out = &stream->current;
  const int bytes =
    WideCharToMultiByte(CP_UTF8, 0, entry->name, (int)(entry->name_bytes / sizeof(WCHAR)),
                        out->d_name, sizeof(out->d_name) - 1, NULL, NULL);
  out->d_name[bytes] = '\0';
  out->d_ino = (uint64_t)entry->id.QuadPart;
  out->d_type = type_of(entry);
  stream->at += entry->next;
  stream->full = entry->next != 0;
  return out;
}

/* REPARSE_DATA_BUFFER of a symbolic link, and of a mount point, which has no flags. */
struct link {
  ULONG tag;
  USHORT bytes;
  USHORT reserved;
  USHORT target_at;
  USHORT target_bytes;
  USHORT shown_at;
  USHORT shown_bytes;
};

/* The target as a path: of one that is not relative only that it begins with a slash counts. */
static ssize_t target_of(const uint8_t *data, DWORD length, char *out, size_t room) {
  const struct link *link = (const struct link *)data;
  const bool symbolic = link->tag == IO_REPARSE_TAG_SYMLINK;
  const size_t names = sizeof(*link) + (symbolic ? sizeof(ULONG) : 0);
  ULONG flags = 0;
  char text[4096];
  if (symbolic) memcpy(&flags, data + sizeof(*link), sizeof(flags));
  if (length < names || names + link->target_at + link->target_bytes > length) return -1;
  const WCHAR *units = (const WCHAR *)(data + names + link->target_at);
  int bytes = WideCharToMultiByte(CP_UTF8, 0, units, link->target_bytes / (int)sizeof(WCHAR),
                                  text + 1, sizeof(text) - 1, NULL, NULL);
  for (int i = 1; i <= bytes; i++) {
    if (text[i] == '\\') text[i] = '/';
  }
  const char *start = text + 1;
  const bool relative = symbolic && (flags & 1) != 0;
  if (!relative && text[1] != '/') {
    text[0] = '/';
    start = text;
    bytes++;
  }
  const size_t kept = (size_t)bytes < room ? (size_t)bytes : room;
  memcpy(out, start, kept);
  return (ssize_t)kept;
}

ssize_t readlinkat(int directory, const char *name, char *out, size_t bytes) {
  _Alignas(8) uint8_t data[16384];
  const struct sf_win_how how = {
    .access = FILE_READ_ATTRIBUTES | SYNCHRONIZE,
    .disposition = FILE_OPEN,
    .options = FILE_SYNCHRONOUS_IO_NONALERT,
  };
  FILE_ATTRIBUTE_TAG_INFO tag;
  DWORD length = 0;
  ssize_t result = -1;
  const HANDLE handle = sf__win_create(directory, name, &how);
  if (handle == NULL) return -1;
  int err = EINVAL;
  if (sf__win_tag(handle, &tag) < 0) {
    err = errno;
  } else if (sf__win_is_link(&tag)) {
    if (DeviceIoControl(handle, FSCTL_GET_REPARSE_POINT, NULL, 0, data, sizeof(data), &length,
                        NULL)) {
      result = target_of(data, length, out, bytes);
    } else {
      err = sf__win_errno(GetLastError());
    }
  }
  CloseHandle(handle);
  errno = err;
  return result;
}
