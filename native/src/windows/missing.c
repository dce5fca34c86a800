/* missing.c - what the engine does for handles that go to another executor, of which there are none: a handle tells
 * one completion port for all of its life. */
#include "engine/platform.h"
#include "engine/released.h"

void sf__released_end(struct sf_engine *engine) {
  (void)engine;
}

int32_t sf__backend_release(struct sf_backend *backend, int32_t handle,
                            struct sf_handle_token *out) {
  (void)backend;
  (void)handle;
  (void)out;
  return -SF_ENOSYS;
}

int32_t sf__backend_adopt_released(struct sf_backend *backend,
                                   const struct sf_handle_token *token) {
  (void)backend;
  (void)token;
  return -SF_ENOSYS;
}
