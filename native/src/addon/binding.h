/* binding.h - what the files of the Node-API surface share.
 *
 * No file outside this folder knows Node-API. These unpack arguments, call the backend and pack the
 * result; they never throw and never interpret: results cross as >= 0 or a negated sf_errno, which
 * ts/host/native/native-backend.ts turns into a StackfulError. All state hangs on the handle that open
 * returns, so any number of environments (worker threads) can use one loaded addon.
 *
 * Lifetimes. A binding is used by the JavaScript handle, and by the environment's cleanup hook
 * until the event loop has let go of the watch. The last of the two to end frees it.
 */
#ifndef SF_BINDING_H
#define SF_BINDING_H

#include <node_api.h>

#include "engine/backend.h"
#include "addon/host-loop.h"

/* What a turn tells besides its result; ts/host/native/addon.ts has the same list. */
enum counter {
  COUNTER_PENDING,
  COUNTER_HANDLES_OPEN,
  COUNTER_HOST_LOOP_READY,
  COUNTER_NATIVE_CALLS,
  COUNTER_SYSTEM_CALLS,
  COUNTER_SUBMISSIONS,
  COUNTER_COMPLETIONS,
  COUNTER_WAKES,
  COUNTERS,
};

struct binding {
  napi_env env;
  struct sf_backend *backend; /* NULL once closed */
  struct sf_host_loop *loop;  /* NULL once closed */
  napi_async_cleanup_hook_handle hook; /* NULL: a plain one */
  napi_ref memory;  /* the view of guest memory: keeps what the kernel writes to alive */
  napi_ref wake;
  napi_ref counters_array;
  double *counters; /* the elements of counters_array */
  uint64_t wakes;
  bool poked; /* a poke has not been answered */
  bool wake_by_thread; /* `loop` is a host-thread.c */
  bool ending;         /* the environment is */
  uint32_t users;
};

/* A Node-API call that fails here is a bug in this file, so it ends the process with its text. */
#define NAPI_MUST(call) \
  do { \
    if ((call) != napi_ok) \
      napi_fatal_error(__FILE__, NAPI_AUTO_LENGTH, #call, NAPI_AUTO_LENGTH); \
  } while (0)

napi_value sf__int_result(napi_env env, int32_t result);

/* Unpacks the handle and `count` more arguments. */
struct binding *sf__arguments(napi_env env, napi_callback_info info, size_t count,
                              napi_value *out);

/* Has *reference hold `value`, or nothing. */
void sf__set_reference(napi_env env, napi_ref *reference, napi_value value);
void sf__drop_references(struct binding *binding);

/* Has the event loop live while something is under way. */
void sf__hold_loop(struct binding *binding);

/* binding-open.c */
napi_value sf__binding_open(napi_env env, napi_callback_info info);
napi_value sf__binding_close(napi_env env, napi_callback_info info);

/* binding-grants.c */
napi_value sf__binding_grant_directory(napi_env env, napi_callback_info info);
napi_value sf__binding_grant_endpoint(napi_env env, napi_callback_info info);
napi_value sf__binding_grant_programs(napi_env env, napi_callback_info info);
napi_value sf__binding_grant_names(napi_env env, napi_callback_info info);
napi_value sf__binding_grant_stdio(napi_env env, napi_callback_info info);
napi_value sf__binding_adopt(napi_env env, napi_callback_info info);
napi_value sf__binding_release(napi_env env, napi_callback_info info);
napi_value sf__binding_adopt_released(napi_env env, napi_callback_info info);

#endif
