/* grants.h - what the guest may reach: directories, endpoints and names. Nothing that is not listed. */
#ifndef SF_GRANTS_H
#define SF_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "stackful/abi.h"

struct sf_directory {
  int fd; /* opened with SF_WALK_FLAGS, owned */
  bool read_only;
  bool absolute;  /* the guest's name for it begins with a slash */
  uint32_t depth; /* components in `prefix` */
  char *prefix;   /* the guest's name: components ended by NUL each, owned */
};

enum sf_endpoint_use {
  SF_ENDPOINT_CONNECT = 0,
  SF_ENDPOINT_LISTEN = 1, /* TCP */
  SF_ENDPOINT_BIND = 2,   /* UDP */
};

struct sf_endpoint {
  uint8_t use;    /* enum sf_endpoint_use */
  uint8_t family; /* enum sf_family, or 0: any address of either */
  uint8_t bytes[16];
  int32_t port; /* -1: any */
};

/* One of enum sf_resolver. */
struct sf_names {
  uint8_t *text; /* owned */
  uint32_t bytes;
};

#define SF_NAMES 2

/* A descriptor that stands for one of the host's own streams. */
struct sf_stream {
  bool granted;
  int fd; /* not owned */
};

#define SF_STREAMS 3

struct sf_grants {
  struct sf_directory *directories; /* owned */
  uint32_t directories_count;
  struct sf_endpoint *endpoints; /* owned */
  uint32_t endpoints_count;
  bool names_granted;
  struct sf_names names[SF_NAMES];
  struct sf_stream stdio[SF_STREAMS];
};

/* Opens `host_path` and grants it under `guest_path`. Returns 0 or a negated sf_errno. */
int32_t sf__grants_add_directory(struct sf_grants *grants, const char *host_path,
                                 const char *guest_path, bool read_only);

/* Returns 0 or -SF_ENOMEM. */
int32_t sf__grants_add_endpoint(struct sf_grants *grants, struct sf_endpoint endpoint);

/* Grants names, and sets one of the two texts to a copy of `text`. Returns 0 or -SF_ENOMEM. */
int32_t sf__grants_set_names(struct sf_grants *grants, uint32_t which, const void *text,
                             uint32_t bytes);

/* Finds the grant with the longest name that is a prefix of `path`, component by component. Returns
 * it and points *rest at what follows (never empty, never absolute), or returns NULL. Says nothing
 * about ".." or links in the rest: the kernel resolves that beneath the directory. */
const struct sf_directory *sf__grants_find(const struct sf_grants *grants, const char *path,
                                           const char **rest);

bool sf__grants_allow(const struct sf_grants *grants, enum sf_endpoint_use use,
                      const struct sf_address *address);

void sf__grants_free(struct sf_grants *grants);

#endif
