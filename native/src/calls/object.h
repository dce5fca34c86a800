/* object.h - what a path names, or what a handle has open, found so that nothing can take its place before it
 * is worked on. On Linux it is opened without access to what is in it; elsewhere it is a name in a directory
 * that is open, and never followed.
 */
#ifndef SF_OBJECT_H
#define SF_OBJECT_H

#include "calls/place.h"

struct sf_object {
  int fd;    /* it, or the directory that holds its name */
  bool open; /* a handle's: `fd` is not owned, and has been opened for more */
  bool named; /* it is parent.text in `fd` */
  struct sf_name parent; /* where it is named */
};

/* Returns 0, or a negated sf_errno. */
int32_t sf__object_find(struct sf_object *out, const struct sf_paths *paths);
void sf__object_release(const struct sf_object *object);

/* Return 0 or a negated sf_errno. */
int32_t sf__object_stat(const struct sf_object *object, struct sf_stat *out);
int32_t sf__object_access(const struct sf_object *object, uint32_t access);
int32_t sf__object_chmod(const struct sf_object *object, uint32_t mode);
int32_t sf__object_chown(const struct sf_object *object, uint32_t user, uint32_t group);
int32_t sf__object_times(const struct sf_object *object, const struct timespec times[2]);

/* enum sf_file_kind of what stat(2) says. */
uint32_t sf__file_kind(uint32_t mode);

#endif
