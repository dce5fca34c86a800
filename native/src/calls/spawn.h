/* spawn.h - what SPAWN keeps from its request to the child's handle. */
#ifndef SF_SPAWN_H
#define SF_SPAWN_H

#include "calls/calls.h"
#include "engine/process.h"


struct sf_stream_request {
  uint32_t kind; /* enum sf_process_stdio */
  uint32_t place; /* PIPE: reserved for the guest's end; else SF_NONE */
  int given;     /* HANDLE: what the child gets. PIPE, once started: the guest's end. Owned; else -1 */
};

/* sf_op.kept of SPAWN. */
struct sf_spawn {
  struct sf_process *process; /* owned until it is started */
  struct sf_strings programs; /* to be tried one after the other; owned */
  struct sf_path *directory;  /* NULL: where the host is; owned */
  uint32_t request;           /* guest: where the handles of pipes go */
  struct sf_stream_request streams[SF_STREAMS];
  char **arguments;   /* these point into `text`, and lie in front of it */
  char **environment;
  char *text;
  void *room[];
};

/* Closes and frees what the request still owns, its places too. */
void sf__spawn_free(struct sf_engine *engine, struct sf_spawn *spawn);

/* Starts `spawn->process`, whose streams come from `streams`, in `directory`, or with -1 where the host is.
 * Returns 0 or a negated sf_errno. */
int32_t sf__spawn_program(const struct sf_spawn *spawn, const int streams[SF_STREAMS], int directory);

/* What a child gets of a descriptor: one that blocks, at 3 or above, closed by exec. Where the system has none but
 * `fd` itself, that blocks too from now on, and *shared becomes true; or, unless it `may`, the result is
 * -SF_EBUSY. Returns it or a negated sf_errno. */
int32_t sf__child_descriptor(int fd, bool may, bool *shared);

/* The same of what others use too, and which therefore stays as it is. */
int32_t sf__inherited_descriptor(int fd);

#endif
