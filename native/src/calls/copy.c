/* copy.c - the bytes of a file, to another file and to a stream, without the guest's memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls/calls.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

/* What one operation moves at most: so long it cannot be canceled, and holds a thread. */
#define COPY_BYTES_MAX (4u << 20)
#define SEND_BYTES_MAX (256u << 10)

/* What goes by way of our memory, where the system cannot copy by itself. */
#define PIECE_BYTES 65536

/* The other handle of the submission, a file: sets *fd to a duplicate, which stays although the handle
 * is closed. Returns 0 or a negated sf_errno. */
static int32_t other_file(const struct sf_engine *engine, const struct sf_submission *submission,
                          int *fd) {
  const struct sf_handle *handle =
    sf__handles_get(&engine->base.handles, submission->other_handle);
  if (handle == NULL) return -SF_EBADF;
  if (handle->kind == SF_HANDLE_DIRECTORY) return -SF_EISDIR;
  if (handle->kind != SF_HANDLE_FILE || handle->stdio != SF_STDIO_NONE) return -SF_EINVAL;
  *fd = fcntl(handle->fd, F_DUPFD_CLOEXEC, 0);
  return *fd < 0 ? sf__error(errno) : 0;
}

int32_t sf__check_copy(struct sf_engine *engine, const struct sf_submission *submission,
                       const struct sf_handle *handle, struct sf_draft *draft) {
  (void)handle;
  if (submission->offset < 0 || submission->other_offset < 0) return -SF_EINVAL;
  const int32_t err = other_file(engine, submission, &draft->other_fd);
  return err < 0 ? err : SF_STARTED;
}

/* How many bytes there are to copy, at most what was asked for; or a negated sf_errno. */
static int64_t bytes_to_copy(const struct sf_call *call) {
  struct stat from;
  struct stat to;
  if (fstat(call->fd, &from) < 0 || fstat(call->other_fd, &to) < 0) return sf__error(errno);
  /* Its size says nothing about a device, or a file of the kernel's. */
  const int64_t left = S_ISREG(from.st_mode) && from.st_size > 0 ? from.st_size - call->offset
                                                                 : INT64_MAX;
  const int64_t bytes = left < 0 ? 0 : call->length < left ? call->length : left;
  const bool same = from.st_dev == to.st_dev && from.st_ino == to.st_ino;
  const int64_t apart = call->offset < call->other_offset ? call->other_offset - call->offset
                                                          : call->offset - call->other_offset;
  return same && apart < bytes ? -SF_EINVAL : bytes;
}

/* By way of our memory. */
static int32_t copy_through(const struct sf_call *call, size_t bytes) {
  char piece[PIECE_BYTES];
  const ssize_t got =
    pread(call->fd, piece, bytes < sizeof(piece) ? bytes : sizeof(piece), call->offset);
  if (got < 0) return sf__error(errno);
  const ssize_t put = pwrite(call->other_fd, piece, (size_t)got, call->other_offset);
  return put < 0 ? sf__error(errno) : (int32_t)put;
}

int32_t sf__call_copy(const struct sf_call *call) {
  const int modes[] = { fcntl(call->fd, F_GETFL), fcntl(call->other_fd, F_GETFL) };
  if ((modes[0] & O_ACCMODE) == O_WRONLY) return -SF_EBADF;
  if ((modes[1] & O_ACCMODE) == O_RDONLY || (modes[1] & O_APPEND) != 0) return -SF_EBADF;
  const int64_t wanted = bytes_to_copy(call);
  if (wanted <= 0) return (int32_t)wanted;
  const size_t bytes = wanted < COPY_BYTES_MAX ? (size_t)wanted : COPY_BYTES_MAX;
#ifdef SF_LINUX
  off_t from = call->offset;
  off_t to = call->other_offset;
  const ssize_t copied = copy_file_range(call->fd, &from, call->other_fd, &to, bytes, 0);
  if (copied > 0) return (int32_t)copied;
  /* Other file systems, and those that have no such thing; 0 from files that the kernel makes up. */
  if (copied < 0 && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS) {
    return sf__error(errno);
  }
#endif
  return copy_through(call, bytes);
}

int32_t sf__check_send_file(struct sf_engine *engine, const struct sf_submission *submission,
                            const struct sf_handle *handle, struct sf_draft *draft) {
  const uint32_t bytes =
    submission->length < SEND_BYTES_MAX ? submission->length : SEND_BYTES_MAX;
  (void)handle;
  if (submission->other_offset < 0) return -SF_EINVAL;
  int fd;
  const int32_t err = other_file(engine, submission, &fd);
  if (err < 0) return err;
  struct sf_send_file *piece = bytes == 0 ? NULL : malloc(sizeof(*piece) + bytes);
  if (piece == NULL) {
    close(fd);
    return bytes == 0 ? 0 : -SF_ENOMEM;
  }
  piece->bytes = bytes;
  draft->kept = piece;
  draft->other_fd = fd;
  return SF_STARTED;
}

int32_t sf__call_send_file(const struct sf_call *call) {
  struct sf_send_file *piece = call->kept;
#ifndef SF_WINDOWS
  if (call->step != 0 && call->pipe) {
    const struct iovec part = { .iov_base = piece->data, .iov_len = piece->bytes };
    return sf__write_pipe(call->fd, &part, 1);
  }
#endif
  const ssize_t bytes = call->step == 0
                          ? pread(call->other_fd, piece->data, piece->bytes, call->other_offset)
                          : send(call->fd, piece->data, piece->bytes, SF_MSG_NOSIGNAL | MSG_DONTWAIT);
  return bytes < 0 ? sf__error(errno) : (int32_t)bytes;
}

int32_t sf__next_send_file(const struct sf_engine *engine, struct sf_op *op, int32_t result) {
  struct sf_send_file *piece = op->kept;
  (void)engine;
  if (op->step != 0 || result <= 0) return result;
  if (op->canceled) return -SF_ECANCELED;
  piece->bytes = (uint32_t)result;
  op->step = 1;
  return SF_STARTED;
}
