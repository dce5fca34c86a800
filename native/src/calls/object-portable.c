#define _GNU_SOURCE
#include "calls/object.h"
#include "engine/platform.h"

#ifndef SF_LINUX

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/os-errno.h"

/* What the system calls the times of a struct stat. */
#ifdef __APPLE__
#define TIME(status, name) ((status)->st_##name##timespec)
#else
#define TIME(status, name) ((status)->st_##name##tim)
#endif

#define GROUPS_MAX 1024

int32_t sf__object_open(struct sf_object *out, const struct sf_paths *paths) {
  struct stat status;
  out->open = paths->at.text == NULL;
  out->fd = out->open ? paths->at.directory : -1;
  if (out->open) return 0;
  const bool follow = (paths->flags & SF_PATH_NO_FOLLOW) == 0;
  if (sf__walk_to_last(paths->at.directory, paths->at.text, follow, &out->last) < 0) {
    return errno == EXDEV ? -SF_ENOTCAPABLE : sf__error(errno);
  }
  int err = 0;
  if (fstatat(out->last.directory, out->last.name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
    err = errno;
  } else if (out->last.slash && !S_ISDIR(status.st_mode)) {
    err = ENOTDIR;
  }
  if (err == 0) return 0;
  sf__object_close(out);
  return sf__error(err);
}

void sf__object_close(const struct sf_object *object) {
  if (!object->open) close(object->last.directory);
}

static int status_of(const struct sf_object *object, struct stat *out) {
  if (object->open) return fstat(object->fd, out);
  return fstatat(object->last.directory, object->last.name, out, AT_SYMLINK_NOFOLLOW);
}

static int64_t ns_of(struct timespec time) {
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int32_t sf__object_stat(const struct sf_object *object, struct sf_stat *out) {
  struct stat status;
  if (status_of(object, &status) < 0) return sf__error(errno);
  *out = (struct sf_stat){
    .device = (uint64_t)status.st_dev,
    .inode = status.st_ino,
    .bytes = (uint64_t)status.st_size,
    .allocated_bytes = (uint64_t)status.st_blocks * 512,
    .accessed_ns = ns_of(TIME(&status, a)),
    .modified_ns = ns_of(TIME(&status, m)),
    .changed_ns = ns_of(TIME(&status, c)),
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__)
    .created_ns = ns_of(status.st_birthtimespec),
#endif
    .kind = sf__kind_of(status.st_mode),
    .mode = status.st_mode & 07777,
    .links = status.st_nlink,
    .user = status.st_uid,
    .group = status.st_gid,
    .block_bytes = (uint32_t)status.st_blksize,
  };
  return 0;
}

static bool in_group(gid_t group) {
  gid_t groups[GROUPS_MAX];
  if (getgid() == group) return true;
  const int count = getgroups(GROUPS_MAX, groups);
  for (int i = 0; i < count; i++) {
    if (groups[i] == group) return true;
  }
  return false;
}

/* There is no call for what is open: by the permission bits. */
static int32_t access_open(int fd, uint32_t access) {
  struct stat status;
  if (fstat(fd, &status) < 0) return sf__error(errno);
  const mode_t mode = status.st_mode;
  uint32_t may = mode & 7;
  if (getuid() == 0) {
    may = 6 | ((mode & 0111) != 0 || S_ISDIR(mode) ? 1 : 0);
  } else if (getuid() == status.st_uid) {
    may = mode >> 6 & 7;
  } else if (in_group(status.st_gid)) {
    may = mode >> 3 & 7;
  }
  return (access & ~may) == 0 ? 0 : -SF_EACCES;
}

int32_t sf__object_access(const struct sf_object *object, uint32_t access) {
  if (object->open) return access_open(object->fd, access);
  const struct sf_last *last = &object->last;
  const int result = faccessat(last->directory, last->name, (int)access, AT_SYMLINK_NOFOLLOW);
  return result < 0 ? sf__error(errno) : 0;
}

int32_t sf__object_chmod(const struct sf_object *object, mode_t mode) {
  struct stat status;
  if (object->open) return fchmod(object->fd, mode) < 0 ? sf__error(errno) : 0;
  if (status_of(object, &status) < 0) return sf__error(errno);
  if (S_ISLNK(status.st_mode)) return -SF_ENOTSUP;
  const struct sf_last *last = &object->last;
  const int result = fchmodat(last->directory, last->name, mode, AT_SYMLINK_NOFOLLOW);
  return result < 0 ? sf__error(errno) : 0;
}

int32_t sf__object_set_times(const struct sf_object *object, const struct timespec times[2]) {
  const struct sf_last *last = &object->last;
  const int result = object->open
                       ? futimens(object->fd, times)
                       : utimensat(last->directory, last->name, times, AT_SYMLINK_NOFOLLOW);
  return result < 0 ? sf__error(errno) : 0;
}

int32_t sf__object_chown(const struct sf_object *object, uint32_t user, uint32_t group) {
  const struct sf_last *last = &object->last;
  const int result =
    object->open ? fchown(object->fd, user, group)
                 : fchownat(last->directory, last->name, user, group, AT_SYMLINK_NOFOLLOW);
  return result < 0 ? sf__error(errno) : 0;
}

#endif
