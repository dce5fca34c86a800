#define _GNU_SOURCE
#include "calls/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#ifndef __OpenBSD__ /* whose unistd.h has it */
#include <sys/random.h>
#endif

#include "engine/platform.h"

#ifdef SF_LINUX
#include <linux/openat2.h>
#include <sys/syscall.h>

int sf__open_beneath(int directory, const char *path, int flags, uint32_t mode) {
  const struct open_how how = {
    .flags = (uint64_t)flags,
    .mode = mode,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  for (;;) {
    const long fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
    if (fd >= 0) return (int)fd;
    /* Before 5.6, and in emulators. */
    if (errno == ENOSYS) return sf__open_by_walking(directory, path, flags, mode);
    /* EAGAIN: a rename elsewhere was in the way of seeing that the path stays inside. */
    if (errno != EAGAIN) return -1;
  }
}

#else

int sf__open_beneath(int directory, const char *path, int flags, uint32_t mode) {
  return sf__open_by_walking(directory, path, flags, mode);
}

#endif

/* Where the file system has no files without names: the file loses its own at once. */
static int open_and_unlink(int directory, const char *path, int flags, uint32_t mode) {
  uint64_t random;
  char name[32];
  const int at = sf__open_beneath(directory, path, O_DIRECTORY | O_CLOEXEC, 0);
  if (at < 0) return -1;
  int fd = -1;
  if (getentropy(&random, sizeof(random)) == 0) {
    snprintf(name, sizeof(name), ".stackful-%016llx", (unsigned long long)random);
    fd = openat(at, name, flags | O_CREAT | O_EXCL, mode);
    if (fd >= 0) unlinkat(at, name, 0);
  }
  const int err = errno;
  close(at);
  errno = err;
  return fd;
}

int sf__open_unnamed(int directory, const char *path, int flags, uint32_t mode) {
#ifdef O_TMPFILE
  const int fd = sf__open_beneath(directory, path, flags | O_TMPFILE, mode);
  if (fd >= 0 || errno != EOPNOTSUPP) return fd;
#endif
  return open_and_unlink(directory, path, flags, mode);
}
