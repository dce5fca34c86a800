/* directory.c - what is in a directory.
 *
 * Where reading goes on, behind the last entry that fitted the guest's buffer, is on Linux the descriptor's
 * own position; elsewhere it is kept with the handle (engine/listing.h).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "calls/calls.h"
#include "engine/listing.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

#define NAME_BYTES_MAX 255

int32_t sf__check_read_directory(struct sf_engine *engine, const struct sf_submission *submission,
                                 const struct sf_handle *handle, struct sf_draft *draft) {
  if (submission->length == 0 || submission->argument > 1) return -SF_EINVAL;
#ifndef SF_LINUX
  const uint32_t place = sf__handles_index(&engine->base.handles, handle);
  if (!sf__listing_open(&engine->base.handles.items[place].listing)) return -SF_ENOMEM;
#endif
  return sf__check_buffer(engine, submission, handle, draft);
}

static uint8_t kind_of(uint8_t type) {
  switch (type) {
    case DT_REG:
      return SF_FILE_REGULAR;
    case DT_DIR:
      return SF_FILE_DIRECTORY;
    case DT_LNK:
      return SF_FILE_SYMLINK;
    case DT_FIFO:
      return SF_FILE_PIPE;
    case DT_SOCK:
      return SF_FILE_SOCKET;
    case DT_BLK:
      return SF_FILE_BLOCK_DEVICE;
    case DT_CHR:
      return SF_FILE_CHARACTER_DEVICE;
    default:
      return SF_FILE_UNKNOWN;
  }
}

/* Not the directory itself, nor the one above it. */
static bool is_told(const char *name) {
  return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strlen(name) <= NAME_BYTES_MAX;
}

/* Adds an entry to `out`. Returns the bytes it took; 0: it does not fit. */
static uint32_t put(uint64_t inode, uint8_t type, const char *name, uint8_t *out, size_t room) {
  const size_t name_bytes = strlen(name);
  const struct sf_directory_entry record = {
    .inode = inode,
    .record_bytes = (uint16_t)((sizeof(record) + name_bytes + 7) & ~(size_t)7),
    .kind = kind_of(type),
    .name_bytes = (uint8_t)name_bytes,
  };
  if (record.record_bytes > room) return 0;
  memset(out, 0, record.record_bytes);
  memcpy(out, &record, sizeof(record));
  memcpy(out + sizeof(record), name, name_bytes);
  return record.record_bytes;
}

#ifdef SF_LINUX

#include <sys/syscall.h>

/* As the system writes them. */
struct os_entry {
  uint64_t inode;
  int64_t next; /* the position behind it */
  uint16_t bytes;
  uint8_t type;
  char name[];
};

#define BATCH_BYTES 32768

int32_t sf__call_read_directory(const struct sf_call *call) {
  _Alignas(struct os_entry) char batch[BATCH_BYTES];
  uint8_t *out = call->parts[0].iov_base;
  const size_t room = call->parts[0].iov_len;
  uint32_t filled = 0;
  int64_t behind = lseek(call->fd, 0, call->argument == 1 ? SEEK_SET : SEEK_CUR);
  if (behind < 0) return sf__error(errno);
  while (filled == 0) {
    const long bytes = syscall(SYS_getdents64, call->fd, batch, sizeof(batch));
    if (bytes < 0) return sf__error(errno);
    if (bytes == 0) return 0;
    for (long at = 0; at < bytes;) {
      const struct os_entry *entry = (const struct os_entry *)(batch + at);
      if (is_told(entry->name)) {
        const uint32_t taken =
          put(entry->inode, entry->type, entry->name, out + filled, room - filled);
        if (taken == 0) {
          lseek(call->fd, behind, SEEK_SET);
          return filled > 0 ? (int32_t)filled : -SF_EINVAL;
        }
        filled += taken;
      }
      behind = entry->next;
      at += entry->bytes;
    }
  }
  return (int32_t)filled;
}

#else

/* Returns 0 or a negated sf_errno. */
static int32_t begin(struct sf_listing *listing, int directory) {
  const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return sf__error(errno);
  listing->stream = fdopendir(fd);
  if (listing->stream != NULL) return 0;
  const int32_t err = sf__error(errno);
  close(fd);
  return err;
}

int32_t sf__call_read_directory(const struct sf_call *call) {
  struct sf_listing *listing = call->listing;
  uint8_t *out = call->parts[0].iov_base;
  const size_t room = call->parts[0].iov_len;
  uint32_t filled = 0;
  const int32_t err = listing->stream == NULL ? begin(listing, call->fd) : 0;
  if (err < 0) return err;
  if (call->argument == 1) {
    rewinddir(listing->stream);
    listing->next = NULL;
  }
  for (;;) {
    errno = 0;
    if (listing->next == NULL) listing->next = readdir(listing->stream);
    const struct dirent *entry = listing->next;
    if (entry == NULL) return filled == 0 && errno != 0 ? sf__error(errno) : (int32_t)filled;
    if (is_told(entry->d_name)) {
      const uint32_t taken =
        put(entry->d_ino, entry->d_type, entry->d_name, out + filled, room - filled);
      if (taken == 0) return filled > 0 ? (int32_t)filled : -SF_EINVAL;
      filled += taken;
    }
    listing->next = NULL;
  }
}

#endif
