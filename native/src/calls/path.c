/* path.c - where a guest's path lies. */
#include <stdlib.h>
#include <string.h>

#include "calls/calls.h"

static int32_t locate(const struct sf_engine *engine, const struct sf_handle *handle,
                      struct sf_path *path) {
  if (handle != NULL) {
    path->directory = handle->fd;
    path->read_only = handle->read_only;
    path->rest = path->text[0] == '\0' ? "." : path->text;
    return 0;
  }
  const struct sf_directory *directory =
    sf__grants_find(&engine->base.grants, path->text, &path->rest);
  if (directory == NULL) return -SF_ENOTCAPABLE;
  path->directory = directory->fd;
  path->read_only = directory->read_only;
  return 0;
}

int32_t sf__read_path(const struct sf_engine *engine, const struct sf_handle *handle,
                      uint32_t pointer, uint32_t length, struct sf_path **out) {
  const void *source = sf__guest_range(&engine->base.guest, pointer, length);
  if (source == NULL) return -SF_EFAULT;
  if (length == 0 && handle == NULL) return -SF_ENOENT;
  if (length > SF_PATH_MAX) return -SF_ENAMETOOLONG;
  if (handle != NULL && handle->kind != SF_HANDLE_DIRECTORY) return -SF_ENOTDIR;

  struct sf_path *path = malloc(sizeof(*path) + length + 1);
  if (path == NULL) return -SF_ENOMEM;
  *path = (struct sf_path){ 0 };
  memcpy(path->text, source, length);
  path->text[length] = '\0';
  const bool cut = memchr(path->text, '\0', length) != NULL;
  const int32_t err = cut ? -SF_EINVAL : locate(engine, handle, path);
  if (err < 0) {
    free(path);
    return err;
  }
  *out = path;
  return 0;
}
