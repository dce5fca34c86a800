/* exports.c - what the runtime tests spawn. */
#include "law.h"

__attribute__((import_module("env"), import_name("wait"))) int32_t host_wait(int32_t value);
__attribute__((import_module("env"), import_name("wait64"))) int64_t host_wait64(int64_t value);
__attribute__((import_module("env"), import_name("wait_f64"))) double host_wait_f64(double value);
__attribute__((import_module("env"), import_name("wait_void"))) void host_wait_void(int32_t value);
__attribute__((import_module("env"), import_name("call"))) int32_t host_call(int32_t value);

/* ── Values ────────────────────────────────────────────────────────────────────────────────────── */

void EXPORT(nothing)(void) { sf_yield(); }
int32_t EXPORT(add32)(int32_t a, int32_t b) { return sf_yield() + a + b; }
int64_t EXPORT(add64)(int64_t a, int64_t b) { return sf_yield() + a + b; }
float EXPORT(addf)(float a, float b) { return (float)sf_yield() + a + b; }
double EXPORT(addd)(double a, double b) { return sf_yield() + a + b; }
double EXPORT(mixed)(int32_t a, int64_t b, float c, double d, int32_t e, int64_t f) {
  sf_yield();
  return a + (double)b + c + d + e + (double)f;
}
int32_t EXPORT(own_name)(char *out, int32_t bytes_max) {
  return sf_task_name(sf_self(), out, (uint32_t)bytes_max);
}

static char scratch[65536];
char *EXPORT(scratch_address)(void) { return scratch; }

/* ── Waiting ───────────────────────────────────────────────────────────────────────────────────── */

int32_t EXPORT(park)(void) { return sf_park(); }
int32_t EXPORT(sleep_ms)(int32_t ms) { return sf_sleep((uint64_t)ms * SF_MILLISECOND); }
int32_t EXPORT(yield_times)(int32_t times) {
  for (int32_t i = 0; i < times; i++)
    if (sf_yield() < 0) return -1;
  return times;
}
int32_t EXPORT(yield_until_canceled)(void) {
  while (sf_yield() == 0) {
  }
  return 7;
}
/* Returns how many -ECANCELED it swallowed. */
int32_t EXPORT(ignore_cancels)(int32_t times) {
  int32_t canceled = 0;
  while (canceled < times)
    if (sf_park() == -SF_ECANCELED) canceled++;
  return canceled;
}

/* ── Failing ───────────────────────────────────────────────────────────────────────────────────── */

NOINLINE static void trap_inner(void) { __builtin_trap(); }
int32_t EXPORT(trap)(void) {
  sf_yield();
  trap_inner();
  return 0;
}
static int32_t trap_task(void *unused) {
  (void)unused;
  trap_inner();
  return 0;
}
int32_t EXPORT(spawn_trap)(void) {
  return sf_spawn(trap_task, NULL, &(struct sf_spawn_options){.name = "guest's own"}, NULL);
}
static int32_t park_task(void *unused) {
  (void)unused;
  return sf_park();
}
int32_t EXPORT(spawn_parked)(int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    int32_t error = spawn_small(park_task, NULL, NULL);
    if (error < 0) return error;
  }
  return 0;
}

/* ── Host imports ──────────────────────────────────────────────────────────────────────────────── */

int32_t EXPORT(wait32)(int32_t value) {
  volatile int32_t before = value * 3;
  int32_t result = host_wait(value);
  return before == value * 3 ? result : -1;
}
int64_t EXPORT(wait64)(int64_t value) { return host_wait64(value) + 1; }
double EXPORT(wait_f64)(double value) { return host_wait_f64(value) + 0.5; }
int32_t EXPORT(wait_void)(int32_t value) {
  host_wait_void(value);
  return value;
}
int32_t EXPORT(wait_in_loop)(int32_t times) {
  int32_t sum = 0;
  for (int32_t i = 0; i < times; i++) sum += host_wait(i);
  return sum;
}
int32_t EXPORT(call)(int32_t value) { return host_call(value) + 1; }
static volatile int32_t sink; /* keeps the compiler from making a loop of a recursion */
NOINLINE static int32_t wait_below(int32_t depth) {
  if (depth == 0) return host_wait(0);
  int32_t result = wait_below(depth - 1) + 1;
  sink = result;
  return result;
}
int32_t EXPORT(deep_wait)(int32_t depth) { return wait_below(depth); }

/* An import is called between two waits; whatever it does, what is here must stay. */
int32_t EXPORT(call_between)(int32_t value) {
  volatile uint8_t array[200];
  for (int32_t i = 0; i < 200; i++) array[i] = (uint8_t)(i + value);
  if (sf_yield() < 0) return -1;
  int32_t result = host_call(value);
  if (sf_yield() < 0) return -2;
  for (int32_t i = 0; i < 200; i++)
    if (array[i] != (uint8_t)(i + value)) return -3;
  return result;
}

/* Overflows whatever stack it runs on. */
NOINLINE static int32_t use_array(int32_t bytes) {
  volatile char array[bytes];
  array[0] = 1;
  array[bytes - 1] = 2;
  sf_self(); /* not a leaf: those have a law of their own */
  return array[0] + array[bytes - 1];
}
int32_t EXPORT(use_stack)(int32_t bytes) { return use_array(bytes); }
int32_t EXPORT(call_then_trap)(int32_t value) {
  host_call(value);
  trap_inner();
  return 0;
}

/* ── Channels ──────────────────────────────────────────────────────────────────────────────────── */

int32_t EXPORT(echo)(struct sf_channel *from, struct sf_channel *to) {
  char item[256];
  for (int32_t count = 0;; count++) {
    int32_t error = sf_channel_receive(from, item);
    if (error == -SF_EPIPE) {
      sf_channel_close(to, 0);
      return count;
    }
    if (error < 0) return error;
    error = sf_channel_send(to, item);
    if (error < 0) return error;
  }
}
int32_t EXPORT(send_range)(struct sf_channel *to, int32_t first, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    int32_t item = first + i, error = sf_channel_send(to, &item);
    if (error < 0) return error;
  }
  return count;
}
int32_t EXPORT(receive_sum)(struct sf_channel *from) {
  int32_t sum = 0, item;
  while (sf_channel_receive(from, &item) == 0) sum += item;
  return sum;
}
/* Serves a parked receiver of the host, then calls an import in the same turn. */
int32_t EXPORT(send_then_call)(struct sf_channel *to, int32_t value) {
  int32_t error = sf_channel_try_send(to, &value);
  host_call(value);
  return error;
}
