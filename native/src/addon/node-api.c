/* node-api.c - on Windows: Node-API, found in the program that loads the addon, whatever that is called. */
#include "engine/platform.h"

#ifdef SF_WINDOWS

#include <node_api.h>
#include <stdlib.h>
#include <string.h>

/* Sets *out, a pointer to a function. */
static void find(const char *name, void *out) {
  const FARPROC found = GetProcAddress(GetModuleHandleW(NULL), name);
  /* Every program that has Node-API has all that is used here, so it is none. */
  if (found == NULL) abort();
  memcpy(out, &found, sizeof(found));
}

/* Any thread may be the first. */
#define FORWARD(name, parameters, arguments) \
  napi_status NAPI_CDECL name parameters { \
    static _Atomic(__typeof__(&name)) known; \
    __typeof__(&name) found = known; \
    if (found == NULL) { \
      find(#name, &found); \
      known = found; \
    } \
    return found arguments; \
  }

FORWARD(napi_add_async_cleanup_hook,
        (node_api_basic_env env, napi_async_cleanup_hook hook, void *arg,
         napi_async_cleanup_hook_handle *remove_handle),
        (env, hook, arg, remove_handle))
FORWARD(napi_add_env_cleanup_hook,
        (node_api_basic_env env, napi_cleanup_hook hook, void *arg), (env, hook, arg))
FORWARD(napi_call_function,
        (napi_env env, napi_value recv, napi_value func, size_t argc, const napi_value *argv,
         napi_value *result),
        (env, recv, func, argc, argv, result))
FORWARD(napi_call_threadsafe_function,
        (napi_threadsafe_function func, void *data,
         napi_threadsafe_function_call_mode is_blocking),
        (func, data, is_blocking))
FORWARD(napi_close_handle_scope, (napi_env env, napi_handle_scope scope), (env, scope))
FORWARD(napi_create_external,
        (napi_env env, void *data, node_api_basic_finalize finalize, void *hint,
         napi_value *result),
        (env, data, finalize, hint, result))
FORWARD(napi_create_int32, (napi_env env, int32_t value, napi_value *result),
        (env, value, result))
FORWARD(napi_create_int64, (napi_env env, int64_t value, napi_value *result),
        (env, value, result))
FORWARD(napi_create_reference,
        (napi_env env, napi_value value, uint32_t count, napi_ref *result),
        (env, value, count, result))
FORWARD(napi_create_string_utf8,
        (napi_env env, const char *text, size_t length, napi_value *result),
        (env, text, length, result))
FORWARD(napi_create_threadsafe_function,
        (napi_env env, napi_value func, napi_value resource, napi_value resource_name,
         size_t queue, size_t threads, void *finalize_data, napi_finalize finalize, void *context,
         napi_threadsafe_function_call_js call_js, napi_threadsafe_function *result),
        (env, func, resource, resource_name, queue, threads, finalize_data, finalize, context,
         call_js, result))
FORWARD(napi_define_properties,
        (napi_env env, napi_value object, size_t count,
         const napi_property_descriptor *properties),
        (env, object, count, properties))
FORWARD(napi_delete_reference, (node_api_basic_env env, napi_ref ref), (env, ref))
FORWARD(napi_fatal_exception, (napi_env env, napi_value error), (env, error))
FORWARD(napi_get_and_clear_last_exception, (napi_env env, napi_value *result), (env, result))
FORWARD(napi_get_cb_info,
        (napi_env env, napi_callback_info info, size_t *argc, napi_value *argv, napi_value *self,
         void **data),
        (env, info, argc, argv, self, data))
FORWARD(napi_get_global, (napi_env env, napi_value *result), (env, result))
FORWARD(napi_get_reference_value, (napi_env env, napi_ref ref, napi_value *result),
        (env, ref, result))
FORWARD(napi_get_typedarray_info,
        (napi_env env, napi_value array, napi_typedarray_type *type, size_t *length, void **data,
         napi_value *buffer, size_t *offset),
        (env, array, type, length, data, buffer, offset))
FORWARD(napi_get_value_bool, (napi_env env, napi_value value, bool *result),
        (env, value, result))
FORWARD(napi_get_value_double, (napi_env env, napi_value value, double *result),
        (env, value, result))
FORWARD(napi_get_value_external, (napi_env env, napi_value value, void **result),
        (env, value, result))
FORWARD(napi_get_value_int32, (napi_env env, napi_value value, int32_t *result),
        (env, value, result))
FORWARD(napi_get_value_string_utf8,
        (napi_env env, napi_value value, char *text, size_t bytes, size_t *result),
        (env, value, text, bytes, result))
FORWARD(napi_get_value_uint32, (napi_env env, napi_value value, uint32_t *result),
        (env, value, result))
FORWARD(napi_is_exception_pending, (napi_env env, bool *result), (env, result))
FORWARD(napi_make_callback,
        (napi_env env, napi_async_context context, napi_value recv, napi_value func, size_t argc,
         const napi_value *argv, napi_value *result),
        (env, context, recv, func, argc, argv, result))
FORWARD(napi_open_handle_scope, (napi_env env, napi_handle_scope *result), (env, result))
FORWARD(napi_ref_threadsafe_function,
        (node_api_basic_env env, napi_threadsafe_function func), (env, func))
FORWARD(napi_release_threadsafe_function,
        (napi_threadsafe_function func, napi_threadsafe_function_release_mode mode), (func, mode))
FORWARD(napi_remove_async_cleanup_hook, (napi_async_cleanup_hook_handle handle), (handle))
FORWARD(napi_remove_env_cleanup_hook,
        (node_api_basic_env env, napi_cleanup_hook hook, void *arg), (env, hook, arg))
FORWARD(napi_unref_threadsafe_function,
        (node_api_basic_env env, napi_threadsafe_function func), (env, func))

NAPI_NO_RETURN void NAPI_CDECL napi_fatal_error(const char *location, size_t location_length,
                                                const char *message, size_t message_length) {
  typedef void NAPI_CDECL function(const char *, size_t, const char *, size_t);
  function *found;
  find("napi_fatal_error", &found);
  found(location, location_length, message, message_length);
  abort();
}

#endif
