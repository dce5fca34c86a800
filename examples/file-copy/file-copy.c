/* file-copy.c - copies a file inside the host, and tells every quarter of a second how far it is. The copy
 * has its name only when it is whole and on the device: what a crash or Ctrl-C leaves has another.
 *
 *   stackful run --dir . file-copy.wasm --from ./big.iso --to ./copy.iso
 */
#include <stackful.h>
#include <stackful/fs.h>
#include <stdio.h>
#include <string.h>

#include "shared/arguments.h"
#include "shared/error-name.h"

#define PARTIAL_SUFFIX ".partial"

struct copy {
  int64_t bytes; /* of the source */
  int64_t copied;
  bool ended;
};

static void note_progress(void *context, int64_t bytes_copied) {
  ((struct copy *)context)->copied = bytes_copied;
}

/* Another task than the one that copies: it has its own rhythm. */
static int32_t show_progress(void *argument) {
  const struct copy *copy = argument;
  while (sf_sleep(250 * SF_MILLISECOND) == 0) {
    const int64_t percent = copy->bytes == 0 ? 100 : copy->copied * 100 / copy->bytes;
    fprintf(stderr, "%" PRId64 " of %" PRId64 " bytes, %" PRId64 " %%\n", copy->copied, copy->bytes,
            percent);
  }
  return 0;
}

static int32_t failed(const char *what, const char *path, int64_t result) {
  fprintf(stderr, "file-copy: %s %s: %s\n", what, path, error_name((int32_t)result));
  return -1;
}

/* Copies, and returns once everything is on the device. */
static int32_t copy_bytes(sf_handle_t from, sf_handle_t to, struct copy *copy) {
  sf_task_t shower;
  const struct sf_spawn_options options = {.name = "progress"};
  const int32_t spawned = sf_spawn(show_progress, copy, &options, &shower);
  if (spawned < 0) return spawned;
  const int64_t copied = sf_copy_file(from, to, note_progress, copy);
  const int32_t result = copied < 0 ? (int32_t)copied : sf_fsync(to);
  sf_cancel(shower);
  sf_join(shower, NULL);
  return result;
}

int main(int argc, char **argv) {
  const char *from_path = NULL, *to_path = NULL;
  const struct argument arguments[] = {{.name = "--from", .text = &from_path},
                                       {.name = "--to", .text = &to_path}};
  char partial[SF_PATH_MAX];
  struct copy copy = {0};
  struct sf_stat status;
  int32_t result;

  if (!parse_arguments(argc, argv, arguments, 2)) return 2;
  if (from_path == NULL || to_path == NULL) {
    fprintf(stderr, "file-copy: --from PATH --to PATH\n");
    return 2;
  }
  const uint32_t to_bytes = (uint32_t)strlen(to_path);
  const int partial_bytes = snprintf(partial, sizeof partial, "%s" PARTIAL_SUFFIX, to_path);
  if (partial_bytes < 0 || (size_t)partial_bytes >= sizeof partial) return 2;

  const sf_handle_t from = sf_open(from_path, (uint32_t)strlen(from_path), SF_OPEN_READ, 0);
  if (from < 0) return failed("open", from_path, from), 1;
  result = sf_stat(from, &status);
  if (result < 0) return failed("look at", from_path, result), 1;
  copy.bytes = (int64_t)status.bytes;
  const uint32_t flags = SF_OPEN_WRITE | SF_OPEN_CREATE | SF_OPEN_TRUNCATE;
  const sf_handle_t to = sf_open(partial, (uint32_t)partial_bytes, flags, status.mode);
  if (to < 0) return failed("open", partial, to), 1;

  result = copy_bytes(from, to, &copy);
  sf_close(to);
  sf_close(from);
  if (result == 0) {
    result = sf_rename_at(SF_GRANTED, partial, (uint32_t)partial_bytes, SF_GRANTED, to_path, to_bytes,
                          SF_RENAME_REPLACE);
  }
  if (result < 0) {
    failed("copy to", to_path, result);
    sf_shield_begin();
    sf_unlink_at(SF_GRANTED, partial, (uint32_t)partial_bytes);
    sf_shield_end();
    return 1;
  }
  printf("%" PRId64 " bytes\n", copy.copied);
  return 0;
}
