/* beneath.h - opens a path that must not leave a directory. */
#ifndef SF_BENEATH_H
#define SF_BENEATH_H

#include <stdint.h>

/* As openat(2), except that neither ".." nor a link leads out of `directory`: then it fails with
 * EXDEV. Returns the descriptor, or -1 and sets errno. */
int sf__open_beneath(int directory, const char *path, int flags, uint32_t mode);

/* The same, in a way that needs nothing of the system: see walk.c. */
int sf__open_by_walking(int directory, const char *path, int flags, uint32_t mode);

/* The same, for a file without a name in the directory that `path` names. */
int sf__open_unnamed(int directory, const char *path, int flags, uint32_t mode);

#endif
