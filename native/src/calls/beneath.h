/* beneath.h - opens a path that must not leave a directory. */
#ifndef SF_BENEATH_H
#define SF_BENEATH_H

#include <stdbool.h>
#include <stdint.h>

#include "stackful/abi.h"

/* As openat(2), except that neither ".." nor a link leads out of `directory`: then it fails with
 * EXDEV. Returns the descriptor, or -1 and sets errno. */
int sf__open_beneath(int directory, const char *path, int flags, uint32_t mode);

/* The same, in a way that needs nothing of the system: see walk.c. */
int sf__open_by_walking(int directory, const char *path, int flags, uint32_t mode);

/* The last name of a path, in the directory that holds it. */
struct sf_last {
  int directory; /* to be closed */
  bool slash;    /* one follows: it is meant to be a directory's */
  char name[SF_PATH_MAX + 1]; /* ".": the directory itself */
};

/* Walks to the last name of a path. It is no link, or nothing, when that was to be followed; whoever uses
 * it does not follow one that it has become since. Returns 0, or -1 and sets errno. */
int sf__walk_to_last(int directory, const char *path, bool follow_last, struct sf_last *out);

/* The same, for a file without a name in the directory that `path` names. */
int sf__open_unnamed(int directory, const char *path, int flags, uint32_t mode);

#endif
