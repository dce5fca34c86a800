/* uring-file.c - opens files beneath the granted directories. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>

#include "uring.h"

#define OPEN_FLAGS \
  (SF_OPEN_READ | SF_OPEN_WRITE | SF_OPEN_CREATE | SF_OPEN_EXCLUSIVE | SF_OPEN_TRUNCATE | \
   SF_OPEN_APPEND)

/* Returns 0 and sets *out, or a negated errno. */
static int32_t open_how(const struct sf_submission *submission, bool read_only,
                        struct open_how *out) {
  const uint32_t flags = submission->argument;
  const uint32_t changing = SF_OPEN_WRITE | SF_OPEN_CREATE | SF_OPEN_TRUNCATE | SF_OPEN_APPEND;
  if ((flags & ~(uint32_t)OPEN_FLAGS) != 0) return -SF_EINVAL;
  if ((flags & (SF_OPEN_READ | SF_OPEN_WRITE)) == 0) return -SF_EINVAL;
  if (read_only && (flags & changing) != 0) return -SF_EROFS;
  if ((flags & SF_OPEN_WRITE) == 0 && (flags & (SF_OPEN_TRUNCATE | SF_OPEN_APPEND)) != 0) {
    return -SF_EINVAL;
  }
  uint64_t os_flags = O_CLOEXEC | O_NOCTTY;
  if ((flags & SF_OPEN_WRITE) != 0) os_flags |= (flags & SF_OPEN_READ) != 0 ? O_RDWR : O_WRONLY;
  if ((flags & SF_OPEN_CREATE) != 0) os_flags |= O_CREAT;
  if ((flags & SF_OPEN_CREATE) != 0 && (flags & SF_OPEN_EXCLUSIVE) != 0) os_flags |= O_EXCL;
  if ((flags & SF_OPEN_TRUNCATE) != 0) os_flags |= O_TRUNC;
  if ((flags & SF_OPEN_APPEND) != 0) os_flags |= O_APPEND;
  *out = (struct open_how){
    .flags = os_flags,
    /* Permission bits alone: a guest makes no set-user-ID program. */
    .mode = (flags & SF_OPEN_CREATE) != 0 ? submission->mode & 0777 : 0,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  return 0;
}

int32_t uring__start_open(struct uring *uring, const struct sf_submission *submission) {
  struct open_how how;
  const char *rest;
  uint32_t place;
  uint32_t index;
  int32_t err;

  const size_t bytes = submission->length;
  const void *source = sf__guest_range(&uring->base.guest, submission->pointer, bytes);
  if (source == NULL) return -SF_EFAULT;
  if (bytes == 0) return -SF_ENOENT;
  if (bytes > SF_PATH_MAX) return -SF_ENAMETOOLONG;

  struct {
    struct open_how how;
    char path[];
  } *arguments = uring__scratch(uring, sizeof(*arguments) + bytes + 1);
  if (arguments == NULL) return -SF_EAGAIN;
  memcpy(arguments->path, source, bytes);
  arguments->path[bytes] = '\0';
  if (memchr(arguments->path, '\0', bytes) != NULL) return -SF_EINVAL;

  const struct sf_directory *directory =
    sf__grants_find(&uring->base.grants, arguments->path, &rest);
  if (directory == NULL) return -SF_ENOTCAPABLE;
  err = open_how(submission, directory->read_only, &how);
  if (err < 0) return err;
  arguments->how = how;
  err = sf__handles_reserve(&uring->base.handles, &place);
  if (err < 0) return err;

  err = uring__add(uring, submission, &index);
  if (err < 0) goto fail_add;
  struct io_uring_sqe *sqe = uring__issue(uring, index, IORING_OP_OPENAT2, directory->fd);
  if (sqe == NULL) {
    err = -SF_EAGAIN;
    goto fail_issue;
  }
  uring->ops.items[index].handle = place;
  sqe->addr = (uint64_t)(uintptr_t)rest;
  sqe->len = sizeof(how);
  sqe->off = (uint64_t)(uintptr_t)&arguments->how;
  return URING_STARTED;

fail_issue:
  uring__remove(uring, index);
fail_add:
  sf__handles_release(&uring->base.handles, place);
  return err;
}
