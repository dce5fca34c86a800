/* missing.c - what the engine does for handles that there are none of: of terminals, devices and processes. */
#include "engine/platform.h"
#include "engine/process.h"
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
