/* files.h - whole reads and writes at a place of a file. */
#ifndef SIMULATOR_FILES_H
#define SIMULATOR_FILES_H

#include <stackful.h>
#include <string.h>

/* Reads until `bytes` are there or the file ends. Returns the count. */
SF_PARKS static inline int32_t pread_full(sf_handle_t file, void *buffer, uint32_t bytes,
                                          int64_t offset) {
  uint32_t done = 0;
  while (done < bytes) {
    int32_t count = sf_pread(file, (char *)buffer + done, bytes - done, offset + done);
    if (count < 0) return count;
    if (count == 0) break;
    done += (uint32_t)count;
  }
  return (int32_t)done;
}

/* Writes all `bytes`. Returns 0, or the first error; how much was written is then unknown. */
SF_PARKS static inline int32_t pwrite_all(sf_handle_t file, const void *data, uint32_t bytes,
                                          int64_t offset) {
  uint32_t done = 0;
  while (done < bytes) {
    int32_t count = sf_pwrite(file, (const char *)data + done, bytes - done, offset + done);
    if (count <= 0) return count < 0 ? count : -SF_EIO;
    done += (uint32_t)count;
  }
  return 0;
}

SF_PARKS static inline sf_handle_t open_file(const char *path, uint32_t flags) {
  return sf_open(path, (uint32_t)strlen(path), flags, 0644);
}

#endif
