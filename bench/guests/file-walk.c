/* file-walk.c - reads every directory of a tree, `depth` at once, and looks at the files if asked to. */
#include <stackful.h>
#include <stackful/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define PATH_BYTES 128
#define BUFFER_BYTES 32768

static struct {
  struct sf_group group;
  uint32_t sum;
  bool looks;
} walk;

struct place {
  uint32_t bytes;
  char path[PATH_BYTES];
};

/* FNV-1a; bench/file-tree.ts has the same function. */
static uint32_t hash_of(const char *name, uint32_t bytes) {
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < bytes; i++) hash = (hash ^ (uint8_t)name[i]) * 16777619u;
  return hash;
}

static int32_t walk_directory(void *argument);

static int32_t descend(const struct place *from, const char *name, uint32_t bytes) {
  struct place *place = malloc(sizeof(*place));
  if (place == NULL) return -SF_ENOMEM;
  place->bytes = from->bytes + 1 + bytes;
  if (place->bytes > PATH_BYTES) return -SF_ENAMETOOLONG;
  memcpy(place->path, from->path, from->bytes);
  place->path[from->bytes] = '/';
  memcpy(place->path + from->bytes + 1, name, bytes);
  return sf_group_spawn(&walk.group, walk_directory, place, NULL, NULL);
}

static int32_t take(const struct place *place, sf_handle_t directory,
                    const struct sf_directory_entry *entry) {
  const char *name = sf_directory_entry_name(entry);
  if (entry->kind == SF_FILE_DIRECTORY) return descend(place, name, entry->name_bytes);
  walk.sum += hash_of(name, entry->name_bytes) + 1;
  if (!walk.looks) return 0;
  struct sf_stat status;
  const int32_t error =
    sf_stat_at(directory, name, entry->name_bytes, SF_PATH_NO_FOLLOW, &status);
  if (error == 0) walk.sum += status.links + (uint32_t)status.bytes;
  return error;
}

static int32_t walk_directory(void *argument) {
  struct place *place = argument;
  char *buffer = malloc(BUFFER_BYTES);
  int32_t count = -SF_ENOMEM;
  sf_handle_t directory = -1;
  if (buffer == NULL) goto out;
  count = directory = sf_open(place->path, place->bytes, SF_OPEN_READ | SF_OPEN_DIRECTORY, 0);
  while (count >= 0 && (count = sf_read_directory(directory, buffer, BUFFER_BYTES, 0)) > 0) {
    for (int32_t at = 0; at < count;) {
      const struct sf_directory_entry *entry = (const struct sf_directory_entry *)(buffer + at);
      const int32_t error = take(place, directory, entry);
      if (error < 0) {
        count = error;
        break;
      }
      at += entry->record_bytes;
    }
  }
  if (directory >= 0) sf_close(directory);
out:
  free(buffer);
  free(place);
  return count;
}

/* Returns the sum over all files below /data/tree, or an error. */
EXPORT(walk_tree) int64_t walk_tree(int32_t depth, int32_t looks) {
  static const char path[] = "/data/tree";
  struct place *root = malloc(sizeof(*root));
  if (root == NULL) return -SF_ENOMEM;
  root->bytes = sizeof(path) - 1;
  memcpy(root->path, path, root->bytes);
  walk.sum = 0;
  walk.looks = looks != 0;
  sf_group_init(&walk.group, (uint32_t)depth, SF_GROUP_FAIL_FAST);
  int32_t error = sf_group_spawn(&walk.group, walk_directory, root, NULL, NULL);
  const int32_t ended = sf_group_wait(&walk.group);
  if (error == 0) error = ended;
  return error < 0 ? error : (int64_t)walk.sum;
}
