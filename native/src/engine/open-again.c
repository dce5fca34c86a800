/* open-again.c - a description of one's own of what somebody else has open. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/platform.h"

#ifdef SF_LINUX
#include <sys/epoll.h>

bool sf__os_tells(int fd) {
  struct epoll_event event = { .events = EPOLLIN };
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return isatty(fd);
  const bool tells = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
  close(epoll);
  return tells;
}

/* A pipe has no other name. */
static int open_path(int fd, int flags) {
  char path[32];
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  return open(path, flags);
}

#else

bool sf__os_tells(int fd) {
  return isatty(fd);
}

static int open_path(int fd, int flags) {
  char path[128];
  return ttyname_r(fd, path, sizeof(path)) == 0 ? open(path, flags) : -1;
}

#endif

int sf__os_open_again(int fd) {
  struct stat before;
  struct stat after;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fstat(fd, &before) < 0) return -1;
  /* Opening another device can make something new, as it does of the other end of a terminal. */
  if (S_ISCHR(before.st_mode) && (!isatty(fd) || ptsname(fd) != NULL)) return -1;
  const int own = open_path(fd, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (own < 0) return -1;
  if (fstat(own, &after) == 0 && before.st_dev == after.st_dev && before.st_ino == after.st_ino) {
    return own;
  }
  close(own);
  return -1;
}
