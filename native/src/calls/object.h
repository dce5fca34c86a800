/* object.h - what a path names, or what is open. Links were followed, or are meant themselves.
 *
 *   object-linux.c      it is opened, without access to what is in it
 *   object-portable.c   it is a name in a directory, and is not followed
 */
#ifndef SF_OBJECT_H
#define SF_OBJECT_H

#include <sys/stat.h>

#include "calls/beneath.h"
#include "calls/place.h"

struct sf_object {
  bool open;           /* it is the handle's */
  int fd;              /* open, or opened for this; -1: it is a name */
  struct sf_last last; /* the name */
};

/* All return 0 or a negated sf_errno. */
int32_t sf__object_open(struct sf_object *out, const struct sf_paths *paths);
void sf__object_close(const struct sf_object *object);

int32_t sf__object_stat(const struct sf_object *object, struct sf_stat *out);
int32_t sf__object_access(const struct sf_object *object, uint32_t access);
int32_t sf__object_chmod(const struct sf_object *object, mode_t mode);
int32_t sf__object_chown(const struct sf_object *object, uint32_t user, uint32_t group);
int32_t sf__object_set_times(const struct sf_object *object, const struct timespec times[2]);

/* The sf_stat kind of a mode. */
uint32_t sf__kind_of(uint32_t mode);

#endif
