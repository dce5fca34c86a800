/* pipe-signal.c - writes to pipes that nobody reads, without the signal. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "calls/calls.h"
#include "engine/os-errno.h"

#ifdef F_SETNOSIGPIPE

int32_t sf__write_pipe(int fd, const struct iovec *parts, int count) {
  fcntl(fd, F_SETNOSIGPIPE, 1);
  const ssize_t bytes = writev(fd, parts, count);
  return bytes < 0 ? sf__error(errno) : (int32_t)bytes;
}

#else

/* Takes the signal back that a write has raised for this thread, which blocks it. */
static void take_pipe_signal(const sigset_t *pipe_signal) {
#ifdef __OpenBSD__ /* which has no sigtimedwait */
  int taken;
  sigset_t pending;
  sigpending(&pending);
  if (sigismember(&pending, SIGPIPE)) sigwait(pipe_signal, &taken);
#else
  const struct timespec at_once = { 0 };
  while (sigtimedwait(pipe_signal, NULL, &at_once) < 0 && errno == EINTR) {
  }
#endif
}

int32_t sf__write_pipe(int fd, const struct iovec *parts, int count) {
  sigset_t pipe_signal;
  sigset_t pending;
  sigset_t before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  /* One that is pending already is somebody else's. */
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t bytes = writev(fd, parts, count);
  const int32_t result = bytes < 0 ? sf__error(errno) : (int32_t)bytes;
  if (result == -SF_EPIPE && !sigismember(&pending, SIGPIPE)) take_pipe_signal(&pipe_signal);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return result;
}

#endif
