/* transfer.c - reads and writes. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "calls/calls.h"
#include "engine/os-errno.h"
#include "engine/platform.h"
#include "engine/pool.h"

#ifdef SF_LINUX
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* SF_STARTED, or why there is no transfer. A datagram can be empty. */
static int32_t check_handle(const struct sf_submission *submission, const struct sf_handle *handle) {
  if (handle->kind != SF_HANDLE_UDP) return submission->length == 0 ? 0 : SF_STARTED;
  if (handle->connected) return SF_STARTED;
  const bool sends = sf__operation(submission->op)->borrows == SF_BORROWS_TO_SEND;
  return sends ? -SF_EDESTADDRREQ : -SF_ENOTCONN;
}

int32_t sf__check_buffer(struct sf_engine *engine, const struct sf_submission *submission,
                         const struct sf_handle *handle, struct sf_draft *draft) {
  const int32_t begun = check_handle(submission, handle);
  (void)draft;
  if (begun != SF_STARTED || submission->length == 0) return begun;
  const void *buffer =
    sf__guest_range(&engine->base.guest, submission->pointer, submission->length);
  return buffer == NULL ? -SF_EFAULT : SF_STARTED;
}

int32_t sf__check_positioned(struct sf_engine *engine, const struct sf_submission *submission,
                             const struct sf_handle *handle, struct sf_draft *draft) {
  /* -1 would mean the current position to io_uring. */
  if (submission->offset < 0) return -SF_EINVAL;
  return sf__check_buffer(engine, submission, handle, draft);
}

int32_t sf__check_positioned_vector(struct sf_engine *engine,
                                    const struct sf_submission *submission,
                                    const struct sf_handle *handle, struct sf_draft *draft) {
  if (submission->offset < 0) return -SF_EINVAL;
  return sf__check_vector(engine, submission, handle, draft);
}

int32_t sf__check_vector(struct sf_engine *engine, const struct sf_submission *submission,
                         const struct sf_handle *handle, struct sf_draft *draft) {
  struct iovec parts[SF_IOVEC_MAX];
  const int32_t begun = check_handle(submission, handle);
  (void)draft;
  if (begun != SF_STARTED) return begun;
  const int64_t total =
    sf__vector(&engine->base.guest, submission->pointer, submission->length, parts);
  return total > 0 || (total == 0 && handle->kind == SF_HANDLE_UDP) ? SF_STARTED : (int32_t)total;
}

static int32_t moved(ssize_t bytes) {
  return bytes < 0 ? sf__error(errno) : (int32_t)bytes;
}

#ifndef SF_WINDOWS

/* The system waits inside such a call, on behalf of whoever shares the descriptor: it is made only when
 * there is something to do. Another program may be faster, and then a thread of the pool waits. */
static bool ready(const struct sf_call *call, short events) {
  struct pollfd fd = { .fd = call->fd, .events = events };
  return poll(&fd, 1, 0) != 0;
}

/* What has room is room for so much. */
static int32_t write_shared(const struct sf_call *call) {
  struct iovec part = { 0 };
  if (!ready(call, POLLOUT)) return SF_JOB_LATER;
  for (uint32_t i = 0; i < call->parts_count && part.iov_len == 0; i++) part = call->parts[i];
  if (part.iov_len > PIPE_BUF) part.iov_len = PIPE_BUF;
  return sf__write_pipe(call->fd, &part, 1);
}

#endif

int32_t sf__call_read(const struct sf_call *call) {
  const int count = (int)call->parts_count;
#ifndef SF_WINDOWS
  if (call->shared && call->pipe && !ready(call, POLLIN)) return SF_JOB_LATER;
#endif
  if (call->shared && !call->pipe) {
    struct msghdr message = { .msg_iov = call->parts, .msg_iovlen = call->parts_count };
    return moved(recvmsg(call->fd, &message, MSG_DONTWAIT));
  }
  if (sf__is_positioned(call->opcode)) {
    return moved(preadv(call->fd, call->parts, count, call->offset));
  }
  return moved(readv(call->fd, call->parts, count));
}

int32_t sf__call_write(const struct sf_call *call) {
  const int count = (int)call->parts_count;
  if (sf__is_positioned(call->opcode)) {
    return moved(pwritev(call->fd, call->parts, count, call->offset));
  }
#ifndef SF_WINDOWS
  if (call->shared && call->pipe) return write_shared(call);
  if (call->pipe) return sf__write_pipe(call->fd, call->parts, count);
#endif
  if (call->kind == SF_HANDLE_FILE || call->pipe) {
    return moved(writev(call->fd, call->parts, count));
  }
  const struct msghdr message = { .msg_iov = call->parts, .msg_iovlen = call->parts_count };
  const int flags = SF_MSG_NOSIGNAL | (call->shared ? MSG_DONTWAIT : 0);
  return moved(sendmsg(call->fd, &message, flags));
}

#if defined(SF_LINUX) && defined(RWF_NOWAIT)
/* What is in memory already. Short is only what moves the file's position: a program that names its place
 * expects all there is. musl has the call of that name since 1.2.5; with less the addon would not load. */
static int32_t read_cached(const struct sf_call *call) {
  const bool positioned = sf__is_positioned(call->opcode);
  const int64_t offset = positioned ? call->offset : -1;
  /* Not the library's: that one can be canceled as a thread, which takes more time than the rest of it. */
  const long bytes = syscall(SYS_preadv2, call->fd, call->parts, (unsigned long)call->parts_count,
                             (long)offset, 0L, RWF_NOWAIT);
  if (bytes < 0) return errno == EOPNOTSUPP ? -SF_EAGAIN : sf__error(errno);
  return positioned && (size_t)bytes < call->parts->iov_len ? -SF_EAGAIN : (int32_t)bytes;
}
#else
static int32_t read_cached(const struct sf_call *call) {
  (void)call;
  return -SF_EAGAIN;
}
#endif

int32_t sf__attempt_read(const struct sf_call *call) {
  if (call->kind == SF_HANDLE_FILE || call->pipe) return read_cached(call);
  struct msghdr message = { .msg_iov = call->parts, .msg_iovlen = call->parts_count };
  return moved(recvmsg(call->fd, &message, MSG_DONTWAIT));
}

int32_t sf__attempt_write(const struct sf_call *call) {
  if (call->kind == SF_HANDLE_FILE || call->pipe) return -SF_EAGAIN;
  const struct msghdr message = { .msg_iov = call->parts, .msg_iovlen = call->parts_count };
  return moved(sendmsg(call->fd, &message, SF_MSG_NOSIGNAL | MSG_DONTWAIT));
}
