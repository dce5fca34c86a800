/* transfer.c - reads and writes of files, on a thread that waits for them. */
#include <stdio.h>

#include "windows/descriptors.h"
#include "windows/status.h"
#include "windows/stdio.h"

/* One transfer at `offset`. Returns the bytes, or -1 and sets errno. */
static ssize_t transfer(int fd, void *data, size_t bytes, uint64_t offset, bool sends) {
  const HANDLE handle = sf__win_handle(fd);
  const HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
  DWORD moved = 0;
  if (event == NULL) return sf__win_fail(GetLastError());
  /* With the lowest bit set the completion port hears nothing of it. */
  OVERLAPPED overlapped = {
    .Offset = (DWORD)offset,
    .OffsetHigh = (DWORD)(offset >> 32),
    .hEvent = (HANDLE)((uintptr_t)event | 1),
  };
  bool done = sends ? WriteFile(handle, data, (DWORD)bytes, NULL, &overlapped)
                    : ReadFile(handle, data, (DWORD)bytes, NULL, &overlapped);
  if (done || GetLastError() == ERROR_IO_PENDING) {
    done = GetOverlappedResult(handle, &overlapped, &moved, TRUE);
  }
  const DWORD error = done ? 0 : GetLastError();
  CloseHandle(event);
  if (done || error == ERROR_HANDLE_EOF) return (ssize_t)moved;
  return sf__win_fail(error);
}

/* What is there, or has room. */
static ssize_t transfer_stream(int fd, const struct iovec *part, bool sends) {
  return sends ? sf__win_stream_write(fd, part->iov_base, part->iov_len)
               : sf__win_stream_read(fd, part->iov_base, part->iov_len);
}

/* The parts in order, until one is short. */
static ssize_t transfer_all(int fd, const struct iovec *parts, int count, int64_t offset,
                            bool sends) {
  const struct sf_win_open *open = sf__win_open_of(fd);
  ssize_t total = 0;
  if (open == NULL || (open->flags & O_ACCMODE) == (sends ? O_RDONLY : O_WRONLY)) {
    errno = EBADF;
    return -1;
  }
  for (int i = 0; i < count; i++) {
    if (parts[i].iov_len == 0) continue;
    if (open->kind == SF_WIN_STREAM) return transfer_stream(fd, &parts[i], sends);
    const uint64_t at = (uint64_t)(offset + total);
    const ssize_t moved = transfer(fd, parts[i].iov_base, parts[i].iov_len, at, sends);
    if (moved < 0) return total > 0 ? total : -1;
    total += moved;
    if ((size_t)moved < parts[i].iov_len) break;
  }
  return total;
}

/* At the file's position, which moves. */
static ssize_t transfer_next(int fd, const struct iovec *parts, int count, bool sends) {
  struct sf_win_open *open = sf__win_open_of(fd);
  const ssize_t moved =
    transfer_all(fd, parts, count, open == NULL ? 0 : open->position, sends);
  if (moved <= 0) return moved;
  if (sends && (open->flags & O_APPEND) != 0) {
    lseek(fd, 0, SEEK_END);
  } else {
    open->position += moved;
  }
  return moved;
}

ssize_t readv(int fd, const struct iovec *parts, int count) {
  const struct sf_win_open *open = sf__win_open_of(fd);
  if (open != NULL && open->kind == SF_WIN_SOCKET) {
    struct msghdr message = {
      .msg_iov = (struct iovec *)(uintptr_t)parts,
      .msg_iovlen = (size_t)count,
    };
    return recvmsg(fd, &message, 0);
  }
  return transfer_next(fd, parts, count, false);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  return transfer_next(fd, parts, count, true);
}

ssize_t preadv(int fd, const struct iovec *parts, int count, int64_t offset) {
  return transfer_all(fd, parts, count, offset, false);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, int64_t offset) {
  return transfer_all(fd, parts, count, offset, true);
}

ssize_t pread(int fd, void *data, size_t bytes, int64_t offset) {
  const struct iovec part = { .iov_base = data, .iov_len = bytes };
  return transfer_all(fd, &part, 1, offset, false);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, int64_t offset) {
  const struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = bytes };
  return transfer_all(fd, &part, 1, offset, true);
}

int64_t lseek(int fd, int64_t offset, int whence) {
  struct sf_win_open *open = sf__win_open_of(fd);
  LARGE_INTEGER size = { .QuadPart = 0 };
  if (open == NULL || (open->kind != SF_WIN_FILE && open->kind != SF_WIN_DIRECTORY)) {
    errno = open == NULL ? EBADF : ESPIPE;
    return -1;
  }
  if (whence == SEEK_END && !GetFileSizeEx(sf__win_handle(fd), &size)) {
    return sf__win_fail(GetLastError());
  }
  const int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? open->position : size.QuadPart;
  if (offset > INT64_MAX - from) {
    errno = EOVERFLOW;
    return -1;
  }
  if (from + offset < 0) {
    errno = EINVAL;
    return -1;
  }
  open->position = from + offset;
  return open->position;
}
