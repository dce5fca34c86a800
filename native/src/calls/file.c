/* file.c - opens files and directories beneath the granted ones; fsync, close. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls/beneath.h"
#include "calls/calls.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

#define WRITING (SF_OPEN_WRITE | SF_OPEN_CREATE | SF_OPEN_TRUNCATE | SF_OPEN_APPEND)
#define FLAGS \
  (SF_OPEN_READ | WRITING | SF_OPEN_EXCLUSIVE | SF_OPEN_DIRECTORY | SF_OPEN_NO_FOLLOW | \
   SF_OPEN_SYNC | SF_OPEN_TEMPORARY)
/* What goes with each of these. */
#define OF_DIRECTORIES (SF_OPEN_READ | SF_OPEN_DIRECTORY | SF_OPEN_NO_FOLLOW)
#define OF_TEMPORARIES \
  (SF_OPEN_READ | SF_OPEN_WRITE | SF_OPEN_APPEND | SF_OPEN_SYNC | SF_OPEN_TEMPORARY)

static bool has(uint32_t flags, uint32_t flag) {
  return (flags & flag) != 0;
}

/* Whether the flags make sense together. */
static bool agree(uint32_t flags) {
  if (has(flags, ~(uint32_t)FLAGS) || !has(flags, SF_OPEN_READ | SF_OPEN_WRITE)) return false;
  if (!has(flags, SF_OPEN_WRITE) &&
      has(flags, SF_OPEN_TRUNCATE | SF_OPEN_APPEND | SF_OPEN_TEMPORARY)) {
    return false;
  }
  if (has(flags, SF_OPEN_DIRECTORY)) return !has(flags, ~(uint32_t)OF_DIRECTORIES);
  return !has(flags, SF_OPEN_TEMPORARY) || !has(flags, ~(uint32_t)OF_TEMPORARIES);
}

static int os_flags(uint32_t flags) {
  int out = O_CLOEXEC | O_NOCTTY;
  if (has(flags, SF_OPEN_WRITE)) out |= has(flags, SF_OPEN_READ) ? O_RDWR : O_WRONLY;
  if (has(flags, SF_OPEN_CREATE)) out |= O_CREAT;
  if (has(flags, SF_OPEN_CREATE) && has(flags, SF_OPEN_EXCLUSIVE)) out |= O_EXCL;
  if (has(flags, SF_OPEN_TRUNCATE)) out |= O_TRUNC;
  if (has(flags, SF_OPEN_APPEND)) out |= O_APPEND;
  if (has(flags, SF_OPEN_DIRECTORY)) out |= O_DIRECTORY;
  if (has(flags, SF_OPEN_NO_FOLLOW)) out |= O_NOFOLLOW;
  if (has(flags, SF_OPEN_SYNC)) out |= O_SYNC;
  return out;
}

int32_t sf__check_open(struct sf_engine *engine, const struct sf_submission *submission,
                       const struct sf_handle *handle, struct sf_draft *draft) {
  const uint32_t flags = submission->argument;
  struct sf_path *path;
  int32_t err =
    sf__read_path(engine, handle, submission->pointer, submission->length, &path);
  if (err < 0) return err;
  err = -SF_EINVAL;
  if (!agree(flags)) goto fail;
  err = -SF_EROFS;
  if (path->read_only && has(flags, WRITING)) goto fail;
  path->flags = os_flags(flags);
  path->temporary = has(flags, SF_OPEN_TEMPORARY);
  /* Permission bits alone: a guest makes no set-user-ID program. */
  path->mode = has(flags, SF_OPEN_CREATE | SF_OPEN_TEMPORARY) ? submission->mode & 0777 : 0;
  draft->kept = path;
  return SF_STARTED;

fail:
  free(path);
  return err;
}

int32_t sf__call_open(const struct sf_call *call) {
  const struct sf_path *path = call->kept;
#ifdef SF_LINUX
  if (call->step != 0) return sf__call_open_fifo(call);
#endif
  /* Not to wait here for the other end of a pipe: see fifo.c. */
  const int flags = path->flags | O_NONBLOCK;
  const int fd = path->temporary
                   ? sf__open_unnamed(path->directory, path->rest, flags, path->mode)
                   : sf__open_beneath(path->directory, path->rest, flags, path->mode);
  return fd < 0 ? sf__error(errno) : fd;
}

/* A pipe or a terminal: it waits, so it is a stream. */
static bool is_stream(int fd, mode_t mode) {
#ifdef SF_LINUX
  if (S_ISFIFO(mode)) return true;
#endif
  return S_ISCHR(mode) && sf__os_tells(fd);
}

int32_t sf__finish_open(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  struct stat status;
  /* What the system says when a path leaves its directory. */
  if (result == -SF_EXDEV) return -SF_ENOTCAPABLE;
  if (result < 0) return result;
  const bool known = fstat(result, &status) == 0;
  const bool stream = known && is_stream(result, status.st_mode);
  if (!known || (S_ISFIFO(status.st_mode) && !stream) || S_ISSOCK(status.st_mode)) {
    close(result);
    return -SF_ENOTSUP;
  }
  const struct sf_path *path = op->kept;
  struct sf_handle *place = &engine->base.handles.items[op->opens];
  place->read_only = path->read_only;
  if (S_ISDIR(status.st_mode)) place->becomes = SF_HANDLE_DIRECTORY;
  if (stream) {
    place->becomes = SF_HANDLE_STREAM;
    place->pipe = place->polled = true;
  }
  /* Of what can be set at all, what was wanted. */
  fcntl(result, F_SETFL, (path->flags & O_APPEND) | (stream ? O_NONBLOCK : 0));
  return result;
}

int32_t sf__check_fsync(struct sf_engine *engine, const struct sf_submission *submission,
                        const struct sf_handle *handle, struct sf_draft *draft) {
  (void)engine;
  (void)handle;
  (void)draft;
  return submission->argument > SF_SYNC_DATA ? -SF_EINVAL : SF_STARTED;
}

int32_t sf__call_fsync(const struct sf_call *call) {
  const bool data = call->argument == SF_SYNC_DATA;
  return sf__os_sync(call->fd, data) < 0 ? sf__error(errno) : 0;
}

int32_t sf__call_close(const struct sf_call *call) {
  return close(call->fd) < 0 ? sf__error(errno) : 0;
}
