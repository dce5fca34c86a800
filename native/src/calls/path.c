/* path.c - where a guest's path lies. */
#include <stdlib.h>
#include <string.h>

#include "calls/place.h"

int32_t sf__copy_text(const struct sf_engine *engine, uint32_t pointer, uint32_t length,
                      char *out) {
  const void *source = sf__guest_range(&engine->base.guest, pointer, length);
  if (source == NULL) return -SF_EFAULT;
  memcpy(out, source, length);
  out[length] = '\0';
  return memchr(out, '\0', length) == NULL ? 0 : -SF_EINVAL;
}

int32_t sf__find_place(const struct sf_engine *engine, const struct sf_handle *handle,
                       const char *text, struct sf_place *out) {
  if (handle != NULL) {
    if (handle->kind != SF_HANDLE_DIRECTORY) return -SF_ENOTDIR;
    *out = (struct sf_place){
      .directory = handle->fd,
      .read_only = handle->read_only,
      .text = text,
    };
    return 0;
  }
  if (text[0] == '\0') return -SF_ENOENT;
  const struct sf_directory *granted = sf__grants_find(&engine->base.grants, text, &out->text);
  if (granted == NULL) return -SF_ENOTCAPABLE;
  out->directory = granted->fd;
  out->read_only = granted->read_only;
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
  struct sf_place place;
  int32_t err = sf__copy_text(engine, pointer, length, path->text);
  if (err == 0) err = sf__find_place(engine, handle, path->text, &place);
  if (err < 0) {
    free(path);
    return err;
  }
  path->directory = place.directory;
  path->read_only = place.read_only;
  path->rest = place.text[0] == '\0' ? "." : place.text;
  *out = path;
  return 0;
}
