/* directory.c - what is in a directory.
 *
 * Where reading goes on is the descriptor's own position: entries that did not fit the guest's buffer are
 * given back by setting it to behind the last one that did.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "calls/calls.h"
#include "engine/os-errno.h"

int32_t sf__check_read_directory(struct sf_engine *engine, const struct sf_submission *submission,
                                 const struct sf_handle *handle, struct sf_draft *draft) {
  if (submission->length == 0 || submission->argument > 1) return -SF_EINVAL;
  return sf__check_buffer(engine, submission, handle, draft);
}

#ifdef __linux__

#include <dirent.h>
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
#define NAME_BYTES_MAX 255

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
static bool is_told(const char *name, size_t bytes) {
  const bool dots = name[0] == '.' && (bytes == 1 || (bytes == 2 && name[1] == '.'));
  return !dots && bytes <= NAME_BYTES_MAX;
}

/* Adds the entry to `out`. Returns the bytes it took; 0: it does not fit. */
static uint32_t put(const struct os_entry *entry, size_t name_bytes, uint8_t *out, size_t room) {
  const struct sf_directory_entry record = {
    .inode = entry->inode,
    .record_bytes = (uint16_t)((sizeof(record) + name_bytes + 7) & ~(size_t)7),
    .kind = kind_of(entry->type),
    .name_bytes = (uint8_t)name_bytes,
  };
  if (record.record_bytes > room) return 0;
  memcpy(out, &record, sizeof(record));
  memcpy(out + sizeof(record), entry->name, name_bytes);
  memset(out + sizeof(record) + name_bytes, 0, record.record_bytes - sizeof(record) - name_bytes);
  return record.record_bytes;
}

int32_t sf__call_read_directory(const struct sf_call *call) {
  _Alignas(struct os_entry) char batch[BATCH_BYTES];
  uint8_t *out = call->parts[0].iov_base;
  const size_t room = call->parts[0].iov_len;
  uint32_t filled = 0;
  int64_t behind = call->argument == 1 ? lseek(call->fd, 0, SEEK_SET) : lseek(call->fd, 0, SEEK_CUR);
  if (behind < 0) return sf__error(errno);
  while (filled == 0) {
    const long bytes = syscall(SYS_getdents64, call->fd, batch, sizeof(batch));
    if (bytes < 0) return sf__error(errno);
    if (bytes == 0) return 0;
    for (long at = 0; at < bytes;) {
      const struct os_entry *entry = (const struct os_entry *)(batch + at);
      const size_t name_bytes = strlen(entry->name);
      const uint32_t taken = put(entry, name_bytes, out + filled, room - filled);
      if (taken == 0 && is_told(entry->name, name_bytes)) {
        lseek(call->fd, behind, SEEK_SET);
        return filled > 0 ? (int32_t)filled : -SF_EINVAL;
      }
      if (is_told(entry->name, name_bytes)) filled += taken;
      behind = entry->next;
      at += entry->bytes;
    }
  }
  return (int32_t)filled;
}

#else

int32_t sf__call_read_directory(const struct sf_call *call) {
  (void)call;
  return -SF_ENOTSUP;
}

#endif
