/* stdio.c - the host's own streams. Other programs use the same ones, so they stay as they are: a pipe or a
 * terminal is opened once more, a socket is asked not to wait each time. Where neither can be, calls are made
 * when there is something to do, on a thread of the pool (transfer.c). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "calls/calls.h"
#include "engine/os-errno.h"
#include "engine/platform.h"
#ifdef SF_WINDOWS
#include "windows/open.h"
#endif

#ifdef SF_WINDOWS

/* The same: all are used by threads. */
static int32_t describe(int fd, struct sf_handle *handle, int *own) {
  struct stat status;
  *own = sf__win_stream(fd);
  if (*own < 0) return sf__error(errno);
  if (fstat(*own, &status) == 0 && S_ISREG(status.st_mode)) return 0;
  handle->becomes = SF_HANDLE_STREAM;
  handle->pipe = handle->shared = true;
  return 0;
}

#else

/* How the descriptor behind the handle is used; sets *own to it. Returns 0 or a negated sf_errno. */
static int32_t describe(int fd, struct sf_handle *handle, int *own) {
  struct stat status;
  if (fstat(fd, &status) < 0) return sf__error(errno);
  *own = -1;
  const mode_t kind = status.st_mode & S_IFMT;
  const bool waits = kind == S_IFCHR ? sf__os_tells(fd)
                                     : kind != S_IFREG && kind != S_IFDIR && kind != S_IFBLK;
  if (waits) {
    handle->becomes = SF_HANDLE_STREAM;
    handle->pipe = kind != S_IFSOCK;
    if (handle->pipe) *own = sf__os_open_again(fd);
    handle->polled = *own >= 0;
    handle->shared = *own < 0;
  }
  if (*own < 0) *own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return *own < 0 ? sf__error(errno) : 0;
}

#endif

int32_t sf__stdio(struct sf_engine *engine, const struct sf_submission *submission,
                  struct sf_handle *handle) {
  struct sf_handles *handles = &engine->base.handles;
  const uint32_t number = submission->argument;
  uint32_t place;
  int fd = -1;
  (void)handle;
  if (number >= SF_STREAMS) return -SF_EINVAL;
  const struct sf_stream *stream = &engine->base.grants.stdio[number];
  if (!stream->granted) return -SF_ENOTCAPABLE;
  int32_t err = sf__handles_reserve(handles, &place);
  if (err < 0) return err;
  struct sf_handle *made = &handles->items[place];
  made->becomes = SF_HANDLE_FILE;
  engine->base.system_calls++;
  err = describe(stream->fd, made, &fd);
  if (err < 0) {
    sf__handles_release(handles, place);
    return err;
  }
  made->stdio = number == 0 ? SF_STDIO_INPUT : SF_STDIO_OUTPUT;
  return sf__handles_open(handles, place, made->becomes, fd);
}
