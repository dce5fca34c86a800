/* binding-open.c - the life of a binding: open, woken, closed by whoever comes first. */
#include <stdlib.h>
#include <string.h>

#include "addon/binding.h"
#include "engine/mechanism.h"

static void release(struct binding *binding) {
  if (--binding->users == 0) free(binding);
}

static void on_env_end(void *data);

static void on_loop_discarded(void *context) {
  (void)context;
}

static void on_loop_closed(void *context) {
  struct binding *binding = context;
  if (binding->hook != NULL) {
    NAPI_MUST(napi_remove_async_cleanup_hook(binding->hook));
  } else if (!binding->ending) {
    NAPI_MUST(napi_remove_env_cleanup_hook(binding->env, on_env_end, binding));
  }
  release(binding);
}

/* Idempotent. The references are dropped by the caller, or die with the environment. */
static void close_binding(struct binding *binding) {
  if (binding->backend == NULL) return;
  struct sf_backend *backend = binding->backend;
  struct sf_host_loop *loop = binding->loop;
  binding->backend = NULL;
  binding->loop = NULL;
  /* The watch first, while its descriptor is open. */
  loop->ops->close(loop, on_loop_closed, binding);
  sf__backend_close(backend);
}

/* The environment ends: process exit, or the end of a worker, terminated or not. */
static void on_env_end(void *data) {
  struct binding *binding = data;
  binding->ending = true;
  close_binding(binding);
}

static void on_env_end_async(napi_async_cleanup_hook_handle hook, void *data) {
  struct binding *binding = data;
  (void)hook; /* the same one that on_loop_closed removes */
  close_binding(binding);
  sf__drop_references(binding);
}

/* libuv lets go of a watch later, so the end of the environment waits for it. A thread is joined at
 * once; and Deno frees the handle of an asynchronous hook itself. */
static void add_hook(struct binding *binding) {
  if (binding->wake_by_thread) {
    NAPI_MUST(napi_add_env_cleanup_hook(binding->env, on_env_end, binding));
  } else {
    NAPI_MUST(napi_add_async_cleanup_hook(binding->env, on_env_end_async, binding, &binding->hook));
  }
}

static void on_finalize(napi_env env, void *data, void *hint) {
  struct binding *binding = data;
  (void)env;
  (void)hint;
  if (binding->backend != NULL) {
    close_binding(binding);
    sf__drop_references(binding);
  }
  release(binding);
}

/* A threadsafe function runs where JavaScript may be called; libuv's callbacks do not. */
static napi_status call_wake(struct binding *binding, napi_value global, napi_value wake) {
  napi_value result; /* Deno writes it unasked */
  if (binding->wake_by_thread) {
    return napi_call_function(binding->env, global, wake, 0, NULL, &result);
  }
  return napi_make_callback(binding->env, NULL, global, wake, 0, NULL, &result);
}

/* Called by the event loop. */
static void on_wake(void *context) {
  struct binding *binding = context;
  napi_env env = binding->env;
  napi_handle_scope scope;
  napi_value global;
  napi_value wake;
  bool pending;

  /* A thread that was slower than a turn has nothing to say any more. */
  if (!sf__backend_woken(binding->backend) && !binding->poked) return;
  binding->counters[COUNTER_WAKES] = (double)++binding->wakes;
  binding->poked = false;
  sf__hold_loop(binding);
  if (binding->wake == NULL) return;

  NAPI_MUST(napi_open_handle_scope(env, &scope));
  NAPI_MUST(napi_get_global(env, &global));
  NAPI_MUST(napi_get_reference_value(env, binding->wake, &wake));
  /* Fails when the callback throws, and in a worker that is being terminated. */
  if (call_wake(binding, global, wake) != napi_ok) {
    NAPI_MUST(napi_is_exception_pending(env, &pending));
    if (pending) {
      napi_value error;
      NAPI_MUST(napi_get_and_clear_last_exception(env, &error));
      napi_fatal_exception(env, error);
    }
  }
  napi_close_handle_scope(env, scope);
}

static int32_t open_loop(struct sf_host_loop **out, const struct binding *binding) {
  if (binding->wake_by_thread) return sf__host_thread_open(out, binding->env);
#ifdef SF_WINDOWS
  return -SF_ENOSYS; /* libuv watches nothing but sockets there */
#else
  return sf__host_loop_open(out, binding->env);
#endif
}

static int32_t open_parts(struct binding *binding, const struct sf_mechanism *mechanism,
                          struct sf_options options) {
  struct sf_host_loop *loop;
  int32_t err = open_loop(&loop, binding);
  if (err < 0) return err;

  struct sf_backend *backend;
  options.host_loop_fd = loop->ops->fd(loop);
  err = sf__backend_open(&backend, mechanism, &options);
  if (err < 0) goto fail_backend;

  err = loop->ops->watch(loop, backend->wake_fd, on_wake, binding);
  if (err < 0) goto fail_watch;

  binding->loop = loop;
  binding->backend = backend;
  return 0;

fail_watch:
  loop->ops->close(loop, on_loop_discarded, NULL);
  sf__backend_close(backend);
  return err;
fail_backend:
  loop->ops->close(loop, on_loop_discarded, NULL);
  return err;
}

/* Those of this build; NULL: it has none of that name. */
static const struct sf_mechanism *find_mechanism(const char *name) {
  static const struct sf_mechanism *const all[] = {
#ifdef SF_LINUX
    &sf__uring,
    &sf__epoll,
    &sf__poll,
#elif defined(SF_WINDOWS)
    &sf__iocp,
#else
    &sf__kqueue,
    &sf__poll,
#endif
  };
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    if (strcmp(all[i]->name, name) == 0) return all[i];
  }
  return NULL;
}

/* open(mechanism: string, handlesMax: number, entries: number, counters: Float64Array, wakeByThread: boolean,
 *   pool: Uint8Array): Handle | number */
napi_value sf__binding_open(napi_env env, napi_callback_info info) {
  napi_value values[6];
  size_t given = 6;
  char name[16];
  struct sf_options options;
  void *counters;
  void *pool;
  size_t length;
  bool wake_by_thread;
  napi_value handle;

  NAPI_MUST(napi_get_cb_info(env, info, &given, values, NULL, NULL));
  NAPI_MUST(napi_get_value_string_utf8(env, values[0], name, sizeof(name), NULL));
  NAPI_MUST(napi_get_value_uint32(env, values[1], &options.handles_max));
  NAPI_MUST(napi_get_value_uint32(env, values[2], &options.entries));
  NAPI_MUST(napi_get_typedarray_info(env, values[3], NULL, &length, &counters, NULL, NULL));
  NAPI_MUST(napi_get_value_bool(env, values[4], &wake_by_thread));
  const struct sf_mechanism *mechanism = find_mechanism(name);
  if (mechanism == NULL) return sf__int_result(env, -SF_ENOSYS);
  if (length < COUNTERS) return sf__int_result(env, -SF_EINVAL);
  NAPI_MUST(napi_get_typedarray_info(env, values[5], NULL, &length, &pool, NULL, NULL));
  if (length != sizeof(options.pool.bytes)) return sf__int_result(env, -SF_EINVAL);
  memcpy(options.pool.bytes, pool, length);

  struct binding *binding = calloc(1, sizeof(*binding));
  if (binding == NULL) return sf__int_result(env, -SF_ENOMEM);
  binding->env = env;
  binding->counters = counters;
  binding->wake_by_thread = wake_by_thread;
  int32_t err = open_parts(binding, mechanism, options);
  if (err < 0) {
    free(binding);
    return sf__int_result(env, err);
  }
  sf__set_reference(env, &binding->counters_array, values[3]);
  add_hook(binding);
  NAPI_MUST(napi_create_external(env, binding, on_finalize, NULL, &handle));
  binding->users = 2;
  return handle;
}

/* close(handle): void. The handle must not be used again. */
napi_value sf__binding_close(napi_env env, napi_callback_info info) {
  struct binding *binding = sf__arguments(env, info, 0, NULL);
  close_binding(binding);
  sf__drop_references(binding);
  return NULL;
}
