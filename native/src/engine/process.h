/* process.h - the child processes of a backend. They are its children until it has reaped them, whether
 * the guest still has a handle or not; closing the backend kills those that are left.
 *
 * Each has a descriptor that is readable once it has ended (sf__os_exit_descriptor), which is its handle's.
 * Nothing here asks for SIGCHLD, or waits for a child that is not the backend's.
 */
#ifndef SF_PROCESS_H
#define SF_PROCESS_H

#include <sys/types.h>

#include "engine/engine.h"

struct sf_process {
  pid_t pid;
  bool ended;   /* and reaped: the number may be another's by now */
  bool unknown; /* somebody else reaped it */
  struct sf_exit_status status;
  struct sf_process *next;
  struct sf_process *previous;
};

/* Puts a child into the engine's list, which owns the record, from malloc, from then on. */
void sf__process_add(struct sf_engine *engine, struct sf_process *process);

/* Whether one more may be started. A guest may close handles of those that go on. */
bool sf__processes_full(const struct sf_engine *engine);

/* Reaps it if it has ended. Returns 0 once it has, -SF_EAGAIN until then, or -SF_ECHILD: nobody can tell
 * how it ended. */
int32_t sf__process_poll(struct sf_process *process);

/* As kill(2). Returns 0 or a negated sf_errno. */
int32_t sf__process_signal(struct sf_process *process, int signal);

/* Takes it out of the list and frees it. */
void sf__process_remove(struct sf_engine *engine, struct sf_process *process);

/* Its handle is being closed: gives the descriptor back, once it has ended. Returns what CLOSE results in. */
int32_t sf__process_close(struct sf_engine *engine, struct sf_handle *handle);

/* Kills those that are left, and waits for them. */
void sf__processes_end(struct sf_engine *engine);

/* sf_op.kept of WAIT, and of the operation that waits for a child without a handle. */
struct sf_process_wait {
  struct sf_process *process;
  uint32_t out; /* where the guest wants the status */
};

#endif
