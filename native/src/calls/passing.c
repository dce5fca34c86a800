/* passing.c - handles over Unix streams, with the bytes that they come with. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls/calls.h"
#include "engine/descriptor.h"
#include "engine/mechanism.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

#ifdef MSG_CMSG_CLOEXEC
#define RECEIVE_FLAGS (MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
#else
#define RECEIVE_FLAGS MSG_DONTWAIT
#endif

/* sf_op.kept of RECEIVE_HANDLE. */
struct received {
  uint32_t out; /* where the guest wants the handle */
  int fd;       /* what came, or -1 */
};

/* What one descriptor needs. Where alignment makes room for a second, that one is closed. */
union control {
  char bytes[CMSG_SPACE(sizeof(int))];
  struct cmsghdr align;
};

/* 0, or -SF_ENOTSUP: no Unix stream. */
static int32_t check_stream(const struct sf_handle *handle) {
  const struct sf_descriptor descriptor = sf__descriptor(handle->fd);
  const bool unix_stream =
    descriptor.kind == SF_HANDLE_STREAM && !descriptor.pipe && descriptor.family == 0;
  return unix_stream ? 0 : -SF_ENOTSUP;
}

/* 0 or a negated sf_errno. With no byte there would be nothing for it to come with. */
static int32_t check_bytes(const struct sf_engine *engine, const struct sf_submission *submission) {
  if (submission->length == 0) return -SF_EINVAL;
  const void *buffer =
    sf__guest_range(&engine->base.guest, submission->pointer, submission->length);
  return buffer == NULL ? -SF_EFAULT : 0;
}

int32_t sf__check_send_handle(struct sf_engine *engine, const struct sf_submission *submission,
                              const struct sf_handle *handle, struct sf_draft *draft) {
  int32_t err = check_stream(handle);
  if (err == 0) err = check_bytes(engine, submission);
  if (err < 0) return err;
  const struct sf_handle *passed =
    sf__handles_get(&engine->base.handles, submission->other_handle);
  if (passed == NULL) return -SF_EBADF;
  if (passed->kind == SF_HANDLE_PROCESS || passed->kind == SF_HANDLE_DESCRIPTOR) return -SF_ENOTSUP;
  if (passed->stdio != SF_STDIO_NONE) return -SF_ENOTSUP;
  if (sf__descriptor(passed->fd).kind == SF_HANDLE_FREE) return -SF_ENOTSUP;
  /* The handle may be closed before this is sent. */
  engine->base.system_calls++;
  const int fd = fcntl(passed->fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return sf__error(errno);
  draft->other_fd = fd;
  return SF_STARTED;
}

int32_t sf__call_send_handle(const struct sf_call *call) {
  union control control = { .bytes = { 0 } };
  const struct msghdr message = {
    .msg_iov = call->parts,
    .msg_iovlen = call->parts_count,
    .msg_control = control.bytes,
    .msg_controllen = CMSG_SPACE(sizeof(int)),
  };
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){
    .cmsg_len = CMSG_LEN(sizeof(int)),
    .cmsg_level = SOL_SOCKET,
    .cmsg_type = SCM_RIGHTS,
  };
  memcpy(CMSG_DATA(header), &call->other_fd, sizeof(int));
  const ssize_t bytes = sendmsg(call->fd, &message, SF_MSG_NOSIGNAL | MSG_DONTWAIT);
  return bytes < 0 ? sf__error(errno) : (int32_t)bytes;
}

int32_t sf__check_receive_handle(struct sf_engine *engine, const struct sf_submission *submission,
                                 const struct sf_handle *handle, struct sf_draft *draft) {
  int32_t err = check_stream(handle);
  if (err == 0) err = check_bytes(engine, submission);
  if (err < 0) return err;
  if (sf__guest_range(&engine->base.guest, submission->other_pointer, sizeof(int32_t)) == NULL) {
    return -SF_EFAULT;
  }
  /* Before it takes what nobody could hold. One that waits reserves no place. */
  if (sf__handles_full(&engine->base.handles)) return -SF_EMFILE;
  struct received *kept = malloc(sizeof(*kept));
  if (kept == NULL) return -SF_ENOMEM;
  *kept = (struct received){ .out = submission->other_pointer, .fd = -1 };
  draft->kept = kept;
  return SF_STARTED;
}

/* The descriptor that came, if it is the only one; all others are closed. Else -1. */
static int take_fd(struct msghdr *message) {
  int fd = -1;
  uint32_t count = 0;
  for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL; at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    const size_t bytes = at->cmsg_len - CMSG_LEN(0);
    for (size_t i = 0; i + sizeof(int) <= bytes; i += sizeof(int)) {
      int next;
      memcpy(&next, (const char *)CMSG_DATA(at) + i, sizeof(next));
#ifndef MSG_CMSG_CLOEXEC
      fcntl(next, F_SETFD, FD_CLOEXEC);
#endif
      if (fd >= 0) close(fd);
      fd = next;
      count++;
    }
  }
  if (fd < 0 || (count == 1 && (message->msg_flags & MSG_CTRUNC) == 0)) return fd;
  close(fd);
  return -1;
}

int32_t sf__call_receive_handle(const struct sf_call *call) {
  struct received *kept = call->kept;
  union control control;
  struct msghdr message = {
    .msg_iov = call->parts,
    .msg_iovlen = call->parts_count,
    .msg_control = control.bytes,
    .msg_controllen = sizeof(control.bytes),
  };
  const ssize_t bytes = recvmsg(call->fd, &message, RECEIVE_FLAGS);
  if (bytes < 0) return sf__error(errno);
  kept->fd = take_fd(&message);
  return (int32_t)bytes;
}

/* A handle that owns `fd`, which is closed when there can be none: then -1. */
static int32_t handle_of(struct sf_engine *engine, int fd) {
  const struct sf_descriptor descriptor = sf__descriptor(fd);
  uint32_t place;
  if (descriptor.kind == SF_HANDLE_FREE) {
    close(fd);
    return -1;
  }
  if (sf__handles_reserve_for(&engine->base.handles, fd, &place) < 0) return -1;
  return sf__descriptor_open(engine, place, fd, descriptor);
}

int32_t sf__finish_receive_handle(struct sf_engine *engine, const struct sf_op *op,
                                  int32_t result) {
  const struct received *kept = op->kept;
  if (result < 0) {
    if (kept->fd >= 0) close(kept->fd);
    return result;
  }
  const int32_t handle = kept->fd < 0 ? -1 : handle_of(engine, kept->fd);
  /* Was in range when the operation began, and a memory never shrinks. */
  void *out = sf__guest_range(&engine->base.guest, kept->out, sizeof(handle));
  if (out != NULL) memcpy(out, &handle, sizeof(handle));
  return result;
}
