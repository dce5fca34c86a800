/* fs.h - files and directories.
 *
 * A path is relative to `directory`, an open directory, or, with SF_GRANTED, one of the directories that
 * the embedder granted, by its longest matching name. It never leads out of that directory: neither "..",
 * nor a symbolic link, nor a path that begins with a slash. An empty path means what the handle `directory`
 * itself has open, a file or a directory (ENOTSUP of anything else), in sf_stat_at, sf_access_at, sf_chmod_at,
 * sf_chown_at, sf_utimes_at, sf_truncate_at and as the first path of sf_link_at; a directory in sf_open_at;
 * ENOENT in the others. What was opened in a read-only grant cannot be changed by its handle either. A slash
 * behind a path means that it leads to a directory, and follows a link there, except where a name is made,
 * removed or moved. Errors of every call with a path: ENOTCAPABLE outside every grant; EROFS when the grant
 * is read-only; ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG (more than SF_PATH_MAX bytes); EINVAL for a zero
 * byte in it.
 *
 * `flags`: enum sf_path_flags.
 */
#ifndef STACKFUL_FS_H
#define STACKFUL_FS_H

#include "io.h"

/* In place of a directory's handle: the grants. */
#define SF_GRANTED (-1)

/* ── Open files ────────────────────────────────────────────────────────────────────────────────── */

/* Opens a file below a granted directory, and returns its handle, the caller's to close. `flags`: enum
 * sf_open; `mode`: permission bits of a file that is created, 0644 for instance, less those of the host's
 * umask. Errors: also ENOTCAPABLE through "..", symbolic links or absolute paths; EEXIST with
 * SF_OPEN_EXCLUSIVE; EISDIR for a directory that is to be written; ENOTDIR with SF_OPEN_DIRECTORY for what
 * is none; EINVAL for flags that make no sense together; EMFILE; ENOSPC.
 *
 * A pipe that has a name is a stream. Opened one way it waits, without a thread and cancelable, until its
 * other end is open too, which is noticed within 64 ms; ENOTSUP on the backends `node`, `deno` and
 * `kqueue`. So is a terminal, which waits for nobody; ENOTSUP on `node` and `deno`. */
SF_PARKS SF_IMPORT(sf_open)
sf_handle_t sf_open(const char *path, uint32_t path_bytes, uint32_t flags, uint32_t mode);
SF_TIMED(sf_open, (const char *path, uint32_t path_bytes, uint32_t flags, uint32_t mode, sf_timeout_t timeout), (path, path_bytes, flags, mode))

/* The same below an open directory. A directory itself is opened with SF_OPEN_READ and SF_OPEN_DIRECTORY. */
SF_PARKS static inline int32_t sf_open_at(sf_handle_t directory, const char *path,
                                          uint32_t path_bytes, uint32_t open_flags, uint32_t mode) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_OPEN, .handle = directory, .pointer = sf_address_of(path),
      .length = path_bytes, .argument = open_flags, .mode = mode});
}

/* Opens a file without a name in the directory that the path names, for reading and writing; the handle is
 * the caller's to close. The file is gone then, or when its host crashes, unless sf_link_at gave it a name.
 * Errors: as sf_open; ENOTSUP where the file system has none. */
SF_PARKS static inline int32_t sf_open_temporary(sf_handle_t directory, const char *path,
                                                 uint32_t path_bytes) {
  return sf_open_at(directory, path, path_bytes,
                    SF_OPEN_READ | SF_OPEN_WRITE | SF_OPEN_TEMPORARY, 0600);
}

/* As sf_read and sf_write, at `offset` in bytes from the start, which does not move the current position;
 * behind the end there is nothing to read, and a write fills what lies between with zeros. Not in line with
 * sf_read and sf_write. Errors: those; EINVAL for an offset below 0; ESPIPE on a socket or pipe. */
SF_PARKS SF_IMPORT(sf_pread)
int32_t sf_pread(sf_handle_t handle, void *buffer, uint32_t bytes_max, int64_t offset);
SF_TIMED(sf_pread, (sf_handle_t handle, void *buffer, uint32_t bytes_max, int64_t offset, sf_timeout_t timeout), (handle, buffer, bytes_max, offset))
SF_PARKS SF_IMPORT(sf_pwrite)
int32_t sf_pwrite(sf_handle_t handle, const void *buffer, uint32_t bytes, int64_t offset);
SF_TIMED(sf_pwrite, (sf_handle_t handle, const void *buffer, uint32_t bytes, int64_t offset, sf_timeout_t timeout), (handle, buffer, bytes, offset))

/* The same from and to several buffers, in their order, as sf_readv and sf_writev. */
SF_PARKS static inline int32_t sf_preadv(sf_handle_t handle, const struct sf_iovec *vectors,
                                         uint32_t vectors_count, int64_t offset) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_PREADV, .handle = handle, .pointer = sf_address_of(vectors),
      .length = vectors_count, .offset = offset});
}
SF_PARKS static inline int32_t sf_pwritev(sf_handle_t handle, const struct sf_iovec *vectors,
                                          uint32_t vectors_count, int64_t offset) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_PWRITEV, .handle = handle, .pointer = sf_address_of(vectors),
      .length = vectors_count, .offset = offset});
}

/* Moves the current position, behind the reads and writes that were started before; `whence`: enum sf_seek.
 * `position_out` gets it, and may not be NULL. Errors: EINVAL for a position below 0; ESPIPE on a socket or
 * pipe; EISDIR. */
SF_PARKS static inline int32_t sf_seek(sf_handle_t handle, int64_t offset, uint32_t whence,
                                       int64_t *position_out) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_SEEK, .handle = handle, .argument = whence, .offset = offset,
      .other_pointer = sf_address_of(position_out)});
}

/* Returns 0 once everything written to the file, or every name made and removed in the directory, is on the
 * device. A cancel ends the wait, not what was begun. Errors: EIO: what was written before may be lost;
 * ENOSPC; EINVAL on what is neither. */
SF_PARKS SF_IMPORT(sf_fsync) int32_t sf_fsync(sf_handle_t handle);
SF_TIMED(sf_fsync, (sf_handle_t handle, sf_timeout_t timeout), (handle))

/* As sf_fsync, for the bytes and what is needed to read them; times may be lost. */
SF_PARKS static inline int32_t sf_fdatasync(sf_handle_t handle) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_FSYNC, .handle = handle, .argument = SF_SYNC_DATA});
}

/* Reserves room for `bytes` from `offset` on; the file grows to hold them. Errors: ENOSPC, EFBIG,
 * ENOTSUP; ENOSYS on node and deno. */
SF_PARKS static inline int32_t sf_allocate(sf_handle_t handle, int64_t offset, int64_t bytes) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_ALLOCATE, .handle = handle, .offset = offset, .other_offset = bytes});
}

/* Takes, changes or gives back the lock of an open file or directory; `lock`: enum sf_lock, SF_LOCK_TRY added
 * to get EAGAIN instead of waiting. Closing gives it back. To change a lock gives it back first, also when
 * the new one is not had then. Advisory: it binds who asks for it, in this program and others. One that
 * another program gave back is noticed within a tenth of a second. Errors: ENOSYS on node and deno. */
SF_PARKS static inline int32_t sf_lock(sf_handle_t handle, uint32_t lock) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_LOCK, .handle = handle, .argument = lock});
}
SF_TIMED(sf_lock, (sf_handle_t handle, uint32_t lock, sf_timeout_t timeout), (handle, lock))

/* Copies at most `bytes_max` from one file to another inside the host, and returns how many, a few MiB at
 * most; 0 at the end. The current positions do not move. Both files stay open until it ends. Errors: EINVAL
 * when the ranges overlap in one file; EBADF when `to` was opened to append; ENOSPC. */
SF_PARKS static inline int32_t sf_copy(sf_handle_t from, int64_t from_offset, sf_handle_t to,
                                       int64_t to_offset, uint32_t bytes_max) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_COPY, .handle = from, .length = bytes_max, .offset = from_offset,
      .other_handle = to, .other_offset = to_offset});
}

/* Sends at most `bytes_max` of a file to a connection inside the host, in line with the writes to it, and
 * returns how many, at most 256 KiB; 0 at the file's end. The file stays open until it ends. Errors: those
 * of a write; ENOTSOCK. */
SF_PARKS static inline int32_t sf_send_file(sf_handle_t stream, sf_handle_t file,
                                            int64_t file_offset, uint32_t bytes_max) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_SEND_FILE, .handle = stream, .length = bytes_max, .other_handle = file,
      .other_offset = file_offset});
}
SF_TIMED(sf_send_file, (sf_handle_t stream, sf_handle_t file, int64_t file_offset, uint32_t bytes_max, sf_timeout_t timeout), (stream, file, file_offset, bytes_max))

/* ── What a path names ─────────────────────────────────────────────────────────────────────────── */

/* Tells what the path, or with an empty one the handle, is: kind, size in bytes, permission bits, times in
 * ns since 1970. `flags`: SF_PATH_NO_FOLLOW for a link itself. Errors: those of every call with a path. */
SF_PARKS static inline int32_t sf_stat_at(sf_handle_t directory, const char *path,
                                          uint32_t path_bytes, uint32_t flags,
                                          struct sf_stat *stat_out) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_STAT, .flags = (uint16_t)flags, .handle = directory,
      .pointer = sf_address_of(path), .length = path_bytes,
      .other_pointer = sf_address_of(stat_out)});
}

/* The same of an open file or directory. */
SF_PARKS static inline int32_t sf_stat(sf_handle_t handle, struct sf_stat *stat_out) {
  return sf_stat_at(handle, NULL, 0, 0, stat_out);
}

/* Whether the host's user may do `access` (enum sf_access). The answer may be old at once. Errors: EACCES;
 * EROFS for SF_ACCESS_WRITE in a read-only grant. */
SF_PARKS static inline int32_t sf_access_at(sf_handle_t directory, const char *path,
                                            uint32_t path_bytes, uint32_t flags, uint32_t access) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_ACCESS, .flags = (uint16_t)flags, .handle = directory,
      .pointer = sf_address_of(path), .length = path_bytes, .argument = access});
}

/* Sets the permission bits, 0 to 0777; others are left out: no program becomes set-user-ID. Errors: EPERM;
 * ENOTSUP for a link itself. Windows knows whether anybody may write, of files, and no other bit. */
SF_PARKS static inline int32_t sf_chmod_at(sf_handle_t directory, const char *path,
                                           uint32_t path_bytes, uint32_t flags, uint32_t mode) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_CHMOD, .flags = (uint16_t)flags, .handle = directory,
      .pointer = sf_address_of(path), .length = path_bytes, .mode = mode});
}

/* Sets the owner and group; SF_ID_KEEP leaves one as it is. Errors: EPERM. */
SF_PARKS static inline int32_t sf_chown_at(sf_handle_t directory, const char *path,
                                           uint32_t path_bytes, uint32_t flags, uint32_t user,
                                           uint32_t group) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_CHOWN, .flags = (uint16_t)flags, .handle = directory,
      .pointer = sf_address_of(path), .length = path_bytes, .argument = user, .mode = group});
}

/* Sets the times of access and modification. The backends `node` and `deno` set them to a microsecond, and
 * keep one of the two by writing it back. Errors: EPERM, EINVAL. */
SF_PARKS static inline int32_t sf_utimes_at(sf_handle_t directory, const char *path,
                                            uint32_t path_bytes, uint32_t flags,
                                            const struct sf_times *times) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_UTIMES, .flags = (uint16_t)flags, .handle = directory,
      .pointer = sf_address_of(path), .length = path_bytes,
      .other_pointer = sf_address_of(times)});
}

/* Makes the file `bytes` long: cuts it, or adds zeros. Errors: EINVAL below 0, for what is no regular file,
 * and for a handle without SF_OPEN_WRITE; EISDIR, EFBIG. */
SF_PARKS static inline int32_t sf_truncate_at(sf_handle_t directory, const char *path,
                                              uint32_t path_bytes, int64_t bytes) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_TRUNCATE, .handle = directory, .pointer = sf_address_of(path),
      .length = path_bytes, .offset = bytes});
}

/* The same of an open file. */
SF_PARKS static inline int32_t sf_truncate(sf_handle_t handle, int64_t bytes) {
  return sf_truncate_at(handle, NULL, 0, bytes);
}

/* ── Directories ───────────────────────────────────────────────────────────────────────────────── */

/* Makes a directory; `mode`: its permission bits, 0755 for instance, less those of the host's umask. Errors:
 * EEXIST when there is something of that name, a link too; ENOSPC. */
SF_PARKS static inline int32_t sf_mkdir_at(sf_handle_t directory, const char *path,
                                           uint32_t path_bytes, uint32_t mode) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_MKDIR, .handle = directory, .pointer = sf_address_of(path),
      .length = path_bytes, .mode = mode});
}

/* Removes an empty directory. Errors: ENOTEMPTY; ENOTDIR, of links too; EBUSY when the path ends in "." or
 * "..", or is a grant's own. */
SF_PARKS static inline int32_t sf_rmdir_at(sf_handle_t directory, const char *path,
                                           uint32_t path_bytes) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_RMDIR, .handle = directory, .pointer = sf_address_of(path),
      .length = path_bytes});
}

/* Removes a name that is no directory's; of a link, the link. Open handles go on. Errors: EISDIR. */
SF_PARKS static inline int32_t sf_unlink_at(sf_handle_t directory, const char *path,
                                            uint32_t path_bytes) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_UNLINK, .handle = directory, .pointer = sf_address_of(path),
      .length = path_bytes});
}

/* Moves what the path names to the other path; `how`: enum sf_rename. Atomic; no link
 * is followed at either end. From one grant to another both must be writable. Errors: EEXIST, EXDEV between
 * file systems, EINVAL for a directory into itself, ENOTEMPTY; EISDIR and ENOTDIR when only one is a directory;
 * EBUSY when a path ends in "." or "..", or is a grant's own; ENOTSUP for SF_RENAME_NO_REPLACE and
 * SF_RENAME_EXCHANGE on the backends `node` and `deno`, and on the BSDs. */
SF_PARKS static inline int32_t sf_rename_at(sf_handle_t directory, const char *path,
                                            uint32_t path_bytes, sf_handle_t other_directory,
                                            const char *other_path, uint32_t other_path_bytes,
                                            uint32_t how) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_RENAME, .handle = directory, .pointer = sf_address_of(path),
      .length = path_bytes, .argument = how, .other_handle = other_directory,
      .other_pointer = sf_address_of(other_path), .other_length = other_path_bytes});
}

/* Gives a file one more name; of a link, the link. An empty first path gives one to an open file, such as an
 * SF_OPEN_TEMPORARY one (ENOTSUP on the backends `node`, `deno` and `kqueue`). Both places must be writable.
 * Errors: EEXIST, EXDEV, EPERM for a directory. */
SF_PARKS static inline int32_t sf_link_at(sf_handle_t directory, const char *path,
                                          uint32_t path_bytes, sf_handle_t other_directory,
                                          const char *other_path, uint32_t other_path_bytes) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_LINK, .handle = directory, .pointer = sf_address_of(path),
      .length = path_bytes, .other_handle = other_directory,
      .other_pointer = sf_address_of(other_path), .other_length = other_path_bytes});
}

/* Makes a symbolic link to `target`, any text of 1 to SF_PATH_MAX bytes. Where it leads is looked at when
 * somebody follows it. Errors: EEXIST when there is something of that name; ENOENT for an empty target; EPERM on
 * Windows for a host without the right to make links. */
SF_PARKS static inline int32_t sf_symlink_at(const char *target, uint32_t target_bytes,
                                             sf_handle_t directory, const char *path,
                                             uint32_t path_bytes) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_SYMLINK, .handle = -1, .pointer = sf_address_of(target),
      .length = target_bytes, .other_handle = directory, .other_pointer = sf_address_of(path),
      .other_length = path_bytes});
}

/* Copies the text of a symbolic link, without a zero at its end, and returns its bytes; what does not fit
 * is left out. Errors: EINVAL when it is none, and for 0 bytes. */
SF_PARKS static inline int32_t sf_readlink_at(sf_handle_t directory, const char *path,
                                              uint32_t path_bytes, char *buffer,
                                              uint32_t bytes_max) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_READLINK, .handle = directory, .pointer = sf_address_of(path),
      .length = path_bytes, .other_pointer = sf_address_of(buffer), .other_length = bytes_max});
}

/* Fills `buffer` with entries of an open directory, and returns the bytes; 0 when there are no more. What
 * comes and goes meanwhile may or may not be seen. `restart`: from the first entry. Errors: EINVAL when
 * not even one entry fits (SF_DIRECTORY_ENTRY_BYTES_MAX hold any); ENOTDIR. */
SF_PARKS static inline int32_t sf_read_directory(sf_handle_t directory, void *buffer,
                                                 uint32_t bytes_max, uint32_t restart) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_READ_DIRECTORY, .handle = directory, .pointer = sf_address_of(buffer),
      .length = bytes_max, .argument = restart});
}

/* The first entry of a buffer is at its start. */
static inline const struct sf_directory_entry *sf_directory_entry_next(
    const struct sf_directory_entry *entry) {
  return (const struct sf_directory_entry *)((const char *)entry + entry->record_bytes);
}

/* `name_bytes` of it; no zero follows. */
static inline const char *sf_directory_entry_name(const struct sf_directory_entry *entry) {
  return (const char *)(entry + 1);
}

/* ── Whole files ───────────────────────────────────────────────────────────────────────────────── */

/* Reads a file from its start to its end into `buffer`, whatever its current position, and returns the bytes.
 * Errors: EFBIG when it has more than `bytes_max`; EINVAL when that is 2 ** 31 or more. */
SF_PARKS static inline int32_t sf_read_file(sf_handle_t file, void *buffer, uint32_t bytes_max) {
  uint32_t done = 0;
  if (bytes_max > INT32_MAX) return -SF_EINVAL;
  for (;;) {
    char beyond;
    const uint32_t room = bytes_max - done;
    void *at = room == 0 ? &beyond : (char *)buffer + done;
    const int32_t count = sf_pread(file, at, room == 0 ? 1 : room, done);
    if (count <= 0) return count < 0 ? count : (int32_t)done;
    if (room == 0) return -SF_EFBIG;
    done += (uint32_t)count;
  }
}

/* Told after each piece of a copy how many bytes there are at the other side. It may park. */
typedef void (*sf_copy_progress_t)(void *context, int64_t bytes_copied);

/* Copies all of `from` to the start of `to`, in pieces between which a cancel or a timeout ends it, and
 * returns the bytes, or the first error: those of sf_copy. What `to` held behind them stays: open it with
 * SF_OPEN_TRUNCATE. `progress` may be NULL. */
SF_PARKS static inline int64_t sf_copy_file(sf_handle_t from, sf_handle_t to,
                                            sf_copy_progress_t progress, void *context) {
  int64_t done = 0;
  for (;;) {
    const int32_t count = sf_copy(from, done, to, done, 1u << 20);
    if (count <= 0) return count < 0 ? count : done;
    done += count;
    if (progress != NULL) progress(context, done);
  }
}

#endif
