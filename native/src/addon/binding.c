/* binding.c - the functions that JavaScript calls while a backend is open, and the table of all. */
#include "addon/binding.h"

#include "engine/discard.h"

/* Worker.terminate() cannot interrupt native code, so no wait is longer. */
#define WAIT_NS_MAX 1000000000

napi_value sf__int_result(napi_env env, int32_t result) {
  napi_value value;
  NAPI_MUST(napi_create_int32(env, result, &value));
  return value;
}

struct binding *sf__arguments(napi_env env, napi_callback_info info, size_t count,
                                 napi_value *out) {
  napi_value values[5];
  size_t given = count + 1;
  void *binding;
  NAPI_MUST(napi_get_cb_info(env, info, &given, values, NULL, NULL));
  NAPI_MUST(napi_get_value_external(env, values[0], &binding));
  for (size_t i = 0; i < count; i++) out[i] = values[i + 1];
  return binding;
}

void sf__set_reference(napi_env env, napi_ref *reference, napi_value value) {
  napi_ref next;
  NAPI_MUST(napi_create_reference(env, value, 1, &next));
  if (*reference != NULL) NAPI_MUST(napi_delete_reference(env, *reference));
  *reference = next;
}

static void drop_reference(napi_env env, napi_ref *reference) {
  if (*reference != NULL) NAPI_MUST(napi_delete_reference(env, *reference));
  *reference = NULL;
}

void sf__drop_references(struct binding *binding) {
  drop_reference(binding->env, &binding->memory);
  drop_reference(binding->env, &binding->wake);
  drop_reference(binding->env, &binding->counters_array);
}

void sf__hold_loop(struct binding *binding) {
  binding->loop->ops->hold(binding->loop, binding->poked || binding->backend->pending > 0);
}

/* bind(handle, memory: Uint8Array, shared: number, moves: boolean): number
 * A view, not its buffer: some runtimes give no address for a SharedArrayBuffer. */
static napi_value binding_bind(napi_env env, napi_callback_info info) {
  napi_value values[3];
  void *base;
  size_t bytes;
  uint32_t shared;
  bool moves;
  struct binding *binding = sf__arguments(env, info, 3, values);
  NAPI_MUST(napi_get_typedarray_info(env, values[0], NULL, &bytes, &base, NULL, NULL));
  NAPI_MUST(napi_get_value_uint32(env, values[1], &shared));
  NAPI_MUST(napi_get_value_bool(env, values[2], &moves));
  struct sf_backend *backend = binding->backend;
  const int32_t result = sf__backend_bind(backend, base, bytes, shared, moves);
  if (result == 0) sf__set_reference(env, &binding->memory, values[0]);
  return sf__int_result(env, result);
}

/* capabilities(handle, out: Uint8Array): void. enum sf_capability, by opcode. */
static napi_value binding_capabilities(napi_env env, napi_callback_info info) {
  napi_value values[1];
  void *out;
  size_t length;
  struct binding *binding = sf__arguments(env, info, 1, values);
  NAPI_MUST(napi_get_typedarray_info(env, values[0], NULL, &length, &out, NULL, NULL));
  for (size_t i = 0; i < length && i <= UINT16_MAX; i++) {
    ((uint8_t *)out)[i] = (uint8_t)sf__backend_capability(binding->backend, (uint16_t)i);
  }
  return NULL;
}

/* setWake(handle, wake: () => void): void */
static napi_value binding_set_wake(napi_env env, napi_callback_info info) {
  napi_value values[1];
  struct binding *binding = sf__arguments(env, info, 1, values);
  sf__set_reference(env, &binding->wake, values[0]);
  return NULL;
}

/* How long a turn may wait. Sets *host_bound when it is the host's event loop that bounds it. */
static int64_t bounded_wait(struct binding *binding, double wanted_ns, bool *host_bound) {
  if (!(wanted_ns > 0)) return 0;
  *host_bound = wanted_ns > WAIT_NS_MAX;
  int64_t wait_ns = *host_bound ? WAIT_NS_MAX : (int64_t)wanted_ns;
  const int64_t timeout_ms = binding->loop->ops->timeout_ms(binding->loop);
  if (timeout_ms >= 0 && timeout_ms * 1000000 <= wait_ns) {
    wait_ns = timeout_ms * 1000000;
    *host_bound = true;
  }
  return wait_ns;
}

/* turn(handle, waitNs: number): number */
static napi_value binding_turn(napi_env env, napi_callback_info info) {
  napi_value values[1];
  double wanted_ns;
  bool host_bound = false;
  struct binding *binding = sf__arguments(env, info, 1, values);
  struct sf_backend *backend = binding->backend;
  NAPI_MUST(napi_get_value_double(env, values[0], &wanted_ns));

  const int64_t wait_ns = bounded_wait(binding, wanted_ns, &host_bound);
  const int32_t result = sf__backend_turn(backend, wait_ns, !(wanted_ns > 0));
  sf__hold_loop(binding);

  const bool host_ready = backend->host_ready || (host_bound && (result == 0 || wait_ns == 0));
  double *counters = binding->counters;
  counters[COUNTER_PENDING] = backend->pending;
  counters[COUNTER_HANDLES_OPEN] = backend->handles.open;
  counters[COUNTER_HOST_LOOP_READY] = host_ready;
  counters[COUNTER_NATIVE_CALLS] = (double)backend->turns;
  counters[COUNTER_SYSTEM_CALLS] = (double)backend->system_calls;
  counters[COUNTER_SUBMISSIONS] = (double)backend->submissions;
  counters[COUNTER_COMPLETIONS] = (double)backend->completions;
  return sf__int_result(env, result);
}

/* attempt(handle): number */
static napi_value binding_attempt(napi_env env, napi_callback_info info) {
  struct binding *binding = sf__arguments(env, info, 0, NULL);
  return sf__int_result(env, sf__backend_attempt(binding->backend));
}

/* discard(handle, ranges: Uint32Array): number. Address and bytes by turns. */
static napi_value binding_discard(napi_env env, napi_callback_info info) {
  napi_value values[1], discarded;
  void *ranges;
  size_t length;
  struct binding *binding = sf__arguments(env, info, 1, values);
  NAPI_MUST(napi_get_typedarray_info(env, values[0], NULL, &length, &ranges, NULL, NULL));
  const int64_t result = sf__discard(&binding->backend->guest, ranges, length / 2);
  NAPI_MUST(napi_create_int64(env, result, &discarded));
  return discarded;
}

/* poke(handle): void. Has the event loop call `wake` in its next turn. */
static napi_value binding_poke(napi_env env, napi_callback_info info) {
  struct binding *binding = sf__arguments(env, info, 0, NULL);
  sf__backend_poke(binding->backend);
  binding->poked = true;
  sf__hold_loop(binding);
  return NULL;
}

NAPI_MODULE_INIT() {
#define FUNCTION(name, function) \
  { name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL }
  const napi_property_descriptor properties[] = {
    FUNCTION("open", sf__binding_open),
    FUNCTION("grantDirectory", sf__binding_grant_directory),
    FUNCTION("grantEndpoint", sf__binding_grant_endpoint),
    FUNCTION("capabilities", binding_capabilities),
    FUNCTION("grantNames", sf__binding_grant_names),
    FUNCTION("grantStdio", sf__binding_grant_stdio),
    FUNCTION("grantPrograms", sf__binding_grant_programs),
    FUNCTION("adopt", sf__binding_adopt),
    FUNCTION("release", sf__binding_release),
    FUNCTION("adoptReleased", sf__binding_adopt_released),
    FUNCTION("bind", binding_bind),
    FUNCTION("turn", binding_turn),
    FUNCTION("attempt", binding_attempt),
    FUNCTION("discard", binding_discard),
    FUNCTION("setWake", binding_set_wake),
    FUNCTION("poke", binding_poke),
    FUNCTION("close", sf__binding_close),
    { "abiVersion", NULL, NULL, NULL, NULL, sf__int_result(env, SF_ABI_VERSION), napi_enumerable,
      NULL },
  };
#undef FUNCTION
  const size_t count = sizeof(properties) / sizeof(properties[0]);
  NAPI_MUST(napi_define_properties(env, exports, count, properties));
  return exports;
}
