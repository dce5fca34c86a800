/* object-linux.c - objects by descriptors that give no access, and calls that take them. */
#define _GNU_SOURCE
#include "engine/platform.h"

#ifdef SF_LINUX

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "calls/object.h"
#include "engine/os-errno.h"

/* From 6.6 on, the same number everywhere; older headers do not know it. */
#define FCHMODAT2 452

_Static_assert(SF_ACCESS_READ == R_OK && SF_ACCESS_WRITE == W_OK && SF_ACCESS_EXECUTE == X_OK,
               "as access(2)");

int32_t sf__object_find(struct sf_object *out, const struct sf_paths *paths) {
  out->named = false;
  out->open = paths->at.text == NULL;
  const int no_follow = (paths->flags & SF_PATH_NO_FOLLOW) != 0 ? O_NOFOLLOW : 0;
  out->fd = out->open ? paths->at.directory : sf__place_open(&paths->at, O_PATH | no_follow);
  return out->fd < 0 ? out->fd : 0;
}

void sf__object_release(const struct sf_object *object) {
  if (!object->open) close(object->fd);
}

static int64_t ns_of(struct statx_timestamp time) {
  return time.tv_sec * 1000000000 + time.tv_nsec;
}

int32_t sf__object_stat(const struct sf_object *object, struct sf_stat *out) {
  struct statx status;
  const unsigned wanted = STATX_BASIC_STATS | STATX_BTIME;
  /* Not by the C library, which may not know it: musl's does from 1.2.5 on. */
  const long result = syscall(SYS_statx, object->fd, "", AT_EMPTY_PATH, wanted, &status);
  if (result < 0) return sf__error(errno);
  *out = (struct sf_stat){
    .device = makedev(status.stx_dev_major, status.stx_dev_minor),
    .inode = status.stx_ino,
    .bytes = status.stx_size,
    .allocated_bytes = status.stx_blocks * 512,
    .accessed_ns = ns_of(status.stx_atime),
    .modified_ns = ns_of(status.stx_mtime),
    .changed_ns = ns_of(status.stx_ctime),
    .created_ns = (status.stx_mask & STATX_BTIME) != 0 ? ns_of(status.stx_btime) : 0,
    .kind = sf__file_kind(status.stx_mode),
    .mode = status.stx_mode & 07777,
    .links = status.stx_nlink,
    .user = status.stx_uid,
    .group = status.stx_gid,
    .block_bytes = status.stx_blksize,
  };
  return 0;
}

/* Where what is open has a path, for kernels without a call that takes the descriptor. */
static const char *path_of(int fd, char path[32]) {
  snprintf(path, 32, "/proc/self/fd/%d", fd);
  return path;
}

int32_t sf__object_access(const struct sf_object *object, uint32_t access) {
  char path[32];
  long result = syscall(SYS_faccessat2, object->fd, "", access, AT_EMPTY_PATH);
  if (result < 0 && errno == ENOSYS) {
    result = faccessat(AT_FDCWD, path_of(object->fd, path), (int)access, 0);
  }
  return result < 0 ? sf__error(errno) : 0;
}

int32_t sf__object_chmod(const struct sf_object *object, uint32_t mode) {
  const int fd = object->fd;
  struct stat status;
  char path[32];
  long result = object->open ? fchmod(fd, mode) : fstat(fd, &status);
  if (!object->open && result == 0) {
    if (S_ISLNK(status.st_mode)) return -SF_ENOTSUP;
    result = syscall(FCHMODAT2, fd, "", mode, AT_EMPTY_PATH);
    if (result < 0 && errno == ENOSYS) result = chmod(path_of(fd, path), mode);
  }
  return result < 0 ? sf__error(errno) : 0;
}

int32_t sf__object_times(const struct sf_object *object, const struct timespec times[2]) {
  const int result = object->open ? futimens(object->fd, times)
                                  : utimensat(object->fd, "", times, AT_EMPTY_PATH);
  return result < 0 ? sf__error(errno) : 0;
}

int32_t sf__object_chown(const struct sf_object *object, uint32_t user, uint32_t group) {
  return fchownat(object->fd, "", user, group, AT_EMPTY_PATH) < 0 ? sf__error(errno) : 0;
}

#endif
