/* resolver.h - the resolver's state: made when somebody first asks, of memory that stays.
 *
 *   entries   what is known, or being asked for: one for each name and kind of question
 *   spaces    what a task needs while it asks; as many as ask at once, up to SPACES_MAX
 *
 * Whatever a task has here is noted with its handle, or in its space: what one that trapped had is the next
 * one's.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <stackful/io.h>
#include <stackful/net.h>
#include <stackful/select.h>

#include "lock.h"
#include "message.h"

_Static_assert(FAMILY_MAX == SF_RESOLVE_FAMILY_MAX && NAME_TEXT_MAX == SF_NAME_MAX, "dns.h");

/* Tasks that ask at once: each holds one entry at most, so that there is always one to forget. */
#define SPACES_MAX 64
#define ENTRIES_MAX 256

#define SERVERS_MAX 3
#define SEARCH_MAX 6
#define LINE_BYTES_MAX 1024
#define LARGE_BYTES 65535

#define TTL_S_MIN 5
#define TTL_S_MAX 60

/* What is asked for. */
enum kind { KIND_IPV4 = 1, KIND_IPV6 = 2, KIND_NAME = 4 };

struct configuration {
  struct sf_address servers[SERVERS_MAX];
  uint32_t servers_count;
  uint32_t dots; /* a name with fewer is searched for first */
  uint32_t timeout_s;
  uint32_t attempts;
  uint32_t rotate;
  uint32_t search_count;
  uint32_t search_bytes[SEARCH_MAX];
  char search[SEARCH_MAX][NAME_TEXT_MAX];
};

struct entry {
  struct lock asking;
  uint64_t expires_ns; /* 0: nothing is known */
  uint32_t users;      /* tasks that look at it: it stays theirs */
  uint32_t asked;      /* how often the question was answered, with an error too */
  uint32_t kinds;      /* enum kind; 0: it is nobody's */
  int32_t error;       /* 0 or a negated sf_errno */
  uint32_t name_bytes;
  char name[NAME_TEXT_MAX + 1]; /* in small letters */
  struct found found;
};

struct lines {
  int64_t offset;
  uint32_t which; /* enum sf_resolver */
  uint32_t start;
  uint32_t end;
  uint32_t cut; /* the rest of a line that was too long comes */
  char text[LINE_BYTES_MAX];
};

struct question {
  uint32_t type; /* enum record */
  uint32_t answered;
  uint32_t truncated;
  uint32_t bytes;
  enum verdict verdict; /* once answered */
  uint8_t query[QUERY_BYTES_MAX];
};

struct space {
  sf_task_t task;      /* whose it is; over: nobody's */
  struct entry *entry; /* that it looks at; NULL: none */
  sf_handle_t handle;  /* of the socket that it has open; -1: none */
  uint8_t *large; /* of LARGE_BYTES; NULL until a server has more to say than fits a datagram */
  struct question questions[2];
  uint32_t questions_count;
  struct wire name;
  struct reading reading;
  char candidate[2 * NAME_TEXT_MAX + 2];
  union {
    struct lines lines;
    uint8_t datagram[DATAGRAM_BYTES];
  };
};

struct resolver {
  struct lock configuring;
  struct lock entrance;   /* of the task that is the next to get a space */
  struct sf_notify given; /* a space */
  struct space *spaces[SPACES_MAX];
  uint32_t configured;
  uint32_t next_server;
  struct configuration configuration;
  struct entry entries[ENTRIES_MAX];
};

/* Memory that is zero and stays. NULL: there is none. */
SF_IMPORT(sf_reserve) void *sf_reserve(uint32_t bytes);

SF_HOST_IMPORT(random_u64) uint64_t random_u64(void);

__asm__(".globaltype stackful_resolver, i32\n");

/* NULL: there is no memory for it. */
NOINLINE static struct resolver *resolver_get(void) {
  struct resolver *resolver;
  __asm__ volatile("global.get stackful_resolver\nlocal.set %0" : "=r"(resolver));
  if (resolver != NULL) return resolver;
  resolver = sf_reserve(sizeof(*resolver));
  if (resolver == NULL) return NULL;
  __asm__ volatile("local.get %0\nglobal.set stackful_resolver" : : "r"(resolver) : "memory");
  return resolver;
}

/* Takes one that is nobody's, or a new one. Returns 0, -SF_EAGAIN or -SF_ENOMEM. */
static int32_t space_try(struct resolver *resolver, struct space **out) {
  for (uint32_t i = 0; i < SPACES_MAX; i++) {
    struct space *space = resolver->spaces[i];
    if (space == NULL) {
      space = sf_reserve(sizeof(*space));
      if (space == NULL) return -SF_ENOMEM;
      space->handle = -1;
      resolver->spaces[i] = space;
    }
    if (!is_over(space->task)) continue;
    space->task = sf_self();
    *out = space;
    return 0;
  }
  return -SF_EAGAIN;
}

SF_PARKS static void space_close(struct space *space) {
  const sf_handle_t handle = space->handle;
  space->handle = -1;
  if (handle >= 0) sf_close(handle);
}

static void space_leave(struct space *space) {
  if (space->entry != NULL) space->entry->users--;
  space->entry = NULL;
}

/* Waits until there is a space, and takes it. Returns 0 or a negated sf_errno. */
SF_PARKS static int32_t space_take(struct resolver *resolver, struct space **out) {
  int32_t error = lock_take(&resolver->entrance);
  if (error < 0) return error;
  while ((error = space_try(resolver, out)) == -SF_EAGAIN) {
    error = wait_for(&resolver->given);
    if (error < 0) break;
  }
  lock_give(&resolver->entrance);
  if (error < 0) return error;
  space_leave(*out);
  space_close(*out);
  return 0;
}

static void space_give(struct resolver *resolver, struct space *space) {
  space_leave(space);
  space->task = 0;
  sf_notify_one(&resolver->given);
}

#endif
