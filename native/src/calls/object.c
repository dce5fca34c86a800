/* object.c - operations on what a path names, or on what is open: stat, access, chmod, chown, times,
 * size. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "calls/place.h"
#include "engine/os-errno.h"

/* From 6.6 on, the same number everywhere; older headers do not know it. */
#define FCHMODAT2 452

_Static_assert(SF_ACCESS_READ == R_OK && SF_ACCESS_WRITE == W_OK && SF_ACCESS_EXECUTE == X_OK,
               "as access(2)");

/* What the place names; *owned: it was opened for that, without access to what is in it. */
static int32_t object_open(const struct sf_paths *paths, bool *owned) {
  *owned = paths->at.text != NULL;
  if (!*owned) return paths->at.directory;
  const int no_follow = (paths->flags & SF_PATH_NO_FOLLOW) != 0 ? O_NOFOLLOW : 0;
  return sf__place_open(&paths->at, O_PATH | no_follow);
}

static uint32_t kind_of(uint32_t mode) {
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

static int64_t ns_of(struct statx_timestamp time) {
  return time.tv_sec * 1000000000 + time.tv_nsec;
}

static int32_t stat_object(int fd, struct sf_stat *out) {
  struct statx status;
  const unsigned wanted = STATX_BASIC_STATS | STATX_BTIME;
  if (statx(fd, "", AT_EMPTY_PATH, wanted, &status) < 0) return sf__error(errno);
  *out = (struct sf_stat){
    .device = makedev(status.stx_dev_major, status.stx_dev_minor),
    .inode = status.stx_ino,
    .bytes = status.stx_size,
    .allocated_bytes = status.stx_blocks * 512,
    .accessed_ns = ns_of(status.stx_atime),
    .modified_ns = ns_of(status.stx_mtime),
    .changed_ns = ns_of(status.stx_ctime),
    .created_ns = (status.stx_mask & STATX_BTIME) != 0 ? ns_of(status.stx_btime) : 0,
    .kind = kind_of(status.stx_mode),
    .mode = status.stx_mode & 07777,
    .links = status.stx_nlink,
    .user = status.stx_uid,
    .group = status.stx_gid,
    .block_bytes = status.stx_blksize,
  };
  return 0;
}

/* The path of what is open, for kernels without a call that takes the descriptor. */
static const char *path_of(int fd, char path[32]) {
  snprintf(path, 32, "/proc/self/fd/%d", fd);
  return path;
}

static int32_t access_object(int fd, uint32_t access) {
  char path[32];
  long result = syscall(SYS_faccessat2, fd, "", access, AT_EMPTY_PATH);
  if (result < 0 && errno == ENOSYS) {
    result = faccessat(AT_FDCWD, path_of(fd, path), (int)access, 0);
  }
  return result < 0 ? sf__error(errno) : 0;
}

/* Permission bits alone: a guest makes no set-user-ID program. */
static int32_t chmod_object(int fd, bool owned, uint32_t wanted) {
  const mode_t mode = wanted & 0777;
  struct stat status;
  char path[32];
  long result = owned ? fstat(fd, &status) : fchmod(fd, mode);
  if (owned && result == 0) {
    if (S_ISLNK(status.st_mode)) return -SF_ENOTSUP;
    result = syscall(FCHMODAT2, fd, "", mode, AT_EMPTY_PATH);
    if (result < 0 && errno == ENOSYS) result = chmod(path_of(fd, path), mode);
  }
  return result < 0 ? sf__error(errno) : 0;
}

static int32_t time_object(int fd, bool owned, const struct timespec times[2]) {
  const int result = owned ? utimensat(fd, "", times, AT_EMPTY_PATH) : futimens(fd, times);
  return result < 0 ? sf__error(errno) : 0;
}

static int32_t chown_object(int fd, uint32_t user, uint32_t group) {
  return fchownat(fd, "", user, group, AT_EMPTY_PATH) < 0 ? sf__error(errno) : 0;
}

int32_t sf__call_object(const struct sf_call *call) {
  struct sf_paths *paths = call->kept;
  bool owned;
  const int fd = object_open(paths, &owned);
  if (fd < 0) return fd;
  int32_t result;
  switch (call->opcode) {
    case SF_OP_STAT:
      result = stat_object(fd, &paths->stat);
      break;
    case SF_OP_ACCESS:
      result = access_object(fd, paths->argument);
      break;
    case SF_OP_CHMOD:
      result = chmod_object(fd, owned, paths->mode);
      break;
    case SF_OP_UTIMES:
      result = time_object(fd, owned, paths->times);
      break;
    default:
      result = chown_object(fd, paths->argument, paths->mode);
      break;
  }
  if (owned) close(fd);
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
