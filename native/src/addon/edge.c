#define _GNU_SOURCE
#include "addon/edge.h"

#include "engine/platform.h"

#ifndef SF_WINDOWS

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "engine/os-errno.h"

#ifdef SF_LINUX
#include <sys/epoll.h>

int32_t sf__edge_open(struct sf_edge *out, int fd, int stop_fd) {
  struct epoll_event ready = { .events = EPOLLIN | EPOLLET, .data.u32 = SF_EDGE_READY };
  struct epoll_event stop = { .events = EPOLLIN, .data.u32 = SF_EDGE_STOP };
  const int edge = epoll_create1(EPOLL_CLOEXEC);
  if (edge < 0) return sf__error(errno);
  if (epoll_ctl(edge, EPOLL_CTL_ADD, fd, &ready) < 0 ||
      epoll_ctl(edge, EPOLL_CTL_ADD, stop_fd, &stop) < 0) {
    const int32_t err = sf__error(errno);
    close(edge);
    return err;
  }
  *out = (struct sf_edge){ .fd = fd, .stop_fd = stop_fd, .both_fd = edge };
  return 0;
}

int sf__edge_wait(const struct sf_edge *edge, int timeout_ms) {
  struct epoll_event events[2];
  int what = 0;
  const int count = epoll_wait(edge->both_fd, events, 2, timeout_ms);
  for (int i = 0; i < count; i++) what |= (int)events[i].data.u32;
  return what;
}

#else
#include <sys/event.h>
#include <time.h>

int32_t sf__edge_open(struct sf_edge *out, int fd, int stop_fd) {
  struct kevent changes[2];
  const int edge = kqueue();
  if (edge < 0) return sf__error(errno);
  EV_SET(&changes[0], fd, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0, (void *)SF_EDGE_READY);
  EV_SET(&changes[1], stop_fd, EVFILT_READ, EV_ADD, 0, 0, (void *)SF_EDGE_STOP);
  if (kevent(edge, changes, 2, NULL, 0, NULL) < 0) {
    const int32_t err = sf__error(errno);
    close(edge);
    return err;
  }
  *out = (struct sf_edge){ .fd = fd, .stop_fd = stop_fd, .both_fd = edge };
  return 0;
}

int sf__edge_wait(const struct sf_edge *edge, int timeout_ms) {
  struct kevent events[2];
  const struct timespec timeout = {
    .tv_sec = timeout_ms / 1000,
    .tv_nsec = (long)(timeout_ms % 1000) * 1000000,
  };
  int what = 0;
  const int count = kevent(edge->both_fd, NULL, 0, events, 2, timeout_ms < 0 ? NULL : &timeout);
  for (int i = 0; i < count; i++) what |= (int)(intptr_t)events[i].udata;
  return what;
}

#endif

void sf__edge_close(const struct sf_edge *edge) {
  close(edge->both_fd);
}

#else

int32_t sf__edge_open(struct sf_edge *out, int fd, int stop_fd) {
  *out = (struct sf_edge){ .fd = fd, .stop_fd = stop_fd, .both_fd = -1 };
  return 0;
}

/* These are events, which whoever waits for them makes quiet. */
int sf__edge_wait(const struct sf_edge *edge, int timeout_ms) {
  const HANDLE events[] = { (HANDLE)(intptr_t)edge->stop_fd, (HANDLE)(intptr_t)edge->fd };
  switch (WaitForMultipleObjects(2, events, FALSE, timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms)) {
    case WAIT_OBJECT_0:
      return SF_EDGE_STOP;
    case WAIT_OBJECT_0 + 1:
      return SF_EDGE_READY;
    default:
      return 0;
  }
}

void sf__edge_close(const struct sf_edge *edge) {
  (void)edge;
}

#endif
