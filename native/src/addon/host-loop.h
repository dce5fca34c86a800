/* host-loop.h - the event loop of the host, as far as a backend needs it. Two implementations:
 *
 *   host-loop.c     Node: its libuv watches the descriptor
 *   host-thread.c   any runtime with Node-API: a thread waits for the descriptor
 *
 * The caller chooses by the name of the runtime. The process cannot be asked: other runtimes export
 * libuv's names too, and stop the process, or lose wake-ups, when the functions are called.
 */
#ifndef SF_HOST_LOOP_H
#define SF_HOST_LOOP_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

typedef void (*sf_host_loop_callback)(void *context);

struct sf_host_loop {
  const struct sf_host_loop_ops *ops;
};

struct sf_host_loop_ops {
  /* Calls `ready` from the event loop while `fd` is readable; once or more for each time that it became
   * so, and for news that come while it is. Returns 0 or a negated sf_errno. */
  int32_t (*watch)(struct sf_host_loop *loop, int fd, sf_host_loop_callback ready, void *context);
  /* Whether the watch keeps the event loop, and with it the process, alive. At first it does not. */
  void (*hold)(struct sf_host_loop *loop, bool hold);
  /* Readable when the event loop has work; -1: that cannot be seen. */
  int (*fd)(const struct sf_host_loop *loop);
  /* How long the event loop would sleep, in milliseconds: 0 has work to do, -1 no limit, or it
   * cannot be seen. */
  int32_t (*timeout_ms)(struct sf_host_loop *loop);
  /* Ends the watch; `ready` is not called any more, and `fd` not used. The event loop may still have
   * to let go of it: then `closed` is called, which can be at once. `loop` is freed later. */
  void (*close)(struct sf_host_loop *loop, sf_host_loop_callback closed, void *context);
};

/* Returns 0 and sets *out; -SF_ENOSYS when the process has no libuv, -SF_ENOMEM. */
int32_t sf__host_loop_open(struct sf_host_loop **out, napi_env env);

/* Returns 0 and sets *out, or a negated sf_errno. */
int32_t sf__host_thread_open(struct sf_host_loop **out, napi_env env);

#endif
