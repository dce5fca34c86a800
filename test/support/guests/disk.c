/* disk.c - files of numbered bytes on a disk that has too little room. */
#include "law.h"
#include "numbered.h"

#define FILES 4
#define CHUNK_BYTES 65536

struct file {
  uint32_t number;
  uint32_t seed;
  sf_handle_t handle;
  uint32_t bytes; /* that were written, by what the writes returned */
  int32_t error;
};

static struct file files[FILES];

static int32_t name_of(uint32_t number, char name[16]) {
  memcpy(name, "/data/file-0", 12);
  name[11] = (char)('0' + number);
  return 12;
}

static sf_handle_t file_open(uint32_t number, uint32_t flags) {
  char name[16];
  const int32_t bytes = name_of(number, name);
  return sf_open(name, (uint32_t)bytes, flags, 0644);
}

/* Appends to the file until there is no room for a single byte. */
static int32_t file_fill(void *argument) {
  struct file *file = argument;
  uint8_t *buffer = malloc(CHUNK_BYTES);
  if (buffer == NULL) return -SF_ENOMEM;
  uint32_t most = CHUNK_BYTES;
  for (;;) {
    const uint32_t bytes = 1 + random_next(&file->seed) % most;
    numbered_fill(file->number, file->bytes, buffer, bytes);
    const int32_t count = random_next(&file->seed) % 2 == 0
                              ? sf_write(file->handle, buffer, bytes)
                              : sf_pwrite(file->handle, buffer, bytes, file->bytes);
    if (count > 0) {
      file->bytes += (uint32_t)count;
      int64_t position;
      file->error = sf_seek(file->handle, file->bytes, SF_SEEK_START, &position);
      if (file->error == 0) continue;
    } else {
      file->error = count;
    }
    if (file->error != -SF_ENOSPC || bytes == 1) break;
    most = bytes / 2 + 1;
  }
  free(buffer);
  return 0;
}

static int32_t fill_all(void) {
  sf_task_t tasks[FILES];
  for (uint32_t i = 0; i < FILES; i++) {
    const struct sf_spawn_options options = {.stack_bytes = 16384};
    CHECK(sf_spawn(file_fill, &files[i], &options, &tasks[i]) == 0);
  }
  for (uint32_t i = 0; i < FILES; i++) CHECK_JOIN(tasks[i], 0);
  for (uint32_t i = 0; i < FILES; i++) CHECK(files[i].error == -SF_ENOSPC);
  return 0;
}

/* The file holds what its writes said, and nothing else. */
static int32_t file_check(const struct file *file) {
  uint8_t *buffer = malloc(CHUNK_BYTES);
  CHECK(buffer != NULL);
  uint32_t done = 0;
  int32_t count;
  while ((count = sf_pread(file->handle, buffer, CHUNK_BYTES, done)) > 0) {
    CHECK(numbered_mismatch(file->number, done, buffer, (uint32_t)count) == (uint32_t)count);
    done += (uint32_t)count;
  }
  free(buffer);
  CHECK(count == 0);
  CHECK(done == file->bytes);
  return 0;
}

/* Everything that needs room says that there is none, and harms nothing. */
static int32_t refusals(void) {
  const int32_t allocated = sf_allocate(files[0].handle, files[0].bytes, 1 << 20);
  CHECK(allocated == -SF_ENOSPC || allocated == -SF_ENOSYS);
  const sf_handle_t other = file_open(FILES, SF_OPEN_READ | SF_OPEN_WRITE | SF_OPEN_CREATE);
  CHECK(other >= 0 || other == -SF_ENOSPC);
  if (other < 0) return 0;
  const int32_t copied = sf_copy(files[0].handle, 0, other, 0, files[0].bytes);
  CHECK(copied == -SF_ENOSPC);
  CHECK(sf_fsync(other) == 0);
  CHECK(sf_close(other) == 0);
  char name[16];
  CHECK(sf_unlink_at(SF_GRANTED, name, (uint32_t)name_of(FILES, name)) == 0);
  return 0;
}

static int32_t file_remove(struct file *file) {
  char name[16];
  CHECK(sf_close(file->handle) == 0);
  CHECK(sf_unlink_at(SF_GRANTED, name, (uint32_t)name_of(file->number, name)) == 0);
  return 0;
}

/* Fills the disk, and once more after each file but one has gone. `bytes_out` gets what was written. */
LAW(disk)(uint32_t seed, uint32_t *bytes_out) {
  for (uint32_t i = 0; i < FILES; i++) {
    files[i] = (struct file){.number = i, .seed = seed + i};
    files[i].handle = file_open(i, SF_OPEN_READ | SF_OPEN_WRITE | SF_OPEN_CREATE);
    CHECK(files[i].handle >= 0);
  }
  CHECK_LINE(fill_all());
  for (uint32_t i = 0; i < FILES; i++) CHECK_LINE(file_check(&files[i]));
  CHECK_LINE(refusals());
  for (uint32_t i = 0; i < FILES; i++) {
    CHECK(sf_fsync(files[i].handle) == 0);
    CHECK_LINE(file_check(&files[i]));
    *bytes_out += files[i].bytes;
  }
  for (uint32_t i = 0; i < FILES - 1; i++) {
    struct file *last = &files[FILES - 1];
    const uint32_t before = last->bytes;
    CHECK_LINE(file_remove(&files[i]));
    CHECK(file_fill(last) == 0);
    CHECK(last->error == -SF_ENOSPC);
    CHECK(last->bytes > before);
    CHECK_LINE(file_check(last));
    *bytes_out += last->bytes - before;
  }
  return file_remove(&files[FILES - 1]);
}

uint32_t *EXPORT(counter_new)(void) { return calloc(1, sizeof(uint32_t)); }
