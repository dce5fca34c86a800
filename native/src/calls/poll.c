/* poll.c - waits until a descriptor is ready. */
#include <errno.h>
#include <poll.h>

#include "calls/calls.h"
#include "engine/os-errno.h"

#define EVENTS (SF_POLL_READABLE | SF_POLL_WRITABLE | SF_POLL_ERROR | SF_POLL_HANG_UP)

short sf__poll_to_os(uint32_t events) {
  return (short)(((events & SF_POLL_READABLE) != 0 ? POLLIN : 0) |
                 ((events & SF_POLL_WRITABLE) != 0 ? POLLOUT : 0));
}

int32_t sf__check_poll(struct sf_engine *engine, const struct sf_submission *submission,
                       const struct sf_handle *handle, struct sf_draft *draft) {
  (void)engine;
  (void)handle;
  (void)draft;
  const uint32_t events = submission->argument;
  return events == 0 || (events & ~(uint32_t)EVENTS) != 0 ? -SF_EINVAL : SF_STARTED;
}

/* The result is the system's, as io_uring's is. */
int32_t sf__call_poll(const struct sf_call *call) {
  struct pollfd fd = { .fd = call->fd, .events = sf__poll_to_os(call->argument) };
  const int ready = poll(&fd, 1, 0);
  if (ready < 0) return sf__error(errno);
  return ready == 0 ? -SF_EAGAIN : fd.revents;
}

int32_t sf__finish_poll(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  (void)engine;
  (void)op;
  if (result < 0) return result;
  if ((result & POLLNVAL) != 0) return -SF_EBADF;
  return ((result & POLLIN) != 0 ? SF_POLL_READABLE : 0) |
         ((result & POLLOUT) != 0 ? SF_POLL_WRITABLE : 0) |
         ((result & POLLERR) != 0 ? SF_POLL_ERROR : 0) |
         ((result & POLLHUP) != 0 ? SF_POLL_HANG_UP : 0);
}
