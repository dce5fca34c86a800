/* resolver.c - what the guest was given of the host's resolver. */
#include <string.h>

#include "calls/calls.h"

int32_t sf__resolver(struct sf_engine *engine, const struct sf_submission *submission,
                     struct sf_handle *handle) {
  const struct sf_grants *grants = &engine->base.grants;
  (void)handle;
  if (!grants->names_granted) return -SF_ENOTCAPABLE;
  if (submission->argument >= SF_NAMES || submission->offset < 0) return -SF_EINVAL;
  void *out = sf__guest_range(&engine->base.guest, submission->pointer, submission->length);
  if (out == NULL) return -SF_EFAULT;

  const struct sf_names *names = &grants->names[submission->argument];
  if (submission->offset >= names->bytes) return 0;
  const uint32_t rest = names->bytes - (uint32_t)submission->offset;
  const uint32_t bytes = submission->length < rest ? submission->length : rest;
  memcpy(out, names->text + submission->offset, bytes);
  return (int32_t)bytes;
}
