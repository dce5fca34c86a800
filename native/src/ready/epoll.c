/* epoll.c - Linux. The epoll itself is wake_fd: it is readable while something it watches is ready. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/os-errno.h"
#include "ready/ready.h"

static int32_t epoll_watch_always(struct ready *ready, int fd) {
  struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint32_t)fd };
  return epoll_ctl(ready->poll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? sf__error(errno) : 0;
}

static int32_t epoll_open(struct ready *ready) {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return sf__error(errno);
  ready->poll_fd = ready->engine.base.wake_fd = fd;
  const int32_t err = epoll_watch_always(ready, ready->doorbell.fd);
  if (err < 0) close(fd);
  return err;
}

static void epoll_close(struct ready *ready) {
  close(ready->poll_fd);
}

static int32_t epoll_watch(struct ready *ready, int fd, uint8_t mask) {
  struct ready_fd *at = &ready->fds[fd];
  struct epoll_event event = {
    .events = EPOLLONESHOT | ((mask & READY_READABLE) != 0 ? EPOLLIN : 0) |
              ((mask & READY_WRITABLE) != 0 ? EPOLLOUT : 0),
    .data.u64 = (uint64_t)at->generation << 32 | (uint32_t)fd,
  };
  ready->engine.base.system_calls++;
  const int what = at->known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  int err = epoll_ctl(ready->poll_fd, what, fd, &event);
  /* A duplicate of what had this number before, which somebody else has open too. */
  if (err < 0 && errno == EEXIST) err = epoll_ctl(ready->poll_fd, EPOLL_CTL_MOD, fd, &event);
  if (err < 0) return sf__error(errno);
  at->known = true;
  return 0;
}

static void epoll_release(struct ready *ready, int fd) {
  if (!ready->fds[fd].known) return;
  ready->engine.base.system_calls++;
  epoll_ctl(ready->poll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int epoll_look(struct ready *ready, int64_t wait_ns) {
  struct epoll_event events[READY_EVENTS];
  if (wait_ns > 0) {
    const int err = ready__wait(ready, wait_ns);
    if (err < 0 || ready->engine.base.host_ready) return err;
  }
  const int room = READY_EVENTS - (int)ready->events_count;
  ready->engine.base.system_calls++;
  const int count = epoll_wait(ready->poll_fd, events, room, 0);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i++) {
    const uint32_t what = events[i].events;
    const bool ended = (what & (EPOLLERR | EPOLLHUP)) != 0;
    const uint8_t mask = (ended ? READY_ENDED : 0) |
                         (ended || (what & EPOLLIN) != 0 ? READY_READABLE : 0) |
                         (ended || (what & EPOLLOUT) != 0 ? READY_WRITABLE : 0);
    ready__tell(ready, (int)(uint32_t)events[i].data.u64, (uint32_t)(events[i].data.u64 >> 32),
                mask);
  }
  return 0;
}

static const struct ready_poller poller = {
  .open = epoll_open,
  .close = epoll_close,
  .watch = epoll_watch,
  .watch_always = epoll_watch_always,
  .release = epoll_release,
  .look = epoll_look,
};

static int32_t open_epoll(struct sf_engine **out, const struct sf_options *options) {
  (void)options;
  return ready__open(out, &poller);
}

const struct sf_mechanism sf__epoll = READY_MECHANISM("epoll", open_epoll);
