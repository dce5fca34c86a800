/* missing.c - what the engine does for handles that there are none of: of terminals, devices, processes, and
 * those that go to another executor. */
#include "engine/platform.h"
#include "engine/process.h"
#include "engine/released.h"
#include "engine/terminal.h"

bool sf__os_tells(int fd) {
  (void)fd;
  return false;
}

void sf__terminal_release(int fd) {
  (void)fd;
}

int32_t sf__process_close(struct sf_engine *engine, struct sf_handle *handle) {
  (void)engine;
  (void)handle;
  return 0;
}

void sf__processes_end(struct sf_engine *engine) {
  (void)engine;
}

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
