#define _GNU_SOURCE
#include "engine/doorbell.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "engine/os-errno.h"
#include "engine/platform.h"

/* A pipe, also where there are eventfds: io_uring polls it, and tells its own eventfd. Of an eventfd that it
 * polled, Linux 6.18 told it the first time only. */
int32_t sf__doorbell_open(struct sf_doorbell *out) {
  int ends[2];
  if (sf__os_pipe(ends, true) < 0) return sf__error(errno);
  *out = (struct sf_doorbell){ .fd = ends[0], .ring_fd = ends[1] };
  return 0;
}

void sf__doorbell_ring(const struct sf_doorbell *doorbell) {
  const uint64_t one = 1;
  /* EAGAIN: it is full, so it is readable. */
  if (write(doorbell->ring_fd, &one, sizeof(one)) < 0) assert(errno == EAGAIN);
}

void sf__doorbell_quiet(const struct sf_doorbell *doorbell) {
  uint64_t rings[64];
  ssize_t bytes;
  do {
    bytes = read(doorbell->fd, rings, sizeof(rings));
    assert(bytes > 0 || errno == EAGAIN);
  } while (bytes == (ssize_t)sizeof(rings));
}

void sf__doorbell_close(const struct sf_doorbell *doorbell) {
  close(doorbell->fd);
  close(doorbell->ring_fd);
}
