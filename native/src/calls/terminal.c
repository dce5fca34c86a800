/* terminal.c - the size and the mode of terminals. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "calls/calls.h"
#include "engine/os-errno.h"
#include "engine/terminal.h"

int32_t sf__terminal_size(struct sf_engine *engine, const struct sf_submission *submission,
                          struct sf_handle *handle) {
  struct winsize size;
  void *out = sf__guest_range(&engine->base.guest, submission->pointer,
                              sizeof(struct sf_terminal_size));
  if (out == NULL) return -SF_EFAULT;
  if (!isatty(handle->fd)) return -SF_ENOTTY;
  if (ioctl(handle->fd, TIOCGWINSZ, &size) < 0) return sf__error(errno);
  const struct sf_terminal_size told = { .columns = size.ws_col, .rows = size.ws_row };
  memcpy(out, &told, sizeof(told));
  return 0;
}

int32_t sf__terminal_mode(struct sf_engine *engine, const struct sf_submission *submission,
                          struct sf_handle *handle) {
  (void)engine;
  if (submission->argument > SF_TERMINAL_RAW) return -SF_EINVAL;
  if (!isatty(handle->fd)) return -SF_ENOTTY;
  const bool raw = submission->argument == SF_TERMINAL_RAW;
  if (raw == handle->raw) return 0;
  if (raw) {
    const int32_t err = sf__terminal_acquire(handle->fd);
    if (err < 0) return err;
  } else {
    sf__terminal_release(handle->fd);
  }
  handle->raw = raw;
  return 0;
}
