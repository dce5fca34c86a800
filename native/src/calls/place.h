/* place.h - where the paths of an operation lie, and how a thread gets there without leaving the
 * directory that the guest was given.
 *
 * Operations on names (unlink) need the directory that holds the last name, and then work on that name,
 * which they never follow. Operations on what a path names (chmod) open that, without any access. Both
 * are opened by sf__open_beneath. A path never reaches the system in another way.
 */
#ifndef SF_PLACE_H
#define SF_PLACE_H

#include <time.h>

#include "calls/calls.h"

struct sf_place {
  int directory;    /* granted, or a handle's; not owned */
  bool read_only;   /* nothing there may be changed */
  const char *text; /* the path beneath `directory`; NULL: the handle itself */
};

/* sf_op.kept of an operation on paths. sf_op.fd is a duplicate of the other directory, if that is a
 * handle's: the operation is linked to the first alone. */
struct sf_paths {
  struct sf_place at;
  struct sf_place other;
  uint16_t flags; /* enum sf_path_flags */
  uint32_t argument;
  uint32_t mode;
  int64_t offset;
  uint32_t out; /* guest: where the result goes */
  uint32_t out_bytes; /* 0: it has none */
  struct timespec times[2];
  struct sf_stat stat;
  char *link;  /* READLINK: room for out_bytes. SYMLINK: the target. In `text` */
  char text[];
};

/* A name in the directory that holds it. */
struct sf_name {
  int directory;
  bool owned;       /* `directory` is closed by sf__name_close */
  bool slash; /* one follows the name: it is meant to be a directory's */
  bool dots;        /* the path ends in "." or "..": there is no name */
  char text[SF_PATH_MAX + 1];
};

/* Finds where a path lies: in the directory `handle`, or, with NULL, in a granted one. Returns 0 and sets
 * *out, whose text is a part of `text`, or a negated sf_errno. */
int32_t sf__find_place(const struct sf_engine *engine, const struct sf_handle *handle,
                       const char *text, struct sf_place *out);

/* Opens the directory that holds the place's last name; with dots, the whole path was found to be a
 * directory. Returns 0 or a negated sf_errno. */
int32_t sf__name_open(struct sf_name *out, const struct sf_place *place);
void sf__name_close(const struct sf_name *name);

/* Whether the name is a directory's, no link followed: 1 or 0, or a negated sf_errno. */
int32_t sf__name_is_directory(const struct sf_name *name);

/* Opens a place beneath its directory. Returns the descriptor or a negated sf_errno. */
int32_t sf__place_open(const struct sf_place *place, int flags);

#endif
