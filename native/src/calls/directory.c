/* directory.c - what is in a directory.
 *
 * Where reading goes on is the descriptor's own position: behind the last entry that fitted the guest's
 * buffer. On Linux that is what the system calls it; elsewhere how many entries come before, since a
 * position that was left out of one stream says nothing to the next.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "calls/calls.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

#define NAME_BYTES_MAX 255

int32_t sf__check_read_directory(struct sf_engine *engine, const struct sf_submission *submission,
                                 const struct sf_handle *handle, struct sf_draft *draft) {
  if (submission->length == 0 || submission->argument > 1) return -SF_EINVAL;
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

int32_t sf__call_read_directory(const struct sf_call *call) {
  uint8_t *out = call->parts[0].iov_base;
  const size_t room = call->parts[0].iov_len;
  uint32_t filled = 0;
  bool full = false;
  const off_t before = call->argument == 1 ? 0 : lseek(call->fd, 0, SEEK_CUR);
  if (before < 0) return sf__error(errno);
  const int fd = openat(call->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return sf__error(errno);
  DIR *stream = fdopendir(fd);
  if (stream == NULL) {
    const int32_t err = sf__error(errno);
    close(fd);
    return err;
  }
  off_t behind = 0;
  while (!full) {
    const struct dirent *entry = readdir(stream);
    if (entry == NULL) break;
    if (behind >= before && is_told(entry->d_name)) {
      const uint32_t taken =
        put(entry->d_ino, entry->d_type, entry->d_name, out + filled, room - filled);
      filled += taken;
      full = taken == 0;
    }
    if (!full) behind++;
  }
  closedir(stream);
  if (behind >= before) lseek(call->fd, behind, SEEK_SET);
  return full && filled == 0 ? -SF_EINVAL : (int32_t)filled;
}

#endif
