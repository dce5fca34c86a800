/* names.c - operations on names: made, removed, moved, and what a link says. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls/place.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

#ifdef SF_LINUX
#include <sys/syscall.h>
#endif

static int32_t result_of(int returned) {
  return returned < 0 ? sf__error(errno) : 0;
}

/* What is said of a name with a slash behind it, where only one that no directory has is of use. */
static int32_t of_slash(const struct sf_name *name, int32_t directory) {
  const int32_t is = sf__name_is_directory(name);
  if (is < 0) return is;
  return is == 1 ? directory : -SF_ENOTDIR;
}

/* Why nothing can be made at a name, or 0. */
static int32_t refuse_new(const struct sf_name *name) {
  if (name->dots) return -SF_EEXIST;
  if (!name->slash) return 0;
  const int32_t is = sf__name_is_directory(name);
  return is < 0 ? is : -SF_EEXIST;
}

static int32_t unlink_name(const struct sf_name *name) {
  if (name->dots) return -SF_EISDIR;
  if (name->slash) return of_slash(name, -SF_EISDIR);
  return result_of(unlinkat(name->directory, name->text, 0));
}

int32_t sf__call_unlink(const struct sf_call *call) {
  const struct sf_paths *paths = call->kept;
  struct sf_name name;
  int32_t result = sf__name_open(&name, &paths->at);
  if (result < 0) return result;
  if (call->opcode == SF_OP_UNLINK) {
    result = unlink_name(&name);
  } else {
    /* A root of the guest's stays. */
    result = name.dots ? -SF_EBUSY
                       : result_of(unlinkat(name.directory, name.text, AT_REMOVEDIR));
  }
  sf__name_close(&name);
  return result;
}

int32_t sf__call_mkdir(const struct sf_call *call) {
  const struct sf_paths *paths = call->kept;
  struct sf_name name;
  int32_t result = sf__name_open(&name, &paths->at);
  if (result < 0) return result;
  result = name.dots ? -SF_EEXIST
                     : result_of(mkdirat(name.directory, name.text, paths->mode & 0777));
  sf__name_close(&name);
  return result;
}

int32_t sf__call_symlink(const struct sf_call *call) {
  const struct sf_paths *paths = call->kept;
  struct sf_name name;
  int32_t result = sf__name_open(&name, &paths->other);
  if (result < 0) return result;
  result = refuse_new(&name);
  if (result == 0) result = result_of(symlinkat(paths->link, name.directory, name.text));
  sf__name_close(&name);
  return result;
}

int32_t sf__call_readlink(const struct sf_call *call) {
  const struct sf_paths *paths = call->kept;
  struct sf_name name;
  int32_t result = sf__name_open(&name, &paths->at);
  if (result < 0) return result;
  if (name.dots) {
    result = -SF_EINVAL;
  } else if (name.slash) {
    /* It follows a link, and what is behind that is none. */
    const int fd = result = sf__place_open(&paths->at, O_RDONLY | O_DIRECTORY);
    if (fd >= 0) {
      close(fd);
      result = -SF_EINVAL;
    }
  } else {
    const ssize_t bytes =
      readlinkat(name.directory, name.text, paths->link, paths->out_bytes);
    result = bytes < 0 ? sf__error(errno) : (int32_t)bytes;
  }
  sf__name_close(&name);
  return result;
}

/* A file that is open gets a name. */
static int32_t link_open(int fd, const struct sf_name *to) {
  struct stat status;
  if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) return -SF_EPERM;
#ifdef SF_LINUX
  char path[32];
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  return result_of(linkat(AT_FDCWD, path, to->directory, to->text, AT_SYMLINK_FOLLOW));
#else
  (void)to;
  return -SF_ENOTSUP;
#endif
}

int32_t sf__call_link(const struct sf_call *call) {
  const struct sf_paths *paths = call->kept;
  struct sf_name from;
  struct sf_name to;
  const bool open = paths->at.text == NULL;
  int32_t result = open ? 0 : sf__name_open(&from, &paths->at);
  if (result < 0) return result;
  result = sf__name_open(&to, &paths->other);
  if (result < 0) goto fail_to;

  result = open ? 0 : from.dots ? -SF_EPERM : from.slash ? of_slash(&from, -SF_EPERM) : 0;
  if (result == 0) result = refuse_new(&to);
  if (result == 0) {
    result = open ? link_open(paths->at.directory, &to)
                  : result_of(linkat(from.directory, from.text, to.directory, to.text, 0));
  }
  sf__name_close(&to);
fail_to:
  if (!open) sf__name_close(&from);
  return result;
}

static int32_t rename_name(const struct sf_name *from, const struct sf_name *to, uint32_t how) {
  if (from->dots || to->dots) return -SF_EBUSY;
  const bool exchange = how == SF_RENAME_EXCHANGE;
  int32_t is = 1;
  if (from->slash || (to->slash && !exchange)) is = sf__name_is_directory(from);
  if (is == 1 && to->slash && exchange) is = sf__name_is_directory(to);
  if (is != 1) return is < 0 ? is : -SF_ENOTDIR;
  if (how == SF_RENAME_REPLACE) {
    return result_of(renameat(from->directory, from->text, to->directory, to->text));
  }
#ifdef SF_LINUX
  _Static_assert(SF_RENAME_NO_REPLACE == 1 && SF_RENAME_EXCHANGE == 2, "as RENAME_NOREPLACE, …");
  return result_of((int)syscall(SYS_renameat2, from->directory, from->text, to->directory, to->text,
                                how));
#elif defined(SF_WINDOWS)
  if (exchange) return -SF_ENOTSUP;
  return result_of(sf__os_rename_new(from->directory, from->text, to->directory, to->text));
#elif defined(__APPLE__)
  return result_of(renameatx_np(from->directory, from->text, to->directory, to->text,
                                exchange ? RENAME_SWAP : RENAME_EXCL));
#else
  return -SF_ENOTSUP;
#endif
}

int32_t sf__call_rename(const struct sf_call *call) {
  const struct sf_paths *paths = call->kept;
  struct sf_name from;
  struct sf_name to;
  int32_t result = sf__name_open(&from, &paths->at);
  if (result < 0) return result;
  result = sf__name_open(&to, &paths->other);
  if (result == 0) {
    result = rename_name(&from, &to, paths->argument);
    sf__name_close(&to);
  }
  sf__name_close(&from);
  return result;
}
