/* paths.c - operations on paths: what is checked before one starts, and where its result goes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls/place.h"
#include "engine/os-errno.h"

/* The longest link of any system that there is. */
#define LINK_BYTES_MAX SF_PATH_MAX

#define ACCESS_ALL (SF_ACCESS_READ | SF_ACCESS_WRITE | SF_ACCESS_EXECUTE)

/* What the paths of an operation are. */
struct shape {
  bool at;       /* there is a PATH */
  bool other;    /* and an OTHER PATH */
  bool empty;    /* an empty PATH means the handle itself */
  bool changes;  /* it needs grants to write */
  bool flags;    /* enum sf_path_flags is read */
};

static struct shape shape_of(uint16_t opcode) {
  switch (opcode) {
    case SF_OP_STAT:
      return (struct shape){ .at = true, .empty = true, .flags = true };
    case SF_OP_ACCESS:
      return (struct shape){ .at = true, .empty = true, .flags = true };
    case SF_OP_READLINK:
      return (struct shape){ .at = true };
    case SF_OP_CHMOD:
    case SF_OP_CHOWN:
    case SF_OP_UTIMES:
      return (struct shape){ .at = true, .empty = true, .flags = true, .changes = true };
    case SF_OP_TRUNCATE:
      return (struct shape){ .at = true, .empty = true, .changes = true };
    case SF_OP_LINK:
      return (struct shape){ .at = true, .other = true, .empty = true, .changes = true };
    case SF_OP_RENAME:
      return (struct shape){ .at = true, .other = true, .changes = true };
    case SF_OP_SYMLINK:
      return (struct shape){ .other = true, .changes = true };
    default: /* UNLINK, RMDIR, MKDIR */
      return (struct shape){ .at = true, .changes = true };
  }
}

/* Finds where the path, copied to `text`, lies; `empty`: that can mean the handle itself. */
static int32_t locate(const struct sf_engine *engine, const struct sf_handle *handle, bool empty,
                      const char *text, struct sf_place *out) {
  if (handle == NULL || text[0] != '\0') return sf__find_place(engine, handle, text, out);
  if (!empty) return -SF_ENOENT;
  if (handle->kind != SF_HANDLE_DIRECTORY && handle->kind != SF_HANDLE_FILE) return -SF_ENOTSUP;
  *out = (struct sf_place){ .directory = handle->fd, .read_only = handle->read_only };
  return 0;
}

static int32_t read_other(const struct sf_engine *engine, const struct sf_submission *submission,
                          struct sf_paths *paths, char *text, struct sf_draft *draft) {
  const struct sf_handle *handle = NULL;
  int32_t err = sf__copy_text(engine, submission->other_pointer, submission->other_length, text);
  if (err < 0) return err;
  if (submission->other_handle != -1) {
    handle = sf__handles_get(&engine->base.handles, submission->other_handle);
    if (handle == NULL) return -SF_EBADF;
  }
  err = locate(engine, handle, false, text, &paths->other);
  if (err < 0 || handle == NULL) return err;
  draft->fd = fcntl(handle->fd, F_DUPFD_CLOEXEC, 0);
  paths->other.directory = draft->fd;
  return draft->fd < 0 ? sf__error(errno) : 0;
}

static bool is_time(int64_t ns, uint32_t change, struct timespec *out) {
  if (change > SF_TIME_NOW) return false;
  int64_t seconds = ns / 1000000000;
  int64_t rest = ns % 1000000000;
  if (rest < 0) {
    seconds--;
    rest += 1000000000;
  }
  *out = (struct timespec){ .tv_sec = (time_t)seconds, .tv_nsec = (long)rest };
  if (change == SF_TIME_KEEP) out->tv_nsec = UTIME_OMIT;
  if (change == SF_TIME_NOW) out->tv_nsec = UTIME_NOW;
  return true;
}

/* What the operation wants besides its paths. Returns 0 or a negated sf_errno. */
static int32_t read_rest(const struct sf_engine *engine, const struct sf_submission *submission,
                         struct sf_paths *paths) {
  const struct sf_guest *guest = &engine->base.guest;
  switch (submission->op) {
    case SF_OP_STAT:
      paths->out_bytes = sizeof(paths->stat);
      paths->out = submission->other_pointer;
      return sf__guest_range(guest, paths->out, paths->out_bytes) == NULL ? -SF_EFAULT : 0;
    case SF_OP_READLINK:
      paths->out = submission->other_pointer;
      if (sf__guest_range(guest, paths->out, submission->other_length) == NULL) return -SF_EFAULT;
      return submission->other_length == 0 ? -SF_EINVAL : 0;
    case SF_OP_UTIMES: {
      struct sf_times times;
      const void *source = sf__guest_range(guest, submission->other_pointer, sizeof(times));
      if (source == NULL) return -SF_EFAULT;
      memcpy(&times, source, sizeof(times));
      const bool right = is_time(times.accessed_ns, times.accessed, &paths->times[0]) &&
                         is_time(times.modified_ns, times.modified, &paths->times[1]);
      return right ? 0 : -SF_EINVAL;
    }
    case SF_OP_TRUNCATE:
      return submission->offset < 0 ? -SF_EINVAL : 0;
    case SF_OP_ACCESS:
      return submission->argument > ACCESS_ALL ? -SF_EINVAL : 0;
    case SF_OP_RENAME:
      return submission->argument > SF_RENAME_EXCHANGE ? -SF_EINVAL : 0;
    default:
      return 0;
  }
}

static int32_t check(struct sf_engine *engine, const struct sf_submission *submission,
                     const struct sf_handle *handle, struct sf_paths *paths,
                     struct sf_draft *draft) {
  const struct shape shape = shape_of(submission->op);
  char *text = paths->text;
  int32_t err = sf__copy_text(engine, submission->pointer, submission->length, text);
  if (err < 0) return err;
  paths->link = text; /* SYMLINK's */
  if (shape.at) {
    err = locate(engine, handle, shape.empty, text, &paths->at);
    if (err < 0) return err;
  }
  text += submission->length + 1;
  if (submission->op == SF_OP_READLINK) paths->link = text;
  if (shape.other) err = read_other(engine, submission, paths, text, draft);
  if (err < 0) return err;
  if (shape.flags && (submission->flags & ~SF_PATH_NO_FOLLOW) != 0) return -SF_EINVAL;
  err = read_rest(engine, submission, paths);
  if (err < 0) return err;
  const bool changes = shape.changes || (submission->op == SF_OP_ACCESS &&
                                         (submission->argument & SF_ACCESS_WRITE) != 0);
  return changes && (paths->at.read_only || paths->other.read_only) ? -SF_EROFS : 0;
}

int32_t sf__check_paths(struct sf_engine *engine, const struct sf_submission *submission,
                        const struct sf_handle *handle, struct sf_draft *draft) {
  const struct sf_guest *guest = &engine->base.guest;
  const bool reads_link = submission->op == SF_OP_READLINK;
  const bool has_other = shape_of(submission->op).other;
  if (sf__guest_range(guest, submission->pointer, submission->length) == NULL) return -SF_EFAULT;
  if (submission->length > SF_PATH_MAX) return -SF_ENAMETOOLONG;
  size_t bytes = (size_t)submission->length + 1;
  uint32_t room = 0;
  if (has_other) {
    if (sf__guest_range(guest, submission->other_pointer, submission->other_length) == NULL) {
      return -SF_EFAULT;
    }
    if (submission->other_length > SF_PATH_MAX) return -SF_ENAMETOOLONG;
    bytes += (size_t)submission->other_length + 1;
  } else if (reads_link) {
    room = submission->other_length < LINK_BYTES_MAX ? submission->other_length : LINK_BYTES_MAX;
    bytes += room;
  }
  struct sf_paths *paths = malloc(sizeof(*paths) + bytes);
  if (paths == NULL) return -SF_ENOMEM;
  *paths = (struct sf_paths){
    .flags = submission->flags,
    .argument = submission->argument,
    .mode = submission->mode,
    .offset = submission->offset,
    .out_bytes = room,
  };
  const int32_t err = check(engine, submission, handle, paths, draft);
  if (err < 0) {
    if (draft->fd >= 0) close(draft->fd);
    draft->fd = -1;
    free(paths);
    return err;
  }
  draft->kept = paths;
  return SF_STARTED;
}

int32_t sf__finish_paths(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  const struct sf_paths *paths = op->kept;
  if (op->fd >= 0) close(op->fd);
  if (result < 0 || paths->out_bytes == 0 || engine->closing) return result;
  const bool stat = op->opcode == SF_OP_STAT;
  const size_t bytes = stat ? sizeof(paths->stat) : (size_t)result;
  void *out = sf__guest_range(&engine->base.guest, paths->out, bytes);
  if (out == NULL) return -SF_EFAULT;
  memcpy(out, stat ? (const void *)&paths->stat : paths->link, bytes);
  return result;
}
