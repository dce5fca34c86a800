/* copy.c - copies files so that a crash never leaves half of one.
 *
 * There is no rename. So a copy is two files: the data, under a name that nobody has used before, and
 * under the final name a commit record, which says where the data is and what it must be. The record
 * is written when the data is on the device, and counts when its own checksum is right:
 *
 *   data "out/f1.3" ── fsync ──▶ record "out/f1" ── fsync ──▶ copied
 *
 * Data that a record may speak of is never written again: an attempt after a failure takes a new name.
 */
#include <stdio.h>

#include "files.h"
#include "frames.h"
#include "report.h"
#include "together.h"

enum kind {
  COPIED = 1, /* file, generation, bytes */
  FAILED = 2, /* file, result, enum phase, attempt */
  SKIPPED = 3, /* file: a copy is there */
};

enum phase { OPENING = 1, COPYING = 2, SYNCING = 3, COMMITTING = 4, CLOSING = 5 };

#define MAGIC UINT32_C(0x79706f63)
#define CHUNK_BYTES 4096
#define GENERATIONS_MAX 64
#define PATH_BYTES 64

struct commit_record {
  uint32_t magic;
  uint32_t generation;
  uint32_t bytes;
  uint32_t sum;      /* of the data, chunk by chunk in any order */
  uint32_t checksum; /* of the fields above */
};

static uint32_t record_checksum(const struct commit_record *record) {
  return checksum(CHECKSUM_START, record, offsetof(struct commit_record, checksum));
}

struct copy {
  uint32_t file;
  uint32_t generation;
  sf_handle_t from, to;
  uint32_t next; /* where the next chunk starts */
  uint32_t bytes;
  uint32_t sum;
  enum phase phase;
};

/* Copies chunks, each at its place, until the source ends. */
static int32_t copy_chunks(void *argument) {
  struct copy *copy = argument;
  uint8_t chunk[CHUNK_BYTES];
  for (;;) {
    uint32_t at = copy->next;
    copy->next += CHUNK_BYTES;
    int32_t count = pread_full(copy->from, chunk, CHUNK_BYTES, at);
    if (count <= 0) return count;
    int32_t error = pwrite_all(copy->to, chunk, (uint32_t)count, at);
    if (error < 0) return error;
    copy->sum += checksum(checksum(CHECKSUM_START, &at, sizeof(at)), chunk, (uint32_t)count);
    if (at + (uint32_t)count > copy->bytes) copy->bytes = at + (uint32_t)count;
    if ((uint32_t)count < CHUNK_BYTES) return 0;
  }
}

/* Three chunks at once. */
SF_PARKS static int32_t copy_data(struct copy *copy) {
  return run_together((sf_entry_fn[]){copy_chunks, copy_chunks, copy_chunks}, 3, copy);
}

SF_PARKS static int32_t commit(const struct copy *copy, const char *path) {
  struct commit_record record = {.magic = MAGIC,
                                 .generation = copy->generation,
                                 .bytes = copy->bytes,
                                 .sum = copy->sum};
  record.checksum = record_checksum(&record);
  sf_handle_t file = open_file(path, SF_OPEN_WRITE | SF_OPEN_CREATE);
  if (file < 0) return file;
  int32_t error = pwrite_all(file, &record, sizeof(record), 0);
  if (error == 0) error = sf_fsync(file);
  sf_close(file);
  return error;
}

/* Opens data under a name that was never used. */
SF_PARKS static sf_handle_t create_data(struct copy *copy) {
  char path[PATH_BYTES];
  for (; copy->generation < GENERATIONS_MAX; copy->generation++) {
    snprintf(path, sizeof(path), "/out/f%u.%u", (unsigned)copy->file, (unsigned)copy->generation);
    sf_handle_t file = open_file(path, SF_OPEN_WRITE | SF_OPEN_CREATE | SF_OPEN_EXCLUSIVE);
    if (file != -SF_EEXIST) return file;
  }
  return -SF_EEXIST;
}

/* One attempt. On failure copy->phase says how far it came. */
SF_PARKS static int32_t copy_once(struct copy *copy) {
  char path[PATH_BYTES];
  snprintf(path, sizeof(path), "/in/f%u", (unsigned)copy->file);
  copy->phase = OPENING;
  copy->next = copy->bytes = copy->sum = 0;
  copy->from = open_file(path, SF_OPEN_READ);
  if (copy->from < 0) return copy->from;
  int32_t result = copy->to = create_data(copy);
  if (result >= 0) {
    copy->phase = COPYING;
    result = copy_data(copy);
    if (result == 0) {
      copy->phase = SYNCING;
      result = sf_fsync(copy->to);
    }
    int32_t closed = sf_close(copy->to);
    if (result == 0 && closed < 0) copy->phase = CLOSING;
    if (result == 0) result = closed;
  }
  sf_close(copy->from);
  if (result < 0) return result;
  copy->phase = COMMITTING;
  snprintf(path, sizeof(path), "/out/f%u", (unsigned)copy->file);
  return commit(copy, path);
}

/* Whether a copy is there under the final name. */
SF_PARKS static int32_t is_committed(uint32_t file) {
  char path[PATH_BYTES];
  struct commit_record record;
  snprintf(path, sizeof(path), "/out/f%u", (unsigned)file);
  sf_handle_t handle = open_file(path, SF_OPEN_READ);
  if (handle < 0) return handle == -SF_ENOENT ? 0 : handle;
  int32_t count = pread_full(handle, &record, sizeof(record), 0);
  sf_close(handle);
  if (count < 0) return count;
  return count == sizeof(record) && record.magic == MAGIC &&
         record.checksum == record_checksum(&record);
}

static uint32_t attempts_max;

static int32_t copy_file(void *argument) {
  struct copy copy = {.file = (uint32_t)(uintptr_t)argument};
  uint32_t place = victim_begin();
  int32_t result = is_committed(copy.file);
  if (result == 1) report(SKIPPED, copy.file, 0, 0, 0, 0);
  for (uint32_t attempt = 1; result != 1 && attempt <= attempts_max; attempt++) {
    result = copy_once(&copy);
    if (result == 0) {
      report(COPIED, copy.file, copy.generation, copy.bytes, 0, 0);
      break;
    }
    report(FAILED, copy.file, (uint32_t)result, copy.phase, attempt, 0);
    if (result == -SF_ECANCELED || sf_sleep(20 * SF_MILLISECOND) < 0) break;
    copy.generation++;
  }
  victim_end(place);
  return result < 0 ? result : 0;
}

/* Copies /in/f0 to /in/f<count - 1>, at most `at_once` at a time. 0, or the first error. */
int32_t EXPORT(copy_all)(uint32_t count, uint32_t at_once, uint32_t attempts) {
  attempts_max = attempts;
  struct sf_group group;
  sf_group_init(&group, at_once, 0);
  const struct sf_spawn_options options = {.stack_bytes = 16384, .name = "file"};
  for (uint32_t file = 0; file < count; file++) {
    int32_t error = sf_group_spawn(&group, copy_file, (void *)(uintptr_t)file, &options, NULL);
    if (error < 0) break;
  }
  return sf_group_wait(&group);
}
