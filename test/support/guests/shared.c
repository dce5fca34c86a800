/* shared.c - the guest's side of what it shares with the host. */
#include "law.h"

__attribute__((import_module("env"), import_name("call"))) int32_t host_call(int32_t value);

/* ── Events ────────────────────────────────────────────────────────────────────────────────────── */

int32_t EXPORT(event_wait)(struct sf_event *event) { return sf_event_wait(event); }
int32_t EXPORT(event_set)(struct sf_event *event) {
  sf_event_set(event);
  return 0;
}
/* Serves a waiter, then calls an import in the same run. */
int32_t EXPORT(event_set_then_call)(struct sf_event *event) {
  sf_event_set(event);
  return host_call(0);
}

/* ── Semaphores ────────────────────────────────────────────────────────────────────────────────── */

int32_t EXPORT(acquire)(struct sf_semaphore *semaphore, int32_t permits) {
  return sf_semaphore_acquire(semaphore, (uint32_t)permits);
}
int32_t EXPORT(release)(struct sf_semaphore *semaphore, int32_t permits) {
  return sf_semaphore_release(semaphore, (uint32_t)permits);
}
int32_t EXPORT(release_then_call)(struct sf_semaphore *semaphore, int32_t permits) {
  sf_semaphore_release(semaphore, (uint32_t)permits);
  return host_call(0);
}
/* Holds permits across `yields` turns, `times` over. */
int32_t EXPORT(hold)(struct sf_semaphore *semaphore, int32_t permits, int32_t yields,
                     int32_t times) {
  for (int32_t i = 0; i < times; i++) {
    int32_t error = sf_semaphore_acquire(semaphore, (uint32_t)permits);
    if (error < 0) return error;
    host_call(permits);
    for (int32_t j = 0; j < yields; j++)
      if (sf_yield() < 0) j = yields;
    host_call(-permits);
    sf_semaphore_release(semaphore, (uint32_t)permits);
  }
  return 0;
}

/* ── Tasks ─────────────────────────────────────────────────────────────────────────────────────── */

static int32_t running, running_most;

int32_t EXPORT(result)(int32_t value) { return sf_yield() < 0 ? -SF_ECANCELED : value; }
double EXPORT(result_f64)(double value) { return value; }
int32_t EXPORT(park)(void) { return sf_park(); }
int32_t EXPORT(trap)(void) {
  sf_yield();
  __builtin_trap();
}
int32_t EXPORT(ignore_cancel)(struct sf_event *until) {
  while (sf_event_wait(until) == -SF_ECANCELED) {
  }
  return 7;
}
/* Says through host_call in which order members run. */
int32_t EXPORT(member)(int32_t number, int32_t yields) {
  if (++running > running_most) running_most = running;
  host_call(number);
  int32_t error = 0;
  for (int32_t i = 0; i < yields && error == 0; i++) error = sf_yield();
  running--;
  return error;
}
int32_t EXPORT(most_running)(void) {
  int32_t most = running_most;
  running_most = 0;
  return most;
}

/* ── Channels ──────────────────────────────────────────────────────────────────────────────────── */

#define ITEMS 65536
static uint8_t received[ITEMS];

/* How often the guest has received each item. */
uint8_t *EXPORT(received_address)(void) {
  memset(received, 0, sizeof received);
  return received;
}
/* Returns how many were sent. */
int32_t EXPORT(send_range)(struct sf_channel *to, int32_t first, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    int32_t item = first + i;
    if (sf_channel_send(to, &item) < 0) return i;
  }
  return count;
}
int32_t EXPORT(receive_range)(struct sf_channel *from, int32_t count) {
  int32_t item;
  for (int32_t i = 0; i < count; i++) {
    if (sf_channel_receive(from, &item) < 0) return i;
    received[item]++;
  }
  return count;
}
/* Returns 1 when it has sent the item, 0 when it has received one, else an error. */
int32_t EXPORT(send_or_receive)(struct sf_channel *to, struct sf_channel *from, int32_t item) {
  int32_t taken;
  struct sf_arm arms[] = {sf_on_receive(from, &taken), sf_on_send(to, &item)};
  int32_t which = sf_select(arms, 2);
  if (which < 0) return which;
  if (arms[which].waiter.result < 0) return arms[which].waiter.result;
  if (which == 0) received[taken]++;
  return which;
}
/* Serves a waiter, or takes from one, and calls an import in the same run. */
int32_t EXPORT(try_send_then_call)(struct sf_channel *to, int32_t item, int32_t call) {
  int32_t error = sf_channel_try_send(to, &item);
  host_call(call);
  return error == 0;
}
int32_t EXPORT(try_receive_then_call)(struct sf_channel *from, int32_t call) {
  int32_t item, error = sf_channel_try_receive(from, &item);
  if (error == 0) received[item]++;
  host_call(call);
  return error == 0;
}

/* ── Damage ────────────────────────────────────────────────────────────────────────────────────── */

int32_t EXPORT(write)(uint32_t address, int32_t value, int32_t words) {
  for (int32_t i = 0; i < words; i++) ((volatile int32_t *)address)[i] = value;
  return 0;
}
