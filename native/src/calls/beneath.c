#define _GNU_SOURCE
#include "calls/beneath.h"

#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

int sf__open_beneath(int directory, const char *path, int flags, uint32_t mode) {
  const struct open_how how = {
    .flags = (uint64_t)flags,
    .mode = mode,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  for (;;) {
    const long fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
    /* EAGAIN: a rename elsewhere was in the way of seeing that the path stays inside. */
    if (fd >= 0 || errno != EAGAIN) return (int)fd;
  }
}
