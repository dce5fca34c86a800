/* binding-grants.c - what the guest may reach: told by JavaScript before the first turn, and descriptors at
 * any time. */
#include <stdlib.h>

#include "addon/binding.h"

/* The text of a string value, to be freed by the caller; NULL when there is no memory. */
static char *copy_string(napi_env env, napi_value value) {
  size_t bytes;
  NAPI_MUST(napi_get_value_string_utf8(env, value, NULL, 0, &bytes));
  char *text = malloc(bytes + 1);
  if (text != NULL) NAPI_MUST(napi_get_value_string_utf8(env, value, text, bytes + 1, &bytes));
  return text;
}

/* grantDirectory(handle, hostPath: string, guestPath: string, readOnly: boolean): number */
napi_value sf__binding_grant_directory(napi_env env, napi_callback_info info) {
  napi_value values[3];
  bool read_only;
  int32_t result = -SF_ENOMEM;
  struct binding *binding = sf__arguments(env, info, 3, values);
  NAPI_MUST(napi_get_value_bool(env, values[2], &read_only));

  char *host_path = copy_string(env, values[0]);
  char *guest_path = copy_string(env, values[1]);
  if (host_path != NULL && guest_path != NULL) {
    result = sf__grants_add_directory(&binding->backend->grants, host_path, guest_path, read_only);
  }
  free(host_path);
  free(guest_path);
  return sf__int_result(env, result);
}

/* adopt(handle, fd: number, transfers: boolean, owned: boolean): number */
napi_value sf__binding_adopt(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int32_t fd;
  bool transfers;
  bool owned;
  struct binding *binding = sf__arguments(env, info, 3, values);
  NAPI_MUST(napi_get_value_int32(env, values[0], &fd));
  NAPI_MUST(napi_get_value_bool(env, values[1], &transfers));
  NAPI_MUST(napi_get_value_bool(env, values[2], &owned));
  const int32_t result = sf__backend_adopt(binding->backend, fd, transfers, owned);
  binding->counters[COUNTER_HANDLES_OPEN] = binding->backend->handles.open;
  return sf__int_result(env, result);
}

/* The bytes of a token. */
static struct sf_handle_token *token_of(napi_env env, napi_value value) {
  void *bytes;
  size_t length;
  NAPI_MUST(napi_get_typedarray_info(env, value, NULL, &length, &bytes, NULL, NULL));
  return length == sizeof(struct sf_handle_token) ? bytes : NULL;
}

/* release(handle, which: number, token: Uint8Array): number. Writes the token. */
napi_value sf__binding_release(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t which;
  struct binding *binding = sf__arguments(env, info, 2, values);
  NAPI_MUST(napi_get_value_int32(env, values[0], &which));
  struct sf_handle_token *token = token_of(env, values[1]);
  if (token == NULL) return sf__int_result(env, -SF_EINVAL);
  const int32_t result = sf__backend_release(binding->backend, which, token);
  binding->counters[COUNTER_HANDLES_OPEN] = binding->backend->handles.open;
  return sf__int_result(env, result);
}

/* adoptReleased(handle, token: Uint8Array): number */
napi_value sf__binding_adopt_released(napi_env env, napi_callback_info info) {
  napi_value values[1];
  struct binding *binding = sf__arguments(env, info, 1, values);
  const struct sf_handle_token *token = token_of(env, values[0]);
  if (token == NULL) return sf__int_result(env, -SF_EINVAL);
  const int32_t result = sf__backend_adopt_released(binding->backend, token);
  binding->counters[COUNTER_HANDLES_OPEN] = binding->backend->handles.open;
  return sf__int_result(env, result);
}

/* grantEndpoint(handle, use: enum sf_endpoint_use, bytes: Uint8Array, port: number): number
 * No bytes: any address. Port -1: any port. */
napi_value sf__binding_grant_endpoint(napi_env env, napi_callback_info info) {
  napi_value values[3];
  uint32_t use;
  void *bytes;
  size_t length;
  struct sf_endpoint endpoint = { 0 };
  struct binding *binding = sf__arguments(env, info, 3, values);
  NAPI_MUST(napi_get_value_uint32(env, values[0], &use));
  NAPI_MUST(napi_get_typedarray_info(env, values[1], NULL, &length, &bytes, NULL, NULL));
  NAPI_MUST(napi_get_value_int32(env, values[2], &endpoint.port));
  if (length != 0 && length != 4 && length != 16) return sf__int_result(env, -SF_EINVAL);

  endpoint.use = (uint8_t)use;
  if (length > 0) {
    endpoint.family = length == 4 ? SF_FAMILY_IPV4 : SF_FAMILY_IPV6;
    const uint8_t *source = bytes;
    for (size_t i = 0; i < length; i++) endpoint.bytes[i] = source[i];
  }
  return sf__int_result(env, sf__grants_add_endpoint(&binding->backend->grants, endpoint));
}

static struct sf_strings strings_of(napi_env env, napi_value value) {
  void *text;
  size_t bytes;
  NAPI_MUST(napi_get_typedarray_info(env, value, NULL, &bytes, &text, NULL, NULL));
  return (struct sf_strings){ .text = text, .bytes = bytes };
}

/* grantPrograms(handle, list: Uint8Array, any: boolean, variables: Uint8Array, anyVariable: boolean): number
 * Lists are strings, each with a zero at its end. */
napi_value sf__binding_grant_programs(napi_env env, napi_callback_info info) {
  napi_value values[4];
  struct sf_programs programs = { .granted = true };
  struct binding *binding = sf__arguments(env, info, 4, values);
  programs.list = strings_of(env, values[0]);
  NAPI_MUST(napi_get_value_bool(env, values[1], &programs.any));
  programs.variables = strings_of(env, values[2]);
  NAPI_MUST(napi_get_value_bool(env, values[3], &programs.any_variable));
  return sf__int_result(env, sf__grants_set_programs(&binding->backend->grants, &programs));
}

/* grantNames(handle, which: enum sf_resolver, text: Uint8Array): number */
napi_value sf__binding_grant_names(napi_env env, napi_callback_info info) {
  napi_value values[2];
  uint32_t which;
  void *text;
  size_t bytes;
  struct binding *binding = sf__arguments(env, info, 2, values);
  NAPI_MUST(napi_get_value_uint32(env, values[0], &which));
  NAPI_MUST(napi_get_typedarray_info(env, values[1], NULL, &bytes, &text, NULL, NULL));
  if (which >= SF_NAMES || bytes > INT32_MAX) return sf__int_result(env, -SF_EINVAL);
  struct sf_grants *grants = &binding->backend->grants;
  return sf__int_result(env, sf__grants_set_names(grants, which, text, (uint32_t)bytes));
}

/* grantStdio(handle, number, fd: number): number */
napi_value sf__binding_grant_stdio(napi_env env, napi_callback_info info) {
  napi_value values[2];
  uint32_t number;
  int32_t fd;
  struct binding *binding = sf__arguments(env, info, 2, values);
  NAPI_MUST(napi_get_value_uint32(env, values[0], &number));
  NAPI_MUST(napi_get_value_int32(env, values[1], &fd));
  if (number >= SF_STREAMS || fd < 0) return sf__int_result(env, -SF_EINVAL);
  binding->backend->grants.stdio[number] = (struct sf_stream){ .granted = true, .fd = fd };
  return sf__int_result(env, 0);
}
