/* file.c - opens files beneath the granted directories; fsync, close. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls/beneath.h"
#include "calls/calls.h"
#include "engine/os-errno.h"

#define OPEN_FLAGS \
  (SF_OPEN_READ | SF_OPEN_WRITE | SF_OPEN_CREATE | SF_OPEN_EXCLUSIVE | SF_OPEN_TRUNCATE | \
   SF_OPEN_APPEND)

/* Sets flags and mode. Returns 0 or a negated sf_errno. */
static int32_t open_how(const struct sf_submission *submission, bool read_only,
                        struct sf_path *out) {
  const uint32_t flags = submission->argument;
  const uint32_t changing = SF_OPEN_WRITE | SF_OPEN_CREATE | SF_OPEN_TRUNCATE | SF_OPEN_APPEND;
  if ((flags & ~(uint32_t)OPEN_FLAGS) != 0) return -SF_EINVAL;
  if ((flags & (SF_OPEN_READ | SF_OPEN_WRITE)) == 0) return -SF_EINVAL;
  if (read_only && (flags & changing) != 0) return -SF_EROFS;
  if ((flags & SF_OPEN_WRITE) == 0 && (flags & (SF_OPEN_TRUNCATE | SF_OPEN_APPEND)) != 0) {
    return -SF_EINVAL;
  }
  int os_flags = O_CLOEXEC | O_NOCTTY;
  if ((flags & SF_OPEN_WRITE) != 0) os_flags |= (flags & SF_OPEN_READ) != 0 ? O_RDWR : O_WRONLY;
  if ((flags & SF_OPEN_CREATE) != 0) os_flags |= O_CREAT;
  if ((flags & SF_OPEN_CREATE) != 0 && (flags & SF_OPEN_EXCLUSIVE) != 0) os_flags |= O_EXCL;
  if ((flags & SF_OPEN_TRUNCATE) != 0) os_flags |= O_TRUNC;
  if ((flags & SF_OPEN_APPEND) != 0) os_flags |= O_APPEND;
  out->flags = os_flags;
  /* Permission bits alone: a guest makes no set-user-ID program. */
  out->mode = (flags & SF_OPEN_CREATE) != 0 ? submission->mode & 0777 : 0;
  return 0;
}

int32_t sf__check_open(struct sf_engine *engine, const struct sf_submission *submission,
                       const struct sf_handle *handle, struct sf_draft *draft) {
  (void)handle;
  const size_t bytes = submission->length;
  const void *source = sf__guest_range(&engine->base.guest, submission->pointer, bytes);
  if (source == NULL) return -SF_EFAULT;
  if (bytes == 0) return -SF_ENOENT;
  if (bytes > SF_PATH_MAX) return -SF_ENAMETOOLONG;

  int32_t err;
  struct sf_path *path = malloc(sizeof(*path) + bytes + 1);
  if (path == NULL) return -SF_ENOMEM;
  memcpy(path->text, source, bytes);
  path->text[bytes] = '\0';
  err = -SF_EINVAL;
  if (memchr(path->text, '\0', bytes) != NULL) goto fail;
  err = -SF_ENOTCAPABLE;
  const struct sf_directory *directory =
    sf__grants_find(&engine->base.grants, path->text, &path->rest);
  if (directory == NULL) goto fail;
  err = open_how(submission, directory->read_only, path);
  if (err < 0) goto fail;
  path->directory = directory->fd;
  draft->kept = path;
  return SF_STARTED;

fail:
  free(path);
  return err;
}

int32_t sf__call_open(const struct sf_call *call) {
  const struct sf_path *path = call->kept;
  /* Not to wait for the other end of a pipe, which could be opened no further than that anyway. */
  const int flags = path->flags | O_NONBLOCK;
  const int fd = sf__open_beneath(path->directory, path->rest, flags, path->mode);
  if (fd < 0) return sf__error(errno);
  /* Of what can be set at all, the one that was wanted. */
  fcntl(fd, F_SETFL, path->flags & O_APPEND);
  return fd;
}

int32_t sf__finish_open(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  struct stat status;
  (void)engine;
  (void)op;
  /* What the system says when a path leaves its directory. */
  if (result == -SF_EXDEV) return -SF_ENOTCAPABLE;
  if (result < 0) return result;
  /* Not a pipe or a socket: writing to one can raise SIGPIPE, which would end the process. */
  if (fstat(result, &status) < 0 || S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) {
    close(result);
    return -SF_ENOTSUP;
  }
  return result;
}

int32_t sf__check_nothing(struct sf_engine *engine, const struct sf_submission *submission,
                          const struct sf_handle *handle, struct sf_draft *draft) {
  (void)engine;
  (void)submission;
  (void)handle;
  (void)draft;
  return SF_STARTED;
}

int32_t sf__call_fsync(const struct sf_call *call) {
  return fsync(call->fd) < 0 ? sf__error(errno) : 0;
}

int32_t sf__call_close(const struct sf_call *call) {
  return close(call->fd) < 0 ? sf__error(errno) : 0;
}
