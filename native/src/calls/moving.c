/* moving.c - handles that go from one executor to another. */
#include <string.h>

#include "calls/calls.h"
#include "engine/released.h"

int32_t sf__release(struct sf_engine *engine, const struct sf_submission *submission,
                    struct sf_handle *handle) {
  struct sf_handle_token token;
  void *out = sf__guest_range(&engine->base.guest, submission->pointer, sizeof(token));
  if (out == NULL) return -SF_EFAULT;
  const int32_t err = sf__released_add(engine, handle, &token);
  if (err == 0) memcpy(out, &token, sizeof(token));
  return err;
}

int32_t sf__adopt(struct sf_engine *engine, const struct sf_submission *submission,
                  struct sf_handle *handle) {
  struct sf_handle_token token;
  (void)handle;
  const void *given =
    sf__guest_range(&engine->base.guest, submission->pointer, sizeof(token));
  if (given == NULL) return -SF_EFAULT;
  memcpy(&token, given, sizeof(token));
  return sf__released_adopt(engine, &token);
}
