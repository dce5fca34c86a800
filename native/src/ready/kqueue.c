/* kqueue.c - macOS and the BSDs. The kqueue itself is wake_fd: it is readable while something it watches
 * is ready. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/event.h>
#include <time.h>
#include <unistd.h>

#include "engine/os-errno.h"
#include "ready/ready.h"

static int32_t change(struct ready *ready, const struct kevent *changes, int count) {
  return kevent(ready->poll_fd, changes, count, NULL, 0, NULL) < 0 ? sf__error(errno) : 0;
}

static int32_t kqueue_watch_always(struct ready *ready, int fd) {
  struct kevent event;
  EV_SET(&event, fd, EVFILT_READ, EV_ADD, 0, 0, NULL);
  return change(ready, &event, 1);
}

static int32_t kqueue_open(struct ready *ready) {
  const int fd = kqueue();
  if (fd < 0) return sf__error(errno);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  ready->poll_fd = ready->engine.base.wake_fd = fd;
  const int32_t err = kqueue_watch_always(ready, ready->doorbell.fd);
  if (err < 0) close(fd);
  return err;
}

static void kqueue_close(struct ready *ready) {
  close(ready->poll_fd);
}

/* How a filter is watched: once; or, for an end alone, each time something changes, most of which says
 * nothing of an end. Telling once of that would tell again and again. */
static unsigned short flags_for(uint8_t mask, uint8_t wanted) {
  return (mask & wanted) != 0 ? EV_ADD | EV_ONESHOT : EV_ADD | EV_CLEAR;
}

/* One filter is told of at a time: what was watched before and did not tell goes on as it is. */
static int32_t kqueue_watch(struct ready *ready, int fd, uint8_t mask) {
  const struct ready_fd *at = &ready->fds[fd];
  struct kevent read, write;
  void *generation = (void *)(uintptr_t)at->generation;
  const bool reads = (mask & (READY_READABLE | READY_ENDED)) != 0;
  const bool writes = (mask & (READY_WRITABLE | READY_ENDED)) != 0;
  EV_SET(&read, fd, EVFILT_READ, flags_for(mask, READY_READABLE), 0, 0, generation);
  EV_SET(&write, fd, EVFILT_WRITE, flags_for(mask, READY_WRITABLE), 0, 0, generation);
  if (!writes || !reads) {
    ready->engine.base.system_calls++;
    return change(ready, reads ? &read : &write, 1);
  }
  ready->engine.base.system_calls += 2;
  const int32_t read_err = change(ready, &read, 1);
  const int32_t write_err = change(ready, &write, 1);
  /* What goes one way has no filter for the other. */
  if ((mask & READY_READABLE) != 0 && read_err < 0) return read_err;
  if ((mask & READY_WRITABLE) != 0 && write_err < 0) return write_err;
  return read_err < 0 && write_err < 0 ? read_err : 0;
}

/* What has told, or was never watched, is not there: each on its own. */
static void kqueue_release(struct ready *ready, int fd) {
  static const short filters[] = { EVFILT_READ, EVFILT_WRITE };
  for (int i = 0; i < 2; i++) {
    struct kevent event;
    EV_SET(&event, fd, filters[i], EV_DELETE, 0, 0, NULL);
    ready->engine.base.system_calls++;
    change(ready, &event, 1);
  }
}

static void tell(struct ready *ready, const struct kevent *event) {
  const bool ended = (event->flags & EV_EOF) != 0;
  uint8_t mask = ended ? READY_ENDED : 0;
  if ((event->flags & EV_CLEAR) != 0) {
    if (!ended) return;
    mask |= READY_STAYS;
  } else {
    mask |= event->filter == EVFILT_READ ? READY_READABLE : READY_WRITABLE;
  }
  ready__tell(ready, (int)event->ident, (uint32_t)(uintptr_t)event->udata, mask);
}

static int kqueue_look(struct ready *ready, int64_t wait_ns) {
  static const struct timespec at_once;
  struct kevent events[READY_EVENTS];
  if (wait_ns > 0) {
    const int err = ready__wait(ready, wait_ns);
    if (err < 0 || ready->engine.base.host_ready) return err;
  }
  const int room = READY_EVENTS - (int)ready->events_count;
  ready->engine.base.system_calls++;
  const int count = kevent(ready->poll_fd, NULL, 0, events, room, &at_once);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i++) tell(ready, &events[i]);
  return 0;
}

static const struct ready_poller poller = {
  .open = kqueue_open,
  .close = kqueue_close,
  .watch = kqueue_watch,
  .watch_always = kqueue_watch_always,
  .release = kqueue_release,
  .look = kqueue_look,
};

static int32_t open_kqueue(struct sf_engine **out, const struct sf_options *options) {
  (void)options;
  return ready__open(out, &poller);
}

const struct sf_mechanism sf__kqueue = READY_MECHANISM("kqueue", open_kqueue);
