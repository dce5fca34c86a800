/* file-read.c - random reads on io_uring, as one writes them by hand: the ring is kept full, completions
 * are reaped in batches, and one system call submits and waits. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "uring/ring.h"

#define BLOCK_BYTES 4096
#define DEPTH_MAX 1024

static uint32_t block_of(uint32_t index, uint32_t blocks) {
  uint32_t mixed = index * 2654435761u;
  mixed ^= mixed >> 15;
  mixed *= 2246822519u;
  mixed ^= mixed >> 13;
  return mixed % blocks;
}

static void read_block(struct sf_ring *ring, int file, uint32_t slot, uint8_t *buffers,
                       uint32_t block) {
  struct io_uring_sqe *sqe = sf__ring_sqe(ring);
  sqe->opcode = IORING_OP_READ;
  sqe->fd = file;
  sqe->addr = (uint64_t)(uintptr_t)(buffers + (size_t)slot * BLOCK_BYTES);
  sqe->len = BLOCK_BYTES;
  sqe->off = (uint64_t)block * BLOCK_BYTES;
  sqe->user_data = slot;
}

/* Returns 0, or a negated errno. */
static int run(struct sf_ring *ring, int file, uint8_t *buffers, uint32_t depth, uint32_t reads,
               uint32_t blocks, uint32_t *sum) {
  uint32_t started = 0;
  uint32_t done = 0;
  for (uint32_t slot = 0; slot < depth && started < reads; slot++) {
    read_block(ring, file, slot, buffers, block_of(started++, blocks));
  }
  while (done < reads) {
    const int err = sf__ring_enter(ring, 1000000000);
    if (err < 0) return err;
    const struct io_uring_cqe *cqe;
    while ((cqe = sf__ring_cqe(ring)) != NULL) {
      const uint32_t slot = (uint32_t)cqe->user_data;
      if (cqe->res != BLOCK_BYTES) return cqe->res < 0 ? cqe->res : -5;
      uint32_t word;
      memcpy(&word, buffers + (size_t)slot * BLOCK_BYTES, sizeof(word));
      *sum += word;
      done++;
      sf__ring_seen(ring);
      if (started < reads) read_block(ring, file, slot, buffers, block_of(started++, blocks));
    }
  }
  return 0;
}

int file_read(int argc, char **argv) {
  const uint32_t depth = flag(argc, argv, "--depth=");
  const uint32_t reads = flag(argc, argv, "--reads=");
  const uint32_t blocks = flag(argc, argv, "--blocks=");
  struct sf_ring ring;
  uint32_t sum = 0;
  const int file = open(argv[argc - 1], O_RDONLY | O_CLOEXEC);
  uint8_t *buffers = aligned_alloc(BLOCK_BYTES, (size_t)DEPTH_MAX * BLOCK_BYTES);
  if (file < 0 || buffers == NULL || depth > DEPTH_MAX || sf__ring_open(&ring, DEPTH_MAX) < 0) {
    fprintf(stderr, "file-read: cannot open the file or the ring\n");
    return 1;
  }
  const struct meter meter = meter_start();
  const int err = run(&ring, file, buffers, depth, reads, blocks, &sum);
  if (err < 0) {
    fprintf(stderr, "file-read: %s\n", strerror(-err));
    return 1;
  }
  const struct meter end = meter_end(&meter);
  meter_print(&end, "read", reads, sum, "C, io_uring");
  return 0;
}
