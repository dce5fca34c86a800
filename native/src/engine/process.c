#define _GNU_SOURCE
#include "engine/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "engine/os-errno.h"

void sf__process_add(struct sf_engine *engine, struct sf_process *process) {
  process->next = engine->processes;
  process->previous = NULL;
  if (process->next != NULL) process->next->previous = process;
  engine->processes = process;
  engine->processes_count++;
}

bool sf__processes_full(const struct sf_engine *engine) {
  return engine->processes_count >= engine->base.handles.limit;
}

static void take_status(struct sf_process *process, const siginfo_t *info) {
  process->ended = true;
  const bool exited = info->si_code == CLD_EXITED;
  process->status = (struct sf_exit_status){
    .code = exited ? info->si_status & 0xFF : -1,
    .signal = exited ? 0 : (uint32_t)info->si_status,
  };
}

/* Reaps it; without WNOHANG in `flags` waits for its end. */
static int32_t reap(struct sf_process *process, int flags) {
  siginfo_t info = { .si_pid = 0 };
  while (waitid(P_PID, (id_t)process->pid, &info, WEXITED | flags) < 0) {
    if (errno == EINTR) continue;
    process->ended = process->unknown = true;
    return sf__error(errno);
  }
  if (info.si_pid == 0) return -SF_EAGAIN;
  take_status(process, &info);
  return 0;
}

int32_t sf__process_poll(struct sf_process *process) {
  if (process->ended) return process->unknown ? -SF_ECHILD : 0;
  return reap(process, WNOHANG);
}

int32_t sf__process_signal(struct sf_process *process, int signal) {
  /* The number is its own until it was reaped, which is done here alone. */
  if (sf__process_poll(process) != -SF_EAGAIN) return -SF_ESRCH;
  return kill(process->pid, signal) < 0 ? sf__error(errno) : 0;
}

void sf__process_remove(struct sf_engine *engine, struct sf_process *process) {
  *(process->previous == NULL ? &engine->processes : &process->previous->next) = process->next;
  if (process->next != NULL) process->next->previous = process->previous;
  engine->processes_count--;
  free(process);
}

/* Adds an operation that reaps it, and that the guest knows nothing of. Returns 0 or a negated sf_errno. */
static int32_t reap_later(struct sf_engine *engine, struct sf_process *process, int fd) {
  const struct sf_submission submission = { .op = SF_OP_WAIT, .handle = -1 };
  uint32_t index;
  struct sf_process_wait *wait = malloc(sizeof(*wait));
  if (wait == NULL) return -SF_ENOMEM;
  const int32_t err = sf__ops_add(&engine->ops, &submission, &index);
  if (err < 0) {
    free(wait);
    return err;
  }
  *wait = (struct sf_process_wait){ .process = process };
  struct sf_op *op = &engine->ops.items[index];
  op->kept = wait;
  op->fd = fd;
  op->silent = true;
  engine->silent++;
  const int32_t result = sf__engine_issue(engine, index);
  if (result != SF_STARTED) sf__engine_finish(engine, index, result);
  return 0;
}

int32_t sf__process_close(struct sf_engine *engine, struct sf_handle *handle) {
  struct sf_process *process = handle->process;
  const int fd = handle->fd;
  const bool lives = sf__process_poll(process) == -SF_EAGAIN;
  handle->fd = -1;
  handle->process = NULL;
  if (lives && reap_later(engine, process, fd) == 0) return 0;
  sf__engine_close_fd(engine, fd);
  /* One that lives and cannot be watched is reaped at the end. */
  if (!lives) sf__process_remove(engine, process);
  return 0;
}

void sf__processes_end(struct sf_engine *engine) {
  for (struct sf_process *at = engine->processes; at != NULL; at = at->next) {
    if (!at->ended) kill(at->pid, SIGKILL);
  }
  while (engine->processes != NULL) {
    if (!engine->processes->ended) reap(engine->processes, 0);
    sf__process_remove(engine, engine->processes);
  }
}
