/* host-thread.c - any runtime's event loop: a thread waits for the descriptor and calls a
 * threadsafe function, which the runtime brings to the thread of JavaScript.
 *
 * Deno delays such a call, until something else wakes its event loop, when it comes while the loop is
 * turning. So the thread repeats the call until it has been answered.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "addon/edge.h"
#include "addon/host-loop.h"
#include "engine/doorbell.h"
#include "engine/os-errno.h"
#include "engine/thread.h"
#include "stackful/abi.h"

/* How long a call may go unanswered, at first; a thread of JavaScript that is busy is asked less and
 * less often. */
#define RETRY_MS 2
#define RETRY_MS_MAX 256

struct host_thread {
  struct sf_host_loop base; /* first: a struct sf_host_loop * is a struct host_thread * */
  napi_env env;
  napi_threadsafe_function function;
  pthread_t thread;
  bool watching; /* the thread runs, and `function` is ours to use */
  bool held;
  struct sf_edge edge; /* waits for what is watched, and for `stop`; open while watching */
  struct sf_doorbell stop; /* the thread is to end */
  atomic_bool asked; /* `function` was called, and `ready` was not yet */
  sf_host_loop_callback ready;
  void *context;
};

static void ask(struct host_thread *host) {
  /* Fails when the environment is ending: then nobody is there to answer. */
  napi_call_threadsafe_function(host->function, NULL, napi_tsfn_nonblocking);
}

static void *wait_and_ask(void *argument) {
  struct host_thread *host = argument;
  int retry_ms = -1;
  for (;;) {
    const int events = sf__edge_wait(&host->edge, retry_ms);
    if ((events & SF_EDGE_STOP) != 0) return NULL;
    if ((events & SF_EDGE_READY) != 0) {
      if (!atomic_exchange(&host->asked, true)) ask(host);
      retry_ms = RETRY_MS;
    } else if (!atomic_load(&host->asked)) {
      retry_ms = -1;
    } else if (retry_ms >= 0) {
      ask(host);
      if (retry_ms < RETRY_MS_MAX) retry_ms *= 2;
    }
  }
}

/* On the thread of JavaScript. `env` is NULL when the environment is ending. */
static void on_call(napi_env env, napi_value callback, void *context, void *data) {
  struct host_thread *host = context;
  (void)callback;
  (void)data;
  if (env == NULL || !host->watching) return;
  if (atomic_exchange(&host->asked, false)) host->ready(host->context);
}

/* No call is on its way any more. */
static void on_finalize(napi_env env, void *host, void *hint) {
  (void)env;
  (void)hint;
  free(host);
}

static bool create_function(struct host_thread *host) {
  napi_value name;
  return napi_create_string_utf8(host->env, "stackful", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_create_threadsafe_function(host->env, NULL, NULL, name, 0, 1, host, on_finalize, host,
                                         on_call, &host->function) == napi_ok;
}

static int32_t thread_watch(struct sf_host_loop *base, int fd, sf_host_loop_callback ready,
                            void *context) {
  struct host_thread *host = (struct host_thread *)base;
  host->ready = ready;
  host->context = context;
  const int32_t failed = sf__edge_open(&host->edge, fd, host->stop.fd);
  if (failed < 0) return failed;
  const int err = sf__thread_create(&host->thread, wait_and_ask, host, 0);
  if (err != 0) {
    sf__edge_close(&host->edge);
    return sf__error(err);
  }
  host->watching = true;
  return 0;
}

static void thread_hold(struct sf_host_loop *base, bool hold) {
  struct host_thread *host = (struct host_thread *)base;
  if (hold == host->held || !host->watching) return;
  host->held = hold;
  if (hold) {
    napi_ref_threadsafe_function(host->env, host->function);
  } else {
    napi_unref_threadsafe_function(host->env, host->function);
  }
}

static int thread_fd(const struct sf_host_loop *base) {
  (void)base;
  return -1;
}

static int32_t thread_timeout_ms(struct sf_host_loop *base) {
  (void)base;
  return -1;
}

static void thread_close(struct sf_host_loop *base, sf_host_loop_callback closed, void *context) {
  struct host_thread *host = (struct host_thread *)base;
  if (host->watching) {
    sf__doorbell_ring(&host->stop);
    pthread_join(host->thread, NULL);
    thread_hold(base, false);
    host->watching = false;
    sf__edge_close(&host->edge);
  }
  sf__doorbell_close(&host->stop);
  /* Calls that are on their way still find `host`, until on_finalize. */
  napi_release_threadsafe_function(host->function, napi_tsfn_abort);
  closed(context);
}

static const struct sf_host_loop_ops thread_ops = {
  .watch = thread_watch,
  .hold = thread_hold,
  .fd = thread_fd,
  .timeout_ms = thread_timeout_ms,
  .close = thread_close,
};

int32_t sf__host_thread_open(struct sf_host_loop **out, napi_env env) {
  struct host_thread *host = calloc(1, sizeof(*host));
  if (host == NULL) return -SF_ENOMEM;
  host->base.ops = &thread_ops;
  host->env = env;
  const int32_t err = sf__doorbell_open(&host->stop);
  if (err < 0) {
    free(host);
    return err;
  }
  if (!create_function(host)) {
    sf__doorbell_close(&host->stop);
    free(host);
    return -SF_ENOMEM;
  }
  napi_unref_threadsafe_function(env, host->function);
  *out = &host->base;
  return 0;
}
