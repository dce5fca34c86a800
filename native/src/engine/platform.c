#define _GNU_SOURCE
#include "engine/platform.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif
#ifndef SF_LINUX
#include <sys/event.h>
#endif

#ifdef SF_LINUX

int sf__os_socket(int family, int type, int protocol, bool nonblocking) {
  return socket(family, type | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), protocol);
}

int sf__os_accept(int fd, struct sockaddr *address, socklen_t *bytes, bool nonblocking) {
  return accept4(fd, address, bytes, SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0));
}

int sf__os_pipe(int ends[2], bool nonblocking) {
  return pipe2(ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0));
}

int sf__os_exit_descriptor(pid_t pid) {
  return (int)syscall(SYS_pidfd_open, pid, 0);
}

#else

int sf__os_exit_descriptor(pid_t pid) {
  struct kevent event;
  const int fd = kqueue();
  if (fd < 0) return -1;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  EV_SET(&event, pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
  if (kevent(fd, &event, 1, NULL, 0, NULL) == 0) return fd;
  const int err = errno;
  close(fd);
  errno = err;
  /* Some do not watch what has ended already: readable for ever is a pipe that nobody writes to. */
  int ends[2];
  if (err != ESRCH || sf__os_pipe(ends, false) < 0) return -1;
  close(ends[1]);
  return ends[0];
}

/* Not in one step: a process that is started in between inherits the descriptor. */
static int prepare(int fd, bool socket, bool nonblocking) {
  if (fd < 0) return -1;
#ifdef SO_NOSIGPIPE
  const int on = 1;
  if (socket) setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#else
  (void)socket;
#endif
  const int flags = fcntl(fd, F_GETFL);
  const int wanted = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (flags >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, wanted) == 0)
    return fd;
  const int err = errno;
  close(fd);
  errno = err;
  return -1;
}

int sf__os_socket(int family, int type, int protocol, bool nonblocking) {
  return prepare(socket(family, type, protocol), true, nonblocking);
}

int sf__os_accept(int fd, struct sockaddr *address, socklen_t *bytes, bool nonblocking) {
  return prepare(accept(fd, address, bytes), true, nonblocking);
}

int sf__os_pipe(int ends[2], bool nonblocking) {
  if (pipe(ends) < 0) return -1;
  const int first = prepare(ends[0], false, nonblocking);
  const int second = prepare(ends[1], false, nonblocking);
  if (first >= 0 && second >= 0) return 0;
  const int err = errno;
  if (first >= 0) close(first);
  if (second >= 0) close(second);
  errno = err;
  return -1;
}

#endif

int64_t sf__os_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#ifdef __APPLE__

int sf__os_sync(int fd, bool data) {
  (void)data;
  /* Not every file system knows it. */
  return fcntl(fd, F_FULLFSYNC) < 0 ? fsync(fd) : 0;
}

#else

int sf__os_sync(int fd, bool data) {
  return data ? fdatasync(fd) : fsync(fd);
}

#endif

/* Where a system cannot close all at once, those above are not looked for: whatever opens descriptors here
 * has them closed by exec anyhow. */
#define DESCRIPTORS_MAX 65536

int sf__os_descriptors_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > DESCRIPTORS_MAX) return DESCRIPTORS_MAX;
  return (int)limit.rlim_cur;
}

void sf__os_close_from(int first, int limit) {
#if defined(__linux__) && defined(SYS_close_range)
  if (syscall(SYS_close_range, first, ~0u, 0) == 0) return;
#elif defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__)
  closefrom(first);
  return;
#endif
  for (int fd = first; fd < limit; fd++) close(fd);
}
