/* process.c - the handles that SPAWN makes; WAIT and KILL. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "calls/spawn.h"

/* Makes the guest's ends of the pipes handles, and tells it. */
static void open_pipes(struct sf_engine *engine, struct sf_spawn *spawn) {
  struct sf_handles *handles = &engine->base.handles;
  for (int i = 0; i < SF_STREAMS; i++) {
    struct sf_stream_request *stream = &spawn->streams[i];
    if (stream->place == SF_NONE) continue;
    handles->items[stream->place].pipe = true;
    handles->items[stream->place].polled = true;
    const int32_t handle =
      sf__handles_open(handles, stream->place, SF_HANDLE_STREAM, stream->given);
    stream->place = SF_NONE;
    stream->given = -1;
    /* Was in range when the operation began, and a memory never shrinks. */
    struct sf_process_request *request =
      sf__guest_range(&engine->base.guest, spawn->request, sizeof(*request));
    if (request != NULL) memcpy(&request->stdio[i].handle, &handle, sizeof(handle));
  }
}

int32_t sf__finish_spawn(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  struct sf_spawn *spawn = op->kept;
  if (result >= 0) {
    sf__process_add(engine, spawn->process);
    engine->base.handles.items[op->opens].process = spawn->process;
    spawn->process = NULL;
    open_pipes(engine, spawn);
  }
  sf__spawn_free(engine, spawn);
  return result;
}

int32_t sf__check_wait(struct sf_engine *engine, const struct sf_submission *submission,
                       const struct sf_handle *handle, struct sf_draft *draft) {
  const uint32_t out = submission->pointer;
  if (sf__guest_range(&engine->base.guest, out, sizeof(struct sf_exit_status)) == NULL)
    return -SF_EFAULT;
  struct sf_process_wait *wait = malloc(sizeof(*wait));
  if (wait == NULL) return -SF_ENOMEM;
  *wait = (struct sf_process_wait){ .process = handle->process, .out = out };
  draft->kept = wait;
  return SF_STARTED;
}

int32_t sf__call_wait(const struct sf_call *call) {
  const struct sf_process_wait *wait = call->kept;
  return sf__process_poll(wait->process);
}

int32_t sf__finish_wait(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  const struct sf_process_wait *wait = op->kept;
  if (op->silent) {
    sf__engine_close_fd(engine, op->fd);
    if (wait->process->ended) sf__process_remove(engine, wait->process);
    return result;
  }
  if (result < 0) return result;
  void *out = sf__guest_range(&engine->base.guest, wait->out, sizeof(wait->process->status));
  if (out == NULL) return -SF_EFAULT;
  memcpy(out, &wait->process->status, sizeof(wait->process->status));
  return 0;
}

/* The system's number of a signal; 0: none that a guest may send. */
static int os_signal(uint32_t kind) {
  switch (kind) {
    case SF_SIGNAL_INTERRUPT:
      return SIGINT;
    case SF_SIGNAL_TERMINATE:
      return SIGTERM;
    case SF_SIGNAL_HANGUP:
      return SIGHUP;
    case SF_SIGNAL_QUIT:
      return SIGQUIT;
    case SF_SIGNAL_USER1:
      return SIGUSR1;
    case SF_SIGNAL_USER2:
      return SIGUSR2;
    case SF_SIGNAL_WINDOW:
      return SIGWINCH;
    case SF_SIGNAL_KILL:
      return SIGKILL;
    default:
      return 0;
  }
}

int32_t sf__kill(struct sf_engine *engine, const struct sf_submission *submission,
                 struct sf_handle *handle) {
  const int signal = os_signal(submission->argument);
  (void)engine;
  return signal == 0 ? -SF_EINVAL : sf__process_signal(handle->process, signal);
}
