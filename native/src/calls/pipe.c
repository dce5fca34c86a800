/* pipe.c - pipes, and pairs of connected Unix sockets. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
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
#ifdef SF_WINDOWS
  (void)nonblocking;
  if (type == SOCK_STREAM) return sf__win_socket_pair(fds);
  errno = ENOTSUP;
  return -1;
#elif defined(SF_LINUX)
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
