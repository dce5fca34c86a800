#define _GNU_SOURCE
#include "engine/doorbell.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "engine/os-errno.h"
#include "engine/platform.h"

#ifdef SF_LINUX
#include <sys/eventfd.h>

int32_t sf__doorbell_open(struct sf_doorbell *out) {
  out->fd = out->ring_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return out->fd < 0 ? sf__error(errno) : 0;
}

#else

int32_t sf__doorbell_open(struct sf_doorbell *out) {
  int ends[2];
  if (sf__os_pipe(ends, true) < 0) return sf__error(errno);
  *out = (struct sf_doorbell){ .fd = ends[0], .ring_fd = ends[1] };
  return 0;
}

#endif

void sf__doorbell_ring(const struct sf_doorbell *doorbell) {
  const uint64_t one = 1;
  /* EAGAIN: it is full, so it is readable. */
  if (write(doorbell->ring_fd, &one, sizeof(one)) < 0) assert(errno == EAGAIN);
}

void sf__doorbell_quiet(const struct sf_doorbell *doorbell) {
  uint64_t counts[64]; /* an eventfd has one; a pipe as many as it was rung */
  ssize_t bytes;
  do {
    bytes = read(doorbell->fd, counts, sizeof(counts));
    assert(bytes > 0 || errno == EAGAIN);
  } while (bytes == (ssize_t)sizeof(counts));
}

void sf__doorbell_close(const struct sf_doorbell *doorbell) {
  close(doorbell->fd);
  if (doorbell->ring_fd != doorbell->fd) close(doorbell->ring_fd);
}
