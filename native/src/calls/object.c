/* object.c - operations on what a path names, or on what is open: stat, access, chmod, chown, times,
 * size. */
#define _GNU_SOURCE
#include "calls/object.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/os-errno.h"

uint32_t sf__file_kind(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return SF_FILE_REGULAR;
    case S_IFDIR:
      return SF_FILE_DIRECTORY;
    case S_IFLNK:
      return SF_FILE_SYMLINK;
    case S_IFIFO:
      return SF_FILE_PIPE;
    case S_IFSOCK:
      return SF_FILE_SOCKET;
    case S_IFBLK:
      return SF_FILE_BLOCK_DEVICE;
    case S_IFCHR:
      return SF_FILE_CHARACTER_DEVICE;
    default:
      return SF_FILE_UNKNOWN;
  }
}

int32_t sf__call_object(const struct sf_call *call) {
  struct sf_paths *paths = call->kept;
  struct sf_object object;
  int32_t result = sf__object_find(&object, paths);
  if (result < 0) return result;
  switch (call->opcode) {
    case SF_OP_STAT:
      result = sf__object_stat(&object, &paths->stat);
      break;
    case SF_OP_ACCESS:
      result = sf__object_access(&object, paths->argument);
      break;
    case SF_OP_CHMOD:
      /* Permission bits alone: a guest makes no set-user-ID program. */
      result = sf__object_chmod(&object, paths->mode & 0777);
      break;
    case SF_OP_UTIMES:
      result = sf__object_times(&object, paths->times);
      break;
    default:
      result = sf__object_chown(&object, paths->argument, paths->mode);
      break;
  }
  sf__object_release(&object);
  return result;
}

static int32_t truncate_path(const struct sf_paths *paths) {
  struct stat status;
  /* Not to wait for the other end of a pipe. */
  const int fd = sf__place_open(&paths->at, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fd == -SF_ENXIO ? -SF_EINVAL : fd;
  int32_t result = -SF_EINVAL;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
    result = ftruncate(fd, paths->offset) < 0 ? sf__error(errno) : 0;
  }
  close(fd);
  return result;
}

int32_t sf__call_truncate(const struct sf_call *call) {
  const struct sf_paths *paths = call->kept;
  if (paths->at.text != NULL) return truncate_path(paths);
  return ftruncate(paths->at.directory, paths->offset) < 0 ? sf__error(errno) : 0;
}
