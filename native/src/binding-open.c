/* binding-open.c - the life of a binding: open, woken, closed by whoever comes first. */
#include <stdlib.h>

#include "binding.h"

static void release(struct binding *binding) {
  if (--binding->users == 0) free(binding);
}

static void on_loop_discarded(void *context) {
  (void)context;
}

static void on_loop_closed(void *context) {
  struct binding *binding = context;
  NAPI_MUST(napi_remove_async_cleanup_hook(binding->hook));
  release(binding);
}

/* Idempotent. The references die with the environment, or are dropped by the caller. */
static void close_binding(struct binding *binding) {
  if (binding->backend == NULL) return;
  struct sf_backend *backend = binding->backend;
  struct sf_host_loop *loop = binding->loop;
  binding->backend = NULL;
  binding->loop = NULL;
  /* The watch first, while its descriptor is open. */
  sf__host_loop_close(loop, on_loop_closed, binding);
  backend->ops->close(backend);
}

/* The environment ends: process exit, or the end of a worker, terminated or not. */
static void on_cleanup(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook; /* the same one that on_loop_closed removes */
  close_binding(data);
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

/* Called by the event loop. */
static void on_wake(void *context) {
  struct binding *binding = context;
  napi_env env = binding->env;
  napi_handle_scope scope;
  napi_value global;
  napi_value wake;
  bool pending;

  binding->backend->ops->woken(binding->backend);
  binding->counters[COUNTER_WAKES] = (double)++binding->wakes;
  binding->poked = false;
  sf__hold_loop(binding);
  if (binding->wake == NULL) return;

  NAPI_MUST(napi_open_handle_scope(env, &scope));
  NAPI_MUST(napi_get_global(env, &global));
  NAPI_MUST(napi_get_reference_value(env, binding->wake, &wake));
  /* Fails when the callback throws, and in a worker that is being terminated. */
  if (napi_make_callback(env, NULL, global, wake, 0, NULL, NULL) != napi_ok) {
    NAPI_MUST(napi_is_exception_pending(env, &pending));
    if (pending) {
      napi_value error;
      NAPI_MUST(napi_get_and_clear_last_exception(env, &error));
      napi_fatal_exception(env, error);
    }
  }
  napi_close_handle_scope(env, scope);
}

static int32_t open_parts(struct binding *binding, struct sf_options options) {
  struct uv_loop_s *uv_loop;
  if (napi_get_uv_event_loop(binding->env, &uv_loop) != napi_ok) return -SF_ENOSYS;

  struct sf_host_loop *loop;
  int32_t err = sf__host_loop_open(&loop, uv_loop);
  if (err < 0) return err;

  struct sf_backend *backend;
  options.host_loop_fd = sf__host_loop_fd(loop);
  err = sf__uring.open(&backend, &options);
  if (err < 0) goto fail_backend;

  err = sf__host_loop_watch(loop, backend->wake_fd, on_wake, binding);
  if (err < 0) goto fail_watch;

  binding->loop = loop;
  binding->backend = backend;
  return 0;

fail_watch:
  backend->ops->close(backend);
fail_backend:
  sf__host_loop_close(loop, on_loop_discarded, NULL);
  return err;
}

/* open(handlesMax: number, entries: number, counters: Float64Array): Handle | number */
napi_value sf__binding_open(napi_env env, napi_callback_info info) {
  napi_value values[3];
  size_t given = 3;
  struct sf_options options;
  void *counters;
  size_t length;
  napi_value handle;

  NAPI_MUST(napi_get_cb_info(env, info, &given, values, NULL, NULL));
  NAPI_MUST(napi_get_value_uint32(env, values[0], &options.handles_max));
  NAPI_MUST(napi_get_value_uint32(env, values[1], &options.entries));
  NAPI_MUST(napi_get_typedarray_info(env, values[2], NULL, &length, &counters, NULL, NULL));
  if (length < COUNTERS) return sf__int_result(env, -SF_EINVAL);

  struct binding *binding = calloc(1, sizeof(*binding));
  if (binding == NULL) return sf__int_result(env, -SF_ENOMEM);
  binding->env = env;
  binding->counters = counters;
  int32_t err = open_parts(binding, options);
  if (err < 0) {
    free(binding);
    return sf__int_result(env, err);
  }
  sf__set_reference(env, &binding->counters_array, values[2]);
  NAPI_MUST(napi_add_async_cleanup_hook(env, on_cleanup, binding, &binding->hook));
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
