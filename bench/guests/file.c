/* file.c - the guest of the file scenarios: `depth` tasks, each of which reads blocks at random places. */
#include <stackful.h>
#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define BLOCK_BYTES 4096
#define PATH "/data/blocks"

/* Where read number `index` goes; bench/file-data.ts has the same function. */
static uint32_t block_of(uint32_t index, uint32_t blocks) {
  uint32_t mixed = index * 2654435761u;
  mixed ^= mixed >> 15;
  mixed *= 2246822519u;
  mixed ^= mixed >> 13;
  return mixed % blocks;
}

struct work {
  sf_handle_t file;
  uint32_t blocks;
  uint32_t reads;
  uint32_t next;
  uint32_t sum;
  int32_t error;
};

static int32_t read_blocks(void *argument) {
  struct work *work = argument;
  _Alignas(16) char buffer[BLOCK_BYTES];
  while (work->next < work->reads) {
    const uint32_t block = block_of(work->next++, work->blocks);
    const int32_t count = sf_pread(work->file, buffer, BLOCK_BYTES, (int64_t)block * BLOCK_BYTES);
    if (count != BLOCK_BYTES) {
      work->error = count < 0 ? count : -SF_EIO;
      return 0;
    }
    work->sum += *(uint32_t *)buffer;
  }
  return 0;
}

/* Returns the sum of the first words of all blocks that were read, or an error. */
EXPORT(random_reads) int64_t random_reads(int32_t depth, int32_t reads, int32_t blocks) {
  static const struct sf_spawn_options options = { .stack_bytes = 8192 };
  struct work work = { .blocks = (uint32_t)blocks, .reads = (uint32_t)reads };
  work.file = sf_open(PATH, sizeof(PATH) - 1, SF_OPEN_READ, 0);
  if (work.file < 0) return work.file;
  struct sf_group group;
  sf_group_init(&group, 0, 0);
  for (int32_t i = 0; i < depth && work.error == 0; i++)
    work.error = sf_group_spawn(&group, read_blocks, &work, &options, NULL);
  sf_group_wait(&group);
  sf_close(work.file);
  return work.error < 0 ? work.error : (int64_t)work.sum;
}
