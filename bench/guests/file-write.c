/* file-write.c - writes small files, `depth` at once, each synced before it is closed. */
#include <stackful.h>
#include <stackful/fs.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define BLOCK_BYTES 4096

static struct {
  uint32_t files;
  uint32_t next;
} work;

/* "/data/written/file-7" */
static uint32_t name_of(uint32_t index, char *name) {
  char digits[12];
  uint32_t count = 0, bytes = 19;
  memcpy(name, "/data/written/file-", bytes);
  do digits[count++] = (char)('0' + index % 10);
  while ((index /= 10) > 0);
  while (count > 0) name[bytes++] = digits[--count];
  return bytes;
}

static int32_t write_one(uint32_t index, const char *block) {
  char name[40];
  const uint32_t flags = SF_OPEN_WRITE | SF_OPEN_CREATE | SF_OPEN_TRUNCATE;
  const sf_handle_t file = sf_open(name, name_of(index, name), flags, 0644);
  if (file < 0) return file;
  int32_t error = sf_write_all(file, block, BLOCK_BYTES);
  if (error == 0) error = sf_fsync(file);
  sf_close(file);
  return error;
}

static int32_t write_some(void *argument) {
  _Alignas(16) char block[BLOCK_BYTES] = { 0 };
  int32_t error = 0;
  (void)argument;
  while (error == 0 && work.next < work.files) {
    const uint32_t index = work.next++;
    /* bench/file-data.ts has the same rule: a block begins with its word. */
    const uint32_t word = (index + 1) * 2654435761u;
    memcpy(block, &word, sizeof(word));
    error = write_one(index, block);
  }
  return error;
}

/* Returns 0, or an error. */
EXPORT(write_files) int32_t write_files(int32_t depth, int32_t files) {
  struct sf_group group;
  int32_t error = 0;
  work.files = (uint32_t)files;
  work.next = 0;
  sf_group_init(&group, 0, SF_GROUP_FAIL_FAST);
  for (int32_t i = 0; i < depth && error == 0; i++)
    error = sf_group_spawn(&group, write_some, NULL, NULL, NULL);
  const int32_t ended = sf_group_wait(&group);
  return error < 0 ? error : ended;
}
