/* connect.c - connections to names: RFC 8305, with addresses that come all at once. */
#include "resolver.h"

#define ATTEMPTS_MAX 8
#define ATTEMPT_DELAY_NS (250 * SF_MILLISECOND)

struct attempts {
  struct sf_address addresses[ATTEMPTS_MAX];
  struct sf_operation operations[ATTEMPTS_MAX];
  uint32_t count;
  uint32_t started;
  uint32_t pending; /* a bit for each */
  int32_t error;    /* of the first that failed */
};

/* Begins the next one. Returns 0 or a negated sf_errno. */
SF_PARKS static int32_t attempt_start(struct attempts *attempts) {
  const uint32_t index = attempts->started;
  struct sf_operation *operation = &attempts->operations[index];
  int32_t error;
  *operation = (struct sf_operation){0};
  while ((error = sf_operation_connect(operation, &attempts->addresses[index])) == -SF_EAGAIN) {
    error = sf_yield();
    if (error < 0) return error;
  }
  if (error < 0) return error;
  attempts->started++;
  attempts->pending |= 1u << index;
  return 0;
}

/* Waits for one that is pending, or until `next_ns`. Returns its index, ATTEMPTS_MAX when it is time for
 * the next one, or a negated sf_errno. */
SF_PARKS static int32_t attempt_wait(struct attempts *attempts, uint64_t next_ns) {
  struct sf_arm arms[ATTEMPTS_MAX + 1];
  uint8_t indexes[ATTEMPTS_MAX + 1];
  uint32_t count = 0;
  for (uint32_t i = 0; i < attempts->started; i++) {
    if ((attempts->pending >> i & 1) == 0) continue;
    indexes[count] = (uint8_t)i;
    arms[count++] = sf_on_operation(&attempts->operations[i]);
  }
  indexes[count] = ATTEMPTS_MAX;
  if (attempts->started < attempts->count) arms[count++] = sf_on_timeout(sf_at(next_ns));
  const int32_t which = sf_select(arms, count);
  return which < 0 ? which : indexes[which];
}

/* Has the attempt's result: a handle, or why it failed. */
static int32_t attempt_end(struct attempts *attempts, uint32_t index) {
  const int32_t result = sf_operation_try(&attempts->operations[index]);
  attempts->pending &= ~(1u << index);
  if (result < 0 && attempts->error == 0) attempts->error = result;
  return result;
}

/* Ends what is pending; a connection that came of it is closed. */
SF_PARKS static void attempts_cancel(struct attempts *attempts) {
  for (uint32_t i = 0; i < attempts->started; i++)
    if ((attempts->pending >> i & 1) != 0)
      sf_operation_cancel_request(&attempts->operations[i]);
  for (uint32_t i = 0; i < attempts->started; i++) {
    if ((attempts->pending >> i & 1) == 0) continue;
    const int32_t result = sf_operation_cancel(&attempts->operations[i]);
    if (result >= 0) sf_close(result);
  }
}

SF_PARKS static int32_t connect_first(struct attempts *attempts) {
  uint64_t next_ns = 0;
  for (;;) {
    const bool is_left = attempts->started < attempts->count;
    if (is_left && (attempts->pending == 0 || sf_now() >= next_ns)) {
      const int32_t error = attempt_start(attempts);
      if (error < 0) return error;
      next_ns = sf_now() + ATTEMPT_DELAY_NS;
    }
    if (attempts->pending == 0) return attempts->error;
    const int32_t which = attempt_wait(attempts, next_ns);
    if (which < 0) return which;
    if (which == ATTEMPTS_MAX) continue;
    const int32_t result = attempt_end(attempts, (uint32_t)which);
    if (result >= 0) return result;
    next_ns = 0;
  }
}

SF_PARKS sf_handle_t sf_connect_host(const char *name, uint32_t name_bytes, uint32_t port) {
  struct attempts attempts;
  const int32_t count = sf_resolve(name, name_bytes, 0, port, attempts.addresses, ATTEMPTS_MAX);
  if (count < 0) return count;
  attempts.count = (uint32_t)count;
  attempts.started = attempts.pending = 0;
  attempts.error = 0;
  const int32_t result = connect_first(&attempts);
  attempts_cancel(&attempts);
  return result;
}
