/* poll.c - poll(2), for systems that have nothing better. There is no descriptor to watch for the host's
 * event loop, so a thread waits in its place (waiter.c), and rings the doorbell, which is wake_fd. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "ready/ready.h"
#include "ready/waiter.h"

/* Places in `fds` that are always there. */
enum { DOORBELL, JOBS, HOST_LOOP, FIRST };

struct ready_poll {
  struct pollfd *fds; /* owned */
  uint32_t count;
  uint32_t capacity;
  struct waiter *waiter; /* NULL until it is needed */
};

static int32_t poll_open(struct ready *ready) {
  struct ready_poll *poll = calloc(1, sizeof(*poll));
  if (poll == NULL) return -SF_ENOMEM;
  poll->capacity = 64;
  poll->fds = malloc(poll->capacity * sizeof(poll->fds[0]));
  if (poll->fds == NULL) {
    free(poll);
    return -SF_ENOMEM;
  }
  poll->count = FIRST;
  poll->fds[DOORBELL] = (struct pollfd){ .fd = ready->doorbell.fd, .events = POLLIN };
  poll->fds[JOBS] = (struct pollfd){ .fd = -1, .events = POLLIN };
  poll->fds[HOST_LOOP] = (struct pollfd){ .fd = -1, .events = POLLIN };
  ready->poll = poll;
  ready->poll_fd = -1;
  ready->engine.base.wake_fd = ready->doorbell.fd;
  return 0;
}

static void poll_close(struct ready *ready) {
  struct ready_poll *poll = ready->poll;
  if (poll->waiter != NULL) ready__waiter_close(poll->waiter);
  free(poll->fds);
  free(poll);
}

static int32_t poll_watch_always(struct ready *ready, int fd) {
  ready->poll->fds[JOBS].fd = fd;
  return 0;
}

static void take_out(struct ready *ready, uint32_t place) {
  struct ready_poll *poll = ready->poll;
  ready->fds[poll->fds[place].fd].place = 0;
  const uint32_t last = --poll->count;
  if (place == last) return;
  poll->fds[place] = poll->fds[last];
  ready->fds[poll->fds[place].fd].place = place;
}

static void poll_forget(struct ready *ready, int fd) {
  const uint32_t place = ready->fds[fd].place;
  if (place != 0) take_out(ready, place);
}

static int32_t poll_watch(struct ready *ready, int fd, uint8_t mask) {
  struct ready_poll *poll = ready->poll;
  uint32_t place = ready->fds[fd].place;
  if (place == 0) {
    if (poll->count == poll->capacity) {
      const size_t capacity = (size_t)poll->capacity * 2;
      struct pollfd *fds = realloc(poll->fds, capacity * sizeof(fds[0]));
      if (fds == NULL) return -SF_ENOMEM;
      poll->fds = fds;
      poll->capacity = (uint32_t)capacity;
    }
    place = ready->fds[fd].place = poll->count++;
  }
  poll->fds[place] = (struct pollfd){
    .fd = fd,
    .events = (short)(((mask & READY_READABLE) != 0 ? POLLIN : 0) |
                      ((mask & READY_WRITABLE) != 0 ? POLLOUT : 0)),
  };
  return 0;
}

static int poll_look(struct ready *ready, int64_t wait_ns) {
  struct ready_poll *poll = ready->poll;
  poll->fds[HOST_LOOP].fd = wait_ns > 0 ? ready->engine.host_loop_fd : -1;
  ready->engine.base.system_calls++;
  const int count = ready__poll_ns(poll->fds, poll->count, wait_ns);
  if (count <= 0) return count;
  const bool rung = poll->fds[DOORBELL].revents != 0;
  if (poll->fds[HOST_LOOP].fd >= 0 && poll->fds[HOST_LOOP].revents != 0) {
    ready__saw_host(ready, rung);
  }
  if (rung) ready__tell(ready, ready->doorbell.fd, 0, READY_READABLE);
  if (poll->fds[JOBS].revents != 0) ready__tell(ready, ready->jobs_fd, 0, READY_READABLE);
  /* Backwards: what is told once is taken out, and the last comes to its place. */
  for (uint32_t i = poll->count; i-- > FIRST && ready->events_count < READY_EVENTS;) {
    const short what = poll->fds[i].revents;
    if (what == 0) continue;
    const bool ended = (what & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    const uint8_t mask = (ended ? READY_ENDED : 0) |
                         (ended || (what & POLLIN) != 0 ? READY_READABLE : 0) |
                         (ended || (what & POLLOUT) != 0 ? READY_WRITABLE : 0);
    const int fd = poll->fds[i].fd;
    take_out(ready, i);
    ready__tell(ready, fd, ready->fds[fd].generation, mask);
  }
  return 0;
}

static int32_t poll_arm(struct ready *ready) {
  struct ready_poll *poll = ready->poll;
  poll->fds[HOST_LOOP].fd = -1;
  if (poll->count == FIRST && poll->fds[JOBS].fd < 0) return 0; /* there is nothing to wait for */
  if (poll->waiter == NULL) {
    const int32_t err = ready__waiter_open(&poll->waiter, &ready->doorbell);
    if (err < 0) return err;
  }
  ready->engine.base.system_calls++;
  return ready__waiter_start(poll->waiter, poll->fds + JOBS, poll->count - JOBS);
}

static void poll_disarm(struct ready *ready) {
  struct ready_poll *poll = ready->poll;
  if (poll->waiter == NULL) return;
  ready->engine.base.system_calls++;
  ready__waiter_stop(poll->waiter);
}

static const struct ready_poller poller = {
  .open = poll_open,
  .close = poll_close,
  .watch = poll_watch,
  .watch_always = poll_watch_always,
  .forget = poll_forget,
  .look = poll_look,
  .arm = poll_arm,
  .disarm = poll_disarm,
};

static int32_t open_poll(struct sf_engine **out, const struct sf_options *options) {
  (void)options;
  return ready__open(out, &poller);
}

const struct sf_mechanism sf__poll = READY_MECHANISM("poll", open_poll);
