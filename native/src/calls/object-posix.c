/* object-posix.c - objects by their names in an open directory. A link at the end of a path is read here, and
 * what it says is walked beneath the directory like the rest, so that the system follows none. */
#define _GNU_SOURCE
#include "engine/platform.h"

#ifndef SF_LINUX

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls/object.h"
#include "engine/os-errno.h"

#define LINKS_MAX 40

#ifdef __APPLE__
#define TIME_OF(status, which) (status).st_##which##timespec
#else
#define TIME_OF(status, which) (status).st_##which##tim
#endif

/* Replaces the last name of `text` by what a link says. */
static int32_t put_target(char text[SF_PATH_MAX + 1], const char *target, size_t bytes) {
  size_t end = strlen(text);
  while (end > 0 && text[end - 1] == '/') end--;
  const size_t slash = text[end] == '/' ? 1 : 0;
  while (end > 0 && text[end - 1] != '/') end--;
  if (bytes == 0) return -SF_ENOENT;
  if (target[0] == '/') return -SF_ENOTCAPABLE;
  if (end + bytes + slash > SF_PATH_MAX) return -SF_ENAMETOOLONG;
  memcpy(text + end, target, bytes);
  memcpy(text + end + bytes, "/", slash);
  text[end + bytes + slash] = '\0';
  return 0;
}

int32_t sf__object_find(struct sf_object *out, const struct sf_paths *paths) {
  const bool follows = (paths->flags & SF_PATH_NO_FOLLOW) == 0;
  char text[SF_PATH_MAX + 1];
  char target[SF_PATH_MAX + 1];
  struct sf_place place = paths->at;
  out->open = place.text == NULL;
  out->named = !out->open;
  out->fd = place.directory;
  if (out->open) return 0;
  memcpy(text, place.text, strlen(place.text) + 1);
  place.text = text;
  for (uint32_t links = 0; links <= LINKS_MAX; links++) {
    struct sf_name *name = &out->parent;
    int32_t err = sf__name_open(name, &place);
    if (err < 0) return err;
    out->fd = name->directory;
    /* The directory that the path was found to be. */
    if (name->dots) memcpy(name->text, ".", 2);
    const bool asks = !name->dots && (follows || name->slash);
    const ssize_t bytes =
      asks ? readlinkat(name->directory, name->text, target, sizeof(target) - 1) : -1;
    if (bytes < 0) {
      if (asks && errno != EINVAL) {
        err = sf__error(errno);
      } else {
        const int32_t is = name->slash && !name->dots ? sf__name_is_directory(name) : 1;
        if (is == 1) return 0;
        err = is < 0 ? is : -SF_ENOTDIR;
      }
    } else {
      err = put_target(text, target, (size_t)bytes);
    }
    sf__name_close(name);
    if (err < 0) return err;
  }
  return -SF_ELOOP;
}

void sf__object_release(const struct sf_object *object) {
  if (object->named) sf__name_close(&object->parent);
}

static int32_t look(const struct sf_object *object, struct stat *out) {
  const int result = object->named
                       ? fstatat(object->fd, object->parent.text, out, AT_SYMLINK_NOFOLLOW)
                       : fstat(object->fd, out);
  return result < 0 ? sf__error(errno) : 0;
}

static int64_t ns_of(struct timespec time) {
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int32_t sf__object_stat(const struct sf_object *object, struct sf_stat *out) {
  struct stat status;
  const int32_t err = look(object, &status);
  if (err < 0) return err;
  *out = (struct sf_stat){
    .device = (uint64_t)status.st_dev,
    .inode = status.st_ino,
    .bytes = (uint64_t)status.st_size,
    .allocated_bytes = (uint64_t)status.st_blocks * 512,
    .accessed_ns = ns_of(TIME_OF(status, a)),
    .modified_ns = ns_of(TIME_OF(status, m)),
    .changed_ns = ns_of(TIME_OF(status, c)),
#if defined(__OpenBSD__)
    .created_ns = ns_of(status.__st_birthtim),
#elif !defined(__linux__)
    .created_ns = ns_of(TIME_OF(status, birth)),
#endif
    .kind = sf__file_kind(status.st_mode),
    .mode = status.st_mode & 07777,
    .links = (uint32_t)status.st_nlink,
    .user = status.st_uid,
    .group = status.st_gid,
    .block_bytes = (uint32_t)status.st_blksize,
  };
  return 0;
}

#ifdef SF_WINDOWS

/* There are lists of who may what instead. What is left is a mark that keeps everybody from writing. */
int32_t sf__object_access(const struct sf_object *object, uint32_t access) {
  struct stat status;
  const int32_t err = look(object, &status);
  if (err < 0 || S_ISLNK(status.st_mode) || S_ISDIR(status.st_mode)) return err;
  return (access & SF_ACCESS_WRITE) != 0 && (status.st_mode & 0222) == 0 ? -SF_EACCES : 0;
}

int32_t sf__object_chmod(const struct sf_object *object, uint32_t mode) {
  struct stat status;
  const int32_t err = look(object, &status);
  if (err < 0) return err;
  if (S_ISLNK(status.st_mode)) return -SF_ENOTSUP;
  /* Of a directory the mark means something else. */
  if (S_ISDIR(status.st_mode)) return 0;
  const char *name = object->named ? object->parent.text : NULL;
  return sf__win_chmodat(object->fd, name, mode) < 0 ? sf__error(errno) : 0;
}

/* STAT tells 0 of all: whoever is another has no number. */
int32_t sf__object_chown(const struct sf_object *object, uint32_t user, uint32_t group) {
  struct stat status;
  const int32_t err = look(object, &status);
  if (err < 0) return err;
  const bool keeps = (user == 0 || user == SF_ID_KEEP) && (group == 0 || group == SF_ID_KEEP);
  return keeps ? 0 : -SF_EPERM;
}

#else

int32_t sf__object_access(const struct sf_object *object, uint32_t access) {
  struct stat status;
  /* The user's own bits, for what has no name to ask by; and nobody needs any for a link. */
  const int32_t err = look(object, &status);
  if (err < 0 || S_ISLNK(status.st_mode)) return err;
  if (!object->named) {
    const uint32_t shift = status.st_uid == geteuid() ? 6 : status.st_gid == getegid() ? 3 : 0;
    return (access & ~((uint32_t)status.st_mode >> shift)) != 0 ? -SF_EACCES : 0;
  }
  const char *name = object->parent.text;
  return faccessat(object->fd, name, (int)access, AT_SYMLINK_NOFOLLOW) < 0 ? sf__error(errno) : 0;
}

int32_t sf__object_chmod(const struct sf_object *object, uint32_t mode) {
  struct stat status;
  const int32_t err = look(object, &status);
  if (err < 0) return err;
  if (S_ISLNK(status.st_mode)) return -SF_ENOTSUP;
  const int result =
    object->named
      ? fchmodat(object->fd, object->parent.text, (mode_t)mode, AT_SYMLINK_NOFOLLOW)
      : fchmod(object->fd, (mode_t)mode);
  return result < 0 ? sf__error(errno) : 0;
}

int32_t sf__object_chown(const struct sf_object *object, uint32_t user, uint32_t group) {
  const int result =
    object->named
      ? fchownat(object->fd, object->parent.text, user, group, AT_SYMLINK_NOFOLLOW)
      : fchown(object->fd, user, group);
  return result < 0 ? sf__error(errno) : 0;
}

#endif

int32_t sf__object_times(const struct sf_object *object, const struct timespec times[2]) {
  const int result =
    object->named ? utimensat(object->fd, object->parent.text, times, AT_SYMLINK_NOFOLLOW)
                  : futimens(object->fd, times);
  return result < 0 ? sf__error(errno) : 0;
}

#endif
