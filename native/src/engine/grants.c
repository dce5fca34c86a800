#define _GNU_SOURCE
#include "engine/grants.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/os-errno.h"
#include "engine/platform.h"

/* Skips what names nothing: slashes, and components that are a single dot. */
static const char *skip_empty(const char *path) {
  for (;;) {
    if (*path == '/') {
      path++;
    } else if (path[0] == '.' && (path[1] == '/' || path[1] == '\0')) {
      path++;
    } else {
      return path;
    }
  }
}

static size_t component_bytes(const char *path) {
  return strcspn(path, "/");
}

/* Splits the guest's name into components. Returns 0, -SF_EINVAL for "..", -SF_ENOMEM. */
static int32_t set_prefix(struct sf_directory *directory, const char *guest_path) {
  char *prefix = calloc(1, strlen(guest_path) + 2);
  if (prefix == NULL) return -SF_ENOMEM;

  char *end = prefix;
  uint32_t depth = 0;
  for (const char *at = skip_empty(guest_path); *at != '\0'; at = skip_empty(at)) {
    size_t bytes = component_bytes(at);
    if (bytes == 2 && at[0] == '.' && at[1] == '.') {
      free(prefix);
      return -SF_EINVAL;
    }
    memcpy(end, at, bytes);
    end += bytes + 1;
    at += bytes;
    depth++;
  }
  directory->absolute = guest_path[0] == '/';
  directory->prefix = prefix;
  directory->depth = depth;
  return 0;
}

int32_t sf__grants_add_directory(struct sf_grants *grants, const char *host_path,
                                 const char *guest_path, bool read_only) {
  struct sf_directory directory = { .read_only = read_only };
  int32_t err;

  size_t count = (size_t)grants->directories_count + 1;
  struct sf_directory *directories = realloc(grants->directories, count * sizeof(*directories));
  if (directories == NULL) return -SF_ENOMEM;
  grants->directories = directories;

  directory.fd = open(host_path, SF_WALK_FLAGS);
  if (directory.fd < 0) return sf__error(errno);

  err = set_prefix(&directory, guest_path);
  if (err < 0) {
    close(directory.fd);
    return err;
  }

  grants->directories[grants->directories_count++] = directory;
  return 0;
}

int32_t sf__grants_add_endpoint(struct sf_grants *grants, struct sf_endpoint endpoint) {
  size_t count = (size_t)grants->endpoints_count + 1;
  struct sf_endpoint *endpoints = realloc(grants->endpoints, count * sizeof(*endpoints));
  if (endpoints == NULL) return -SF_ENOMEM;
  endpoints[grants->endpoints_count++] = endpoint;
  grants->endpoints = endpoints;
  return 0;
}

int32_t sf__grants_set_names(struct sf_grants *grants, uint32_t which, const void *text,
                             uint32_t bytes) {
  uint8_t *copy = malloc((size_t)bytes + 1);
  if (copy == NULL) return -SF_ENOMEM;
  memcpy(copy, text, bytes);
  free(grants->names[which].text);
  grants->names[which] = (struct sf_names){ .text = copy, .bytes = bytes };
  grants->names_granted = true;
  return 0;
}

/* What follows the directory's name in `path`, or NULL when the name is no prefix of it. */
static const char *match(const struct sf_directory *directory, const char *path) {
  const char *name = directory->prefix;
  if (directory->absolute != (path[0] == '/')) return NULL;
  path = skip_empty(path);
  for (uint32_t i = 0; i < directory->depth; i++) {
    size_t bytes = strlen(name);
    if (component_bytes(path) != bytes || memcmp(path, name, bytes) != 0) return NULL;
    path = skip_empty(path + bytes);
    name += bytes + 1;
  }
  return *path == '\0' ? "." : path;
}

const struct sf_directory *sf__grants_find(const struct sf_grants *grants, const char *path,
                                           const char **rest) {
  const struct sf_directory *best = NULL;
  for (uint32_t i = 0; i < grants->directories_count; i++) {
    const struct sf_directory *directory = &grants->directories[i];
    const char *found = match(directory, path);
    if (found == NULL || (best != NULL && directory->depth <= best->depth)) continue;
    best = directory;
    *rest = found;
  }
  return best;
}

bool sf__grants_allow(const struct sf_grants *grants, enum sf_endpoint_use use,
                      const struct sf_address *address) {
  size_t bytes = address->family == SF_FAMILY_IPV4 ? 4 : 16;
  for (uint32_t i = 0; i < grants->endpoints_count; i++) {
    const struct sf_endpoint *endpoint = &grants->endpoints[i];
    if (endpoint->use != use) continue;
    if (endpoint->port >= 0 && endpoint->port != address->port) continue;
    if (endpoint->family == 0) return true;
    /* An IPv4 address that is written as an IPv6 one is granted only as it is written. */
    if (endpoint->family != address->family) continue;
    if (memcmp(endpoint->bytes, address->bytes, bytes) == 0) return true;
  }
  return false;
}

void sf__grants_free(struct sf_grants *grants) {
  for (uint32_t i = 0; i < grants->directories_count; i++) {
    close(grants->directories[i].fd);
    free(grants->directories[i].prefix);
  }
  free(grants->directories);
  free(grants->endpoints);
  for (uint32_t i = 0; i < SF_NAMES; i++) free(grants->names[i].text);
  sf__grants_free_programs(&grants->programs);
  *grants = (struct sf_grants){ 0 };
}
