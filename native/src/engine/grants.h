/* grants.h - what the guest may reach: directories, endpoints, names and programs. Nothing that is not listed. */
#ifndef SF_GRANTS_H
#define SF_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
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

/* Strings one behind the other, each with a zero at its end. */
struct sf_strings {
  char *text; /* owned */
  size_t bytes;
};

/* Which programs it may start, and with what environment. */
struct sf_programs {
  bool granted;
  bool any;          /* program: `list` is the directories in which names are looked for */
  bool any_variable;
  struct sf_strings list;      /* absolute paths */
  struct sf_strings variables; /* names of those that a child may be given */
};

struct sf_grants {
  struct sf_directory *directories; /* owned */
  uint32_t directories_count;
  struct sf_endpoint *endpoints; /* owned */
  uint32_t endpoints_count;
  bool names_granted;
  struct sf_names names[SF_NAMES];
  struct sf_stream stdio[SF_STREAMS];
  struct sf_programs programs;
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

/* Grants programs; both lists are copied. Returns 0 or -SF_ENOMEM. */
int32_t sf__grants_set_programs(struct sf_grants *grants, const struct sf_programs *programs);

/* What a guest means by `name`, in the order in which it is to be tried: into `out`, from malloc. Returns 0,
 * -SF_ENOTCAPABLE for what is not granted, -SF_EINVAL for a path that is not absolute, -SF_ENOMEM. */
int32_t sf__grants_find_program(const struct sf_grants *grants, const char *name,
                                struct sf_strings *out);

/* Whether a child may be given it: "NAME=VALUE". */
bool sf__grants_allow_variable(const struct sf_grants *grants, const char *entry);

/* The string behind `at`, or the first with NULL; NULL: there is none. */
const char *sf__strings_next(const struct sf_strings *strings, const char *at);

bool sf__grants_allow(const struct sf_grants *grants, enum sf_endpoint_use use,
                      const struct sf_address *address);

void sf__grants_free_programs(struct sf_programs *programs);
void sf__grants_free(struct sf_grants *grants);

#endif
