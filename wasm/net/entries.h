/* entries.h - what is known, and who asks for it. */
#ifndef NET_ENTRIES_H
#define NET_ENTRIES_H

#include "servers.h"

struct request {
  const char *name;
  uint32_t name_bytes;
  uint32_t kinds;
  const struct sf_address *address; /* with KIND_NAME: whose name it is */
};

static struct entry *entry_find(struct resolver *resolver, const struct request *request) {
  for (uint32_t i = 0; i < ENTRIES_MAX; i++) {
    struct entry *entry = &resolver->entries[i];
    if (entry->kinds == request->kinds && entry->name_bytes == request->name_bytes &&
        same_name(entry->name, request->name, request->name_bytes))
      return entry;
  }
  return NULL;
}

/* The entry that nobody looks at and that expires first is given to the request. */
static struct entry *entry_claim(struct resolver *resolver, const struct request *request) {
  struct entry *entry = NULL;
  for (uint32_t i = 0; i < ENTRIES_MAX; i++) {
    struct entry *other = &resolver->entries[i];
    if (other->users == 0 && (entry == NULL || other->expires_ns < entry->expires_ns))
      entry = other;
  }
  entry->expires_ns = 0;
  entry->kinds = request->kinds;
  entry->name_bytes = request->name_bytes;
  for (uint32_t i = 0; i < request->name_bytes; i++) entry->name[i] = lower(request->name[i]);
  return entry;
}

INLINE bool is_fresh(const struct entry *entry) { return entry->expires_ns > sf_now(); }

SF_PARKS static int32_t ask(struct resolver *resolver, struct space *space, struct entry *entry,
                            const struct sf_address *address) {
  struct found *found = &entry->found;
  int32_t known = configure(resolver, &space->lines);
  if (known < 0) return known;
  *found = (struct found){.ttl_s = TTL_S_MAX};
  known = address != NULL ? hosts_name(&space->lines, address, found)
                          : hosts_addresses(&space->lines, entry, found);
  if (known < 0) return known;
  if (known == 0 && address == NULL && is_localhost(entry)) {
    add_localhost(found, entry->kinds);
    known = 1;
  }
  if (known == 0) return ask_domains(resolver, space, entry, found);
  return is_any_found(found) ? 0 : -SF_ENOENT;
}

static uint64_t expiry(const struct entry *entry) {
  uint32_t ttl_s = entry->found.ttl_s;
  if (entry->error != 0 && entry->error != -SF_ENOENT) return 0;
  if (entry->error != 0 || ttl_s < TTL_S_MIN) ttl_s = TTL_S_MIN;
  if (ttl_s > TTL_S_MAX) ttl_s = TTL_S_MAX;
  return sf_now() + ttl_s * SF_SECOND;
}

/* Asks, unless another task has done so while this one waited for it. */
SF_PARKS static int32_t entry_settle(struct resolver *resolver, struct space *space,
                                     struct entry *entry, const struct sf_address *address) {
  const uint32_t asked = entry->asked;
  int32_t error = lock_take(&entry->asking);
  if (error < 0) return error;
  if (entry->asked == asked && !is_fresh(entry)) {
    error = ask(resolver, space, entry, address);
    /* A cancel is this task's alone: the next one asks itself. */
    if (error != -SF_ECANCELED) {
      entry->error = error;
      entry->expires_ns = expiry(entry);
      entry->asked++;
    }
  } else {
    error = entry->error;
  }
  lock_give(&entry->asking);
  return error;
}

/* A look at what is known. */
struct look {
  struct resolver *resolver;
  struct space *space; /* NULL: it was known already */
  struct entry *entry;
};

/* Finds out what the request asks. Returns 0 or a negated sf_errno; until look_end the entry stays. */
SF_PARKS static int32_t look_begin(struct look *look, const struct request *request) {
  struct resolver *resolver = resolver_get();
  look->space = NULL;
  if (resolver == NULL) return -SF_ENOMEM;
  struct entry *entry = entry_find(resolver, request);
  look->entry = entry;
  if (entry != NULL && is_fresh(entry)) return entry->error;
  const int32_t error = space_take(resolver, &look->space);
  if (error < 0) return error;
  entry = entry_find(resolver, request);
  if (entry == NULL) entry = entry_claim(resolver, request);
  entry->users++;
  look->space->entry = entry;
  look->resolver = resolver;
  look->entry = entry;
  return entry_settle(resolver, look->space, entry, request->address);
}

static void look_end(struct look *look) {
  if (look->space == NULL) return;
  space_give(look->resolver, look->space);
}

#endif
