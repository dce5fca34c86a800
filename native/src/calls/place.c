#define _GNU_SOURCE
#include "calls/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls/beneath.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

static int32_t open_beneath(int directory, const char *text, int flags) {
  const int fd = sf__open_beneath(directory, text, flags | O_CLOEXEC, 0);
  if (fd >= 0) return fd;
  /* What it says of a path that leaves its directory. */
  return errno == EXDEV ? -SF_ENOTCAPABLE : sf__error(errno);
}

int32_t sf__place_open(const struct sf_place *place, int flags) {
  return open_beneath(place->directory, place->text, flags);
}

int32_t sf__name_open(struct sf_name *out, const struct sf_place *place) {
  size_t end = strlen(place->text);
  out->slash = end > 0 && place->text[end - 1] == '/';
  while (end > 0 && place->text[end - 1] == '/') end--;
  size_t start = end;
  while (start > 0 && place->text[start - 1] != '/') start--;

  const char *last = place->text + start;
  const size_t bytes = end - start;
  out->dots = bytes == 0 || (bytes <= 2 && last[0] == '.' && last[bytes - 1] == '.');
  out->owned = out->dots || start > 0;
  out->directory = place->directory;
  if (out->owned) {
    memcpy(out->text, place->text, start);
    out->text[start] = '\0';
    out->directory = open_beneath(place->directory, out->dots ? place->text : out->text,
                                  SF_WALK_FLAGS);
    if (out->directory < 0) return out->directory;
  }
  memcpy(out->text, last, bytes);
  out->text[bytes] = '\0';
  return 0;
}

void sf__name_close(const struct sf_name *name) {
  if (name->owned) close(name->directory);
}

int32_t sf__name_is_directory(const struct sf_name *name) {
  struct stat status;
  if (fstatat(name->directory, name->text, &status, AT_SYMLINK_NOFOLLOW) < 0) {
    return sf__error(errno);
  }
  return S_ISDIR(status.st_mode) ? 1 : 0;
}
