/* lookup.c - addresses of names, as the host's own resolver finds them. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "calls/calls.h"
#include "engine/address.h"
#include "engine/os-errno.h"

#define NAME_BYTES_MAX 254 /* with a dot at its end */
#define ADDRESSES_MAX 64

/* sf_op.kept of LOOKUP. */
struct sf_lookup {
  int family;
  uint32_t out;      /* where the guest wants them; checked */
  uint32_t out_max;
  uint32_t count;
  char name[NAME_BYTES_MAX + 1];
  struct sf_address addresses[ADDRESSES_MAX];
};

/* Names are the same in any case; musl compares bytes with those of the hosts file. */
static void to_lower_case(char *name) {
  for (char *at = name; *at != '\0'; at++) {
    if (*at >= 'A' && *at <= 'Z') *at = (char)(*at - 'A' + 'a');
  }
}

static int32_t read_name(const struct sf_engine *engine, const struct sf_submission *submission,
                         char *out) {
  const void *name = sf__guest_range(&engine->base.guest, submission->pointer, submission->length);
  if (name == NULL) return -SF_EFAULT;
  if (submission->length == 0 || submission->length > NAME_BYTES_MAX) return -SF_EINVAL;
  memcpy(out, name, submission->length);
  out[submission->length] = '\0';
  if (strlen(out) != submission->length) return -SF_EINVAL;
  to_lower_case(out);
  return 0;
}

int32_t sf__check_lookup(struct sf_engine *engine, const struct sf_submission *submission,
                         const struct sf_handle *handle, struct sf_draft *draft) {
  (void)handle;
  const uint32_t family = submission->argument;
  if (!engine->base.grants.names_granted) return -SF_ENOTCAPABLE;
  if (family != 0 && family != SF_FAMILY_IPV4 && family != SF_FAMILY_IPV6) return -SF_EINVAL;
  const uint64_t out_bytes = (uint64_t)submission->other_length * sizeof(struct sf_address);
  if (sf__guest_range(&engine->base.guest, submission->other_pointer, out_bytes) == NULL)
    return -SF_EFAULT;

  struct sf_lookup *kept = malloc(sizeof(*kept));
  if (kept == NULL) return -SF_ENOMEM;
  const int32_t err = read_name(engine, submission, kept->name);
  if (err < 0) {
    free(kept);
    return err;
  }
  kept->family =
    family == 0 ? AF_UNSPEC : family == SF_FAMILY_IPV4 ? AF_INET : AF_INET6;
  kept->out = submission->other_pointer;
  kept->out_max = submission->other_length < ADDRESSES_MAX ? submission->other_length
                                                           : ADDRESSES_MAX;
  kept->count = 0;
  draft->kept = kept;
  return SF_STARTED;
}

/* What getaddrinfo says, as the guest's error. */
static int32_t failure(int code) {
  switch (code) {
    case EAI_AGAIN:
      return -SF_ETIMEDOUT;
    case EAI_MEMORY:
      return -SF_ENOMEM;
#ifdef EAI_SYSTEM
    case EAI_SYSTEM:
      return sf__error(errno);
#endif
    case EAI_FAIL:
      return -SF_EIO;
    default: /* EAI_NONAME, EAI_NODATA, EAI_ADDRFAMILY, … */
      return -SF_ENOENT;
  }
}

int32_t sf__call_lookup(const struct sf_call *call) {
  struct sf_lookup *kept = call->kept;
  const struct addrinfo hints = { .ai_family = kept->family, .ai_socktype = SOCK_STREAM };
  struct addrinfo *found;
  const int code = getaddrinfo(kept->name, NULL, &hints, &found);
  if (code != 0) return failure(code);
  for (const struct addrinfo *at = found; at != NULL && kept->count < kept->out_max;
       at = at->ai_next) {
    struct sockaddr_storage address;
    if (at->ai_addrlen > sizeof(address)) continue;
    memcpy(&address, at->ai_addr, at->ai_addrlen);
    kept->addresses[kept->count++] = sf__address_from_os(&address);
  }
  freeaddrinfo(found);
  return (int32_t)kept->count;
}

int32_t sf__finish_lookup(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  const struct sf_lookup *kept = op->kept;
  if (result <= 0) return result;
  const size_t bytes = kept->count * sizeof(kept->addresses[0]);
  /* The memory may be elsewhere by now, but is never less. */
  void *out = sf__guest_range(&engine->base.guest, kept->out, bytes);
  if (out == NULL) return -SF_EFAULT;
  memcpy(out, kept->addresses, bytes);
  return result;
}
