/* pipe.c - pipes, and pairs of connected Unix sockets. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "calls/calls.h"
#include "engine/mechanism.h"
#include "engine/os-errno.h"
#include "engine/platform.h"


/* Takes the places of two handles. Returns 0 or a negated sf_errno. */
static int32_t reserve(struct sf_handles *handles, uint32_t places[2]) {
  int32_t err = sf__handles_reserve(handles, &places[0]);
  if (err < 0) return err;
  err = sf__handles_reserve(handles, &places[1]);
  if (err < 0) sf__handles_release(handles, places[0]);
  return err;
}

static void release(struct sf_handles *handles, const uint32_t places[2]) {
  sf__handles_release(handles, places[0]);
  sf__handles_release(handles, places[1]);
}

/* Makes both descriptors handles and tells them to the guest, at `out`. */
static int32_t tell(struct sf_engine *engine, void *out, const uint32_t places[2],
                    enum sf_handle_kind kind, const int fds[2]) {
  int32_t ends[2];
  for (int i = 0; i < 2; i++) {
    ends[i] = sf__handles_open(&engine->base.handles, places[i], kind, fds[i]);
  }
  memcpy(out, ends, sizeof(ends));
  return 0;
}

static int make_pair(int type, bool nonblocking, int fds[2]) {
#ifdef SF_LINUX
  return socketpair(AF_UNIX, type | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0, fds);
#else
  if (socketpair(AF_UNIX, type, 0, fds) < 0) return -1;
  for (int i = 0; i < 2; i++) {
    fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    if (nonblocking) fcntl(fds[i], F_SETFL, O_NONBLOCK);
#ifdef SO_NOSIGPIPE
    const int on = 1;
    setsockopt(fds[i], SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
  }
  return 0;
#endif
}

int32_t sf__pipe(struct sf_engine *engine, const struct sf_submission *submission,
                 struct sf_handle *handle) {
  struct sf_handles *handles = &engine->base.handles;
  uint32_t places[2];
  int fds[2];
  (void)handle;
  void *out = sf__guest_range(&engine->base.guest, submission->pointer, sizeof(int32_t[2]));
  if (out == NULL) return -SF_EFAULT;
  int32_t err = reserve(handles, places);
  if (err < 0) return err;
  engine->base.system_calls++;
  if (sf__os_pipe(fds, true) < 0) {
    err = sf__error(errno);
    release(handles, places);
    return err;
  }
  for (int i = 0; i < 2; i++) {
    handles->items[places[i]].pipe = true;
    handles->items[places[i]].polled = true;
  }
  return tell(engine, out, places, SF_HANDLE_STREAM, fds);
}

int32_t sf__socket_pair(struct sf_engine *engine, const struct sf_submission *submission,
                        struct sf_handle *handle) {
  struct sf_handles *handles = &engine->base.handles;
  uint32_t places[2];
  int fds[2];
  (void)handle;
  if (submission->argument > SF_SOCKET_DATAGRAM) return -SF_EINVAL;
  const bool stream = submission->argument == SF_SOCKET_STREAM;
  void *out = sf__guest_range(&engine->base.guest, submission->pointer, sizeof(int32_t[2]));
  if (out == NULL) return -SF_EFAULT;
  int32_t err = reserve(handles, places);
  if (err < 0) return err;
  engine->base.system_calls++;
  const int type = stream ? SOCK_STREAM : SOCK_DGRAM;
  if (make_pair(type, engine->mechanism->nonblocking, fds) < 0) {
    err = sf__error(errno);
    release(handles, places);
    return err;
  }
  for (int i = 0; i < 2; i++) handles->items[places[i]].connected = true;
  return tell(engine, out, places, stream ? SF_HANDLE_STREAM : SF_HANDLE_UDP, fds);
}

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
