/* fifo.c - opening a pipe that has a name waits until somebody has opened its other end: by asking again and
 * again, with growing pauses. open(2) would hold a thread until then, and the other end may be opened by
 * another task, which needs one. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls/beneath.h"
#include "calls/calls.h"
#include "engine/os-errno.h"
#include "engine/platform.h"
#include "engine/pool.h"

#ifdef SF_LINUX

static bool reads_only(const struct sf_path *path) {
  return (path->flags & O_ACCMODE) == O_RDONLY;
}

static bool is_fifo(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* What the second step waits with: a pipe's end to read from, or a descriptor that only names a pipe which
 * nobody reads from yet. -1: there is nothing to wait for. */
static int waits_with(const struct sf_path *path, int32_t result) {
  if (result >= 0) return reads_only(path) && is_fifo(result) ? result : -1;
  if (result != -SF_ENXIO) return -1;
  const int flags = O_PATH | O_CLOEXEC | (path->flags & O_NOFOLLOW);
  const int fd = sf__open_beneath(path->directory, path->rest, flags, 0);
  if (fd < 0 || is_fifo(fd)) return fd;
  close(fd);
  return -1;
}

int32_t sf__next_open(const struct sf_engine *engine, struct sf_op *op, int32_t result) {
  const struct sf_path *path = op->kept;
  (void)engine;
  if (op->step != 0 || path->temporary) return result;
  const int fd = waits_with(path, result);
  if (fd < 0) return result;
  op->other_fd = fd;
  if (op->canceled) return -SF_ECANCELED;
  op->step = 1;
  return SF_STARTED;
}

/* Whether somebody has opened the other end since this one was. */
static bool has_writer(int fd) {
  struct pollfd at = { .fd = fd, .events = POLLIN };
  int scratch[2];
  /* There are bytes, or it has left already. */
  if (poll(&at, 1, 0) > 0) return true;
  if (sf__os_pipe(scratch, true) < 0) return false;
  /* Takes nothing out. Of an empty pipe: 0 when nobody writes to it, EAGAIN when somebody may. */
  const bool has = tee(fd, scratch[1], 1, SPLICE_F_NONBLOCK) != 0;
  close(scratch[0]);
  close(scratch[1]);
  return has;
}

int32_t sf__call_open_fifo(const struct sf_call *call) {
  const struct sf_path *path = call->kept;
  char again[32];
  int fd;
  if (reads_only(path)) {
    if (!has_writer(call->other_fd)) return SF_JOB_LATER;
    fd = fcntl(call->other_fd, F_DUPFD_CLOEXEC, 0);
  } else {
    snprintf(again, sizeof(again), "/proc/self/fd/%d", call->other_fd);
    fd = open(again, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENXIO) return SF_JOB_LATER;
  }
  return fd < 0 ? sf__error(errno) : fd;
}

#endif
