/* signal.c - signals that the host raises in the guest. */
#include "task.h"

struct signal {
  uint32_t kind;
  uint32_t seen;
};

INLINE struct signal_state *signal_state(uint32_t kind) {
  return &core_get()->signals[kind < SIGNALS ? kind : 0];
}

EXPORT(sf_signal_watch) int32_t sf_signal_watch(struct signal *signal, uint32_t kind) {
  if (kind == 0 || kind >= SIGNALS) return -SF_EINVAL;
  struct signal_state *state = signal_state(kind);
  signal->kind = kind;
  signal->seen = state->raised;
  state->watchers++;
  core_get()->shared.signals_watched |= 1u << kind;
  return 0;
}

/* Those that wait through `signal` would wait for ever, and arms find their queue by its kind. */
static void signal_end_waits(struct core *core, struct signal_state *state, struct signal *signal) {
  struct sf_waiter *waiter = state->waiters.first;
  while (waiter != NULL) {
    if (waiter->item != signal) {
      waiter = waiter->next;
      continue;
    }
    wait_queue_remove(&state->waiters, waiter);
    waiter_wake(core, waiter, -SF_EINVAL);
    waiter = state->waiters.first; /* Other arms of the same select have left with it. */
  }
}

EXPORT(sf_signal_unwatch) void sf_signal_unwatch(struct signal *signal) {
  struct signal_state *state = signal_state(signal->kind);
  signal_end_waits(core_get(), state, signal);
  signal->kind = 0;
  if (state->watchers == 0 || --state->watchers != 0) return;
  core_get()->shared.signals_watched &= ~(1u << (state - core_get()->signals));
}

static int32_t signal_try(struct signal *signal) {
  if (signal->kind == 0 || signal->kind >= SIGNALS) return -SF_EINVAL;
  struct signal_state *state = signal_state(signal->kind);
  uint32_t count = state->raised - signal->seen;
  if (count == 0) return -SF_EAGAIN;
  signal->seen = state->raised;
  return count > INT32_MAX ? INT32_MAX : (int32_t)count;
}

EXPORT(sf_signal_wait) int32_t sf_signal_wait(struct signal *signal) {
  RETURN_IF_RESUMED();
  int32_t result = signal_try(signal);
  if (result != -SF_EAGAIN) return result;
  return park_in(&signal_state(signal->kind)->waiters, signal, 0, 0, SF_WAIT_SIGNAL,
                 (void *)signal->kind);
}

/* The host's: returns how many tasks it woke. */
EXPORT(stackful_signal_raise) uint32_t stackful_signal_raise(uint32_t kind) {
  struct core *core = core_get();
  struct signal_state *state = signal_state(kind);
  state->raised++;
  uint32_t woken = 0;
  for (; state->waiters.first != NULL; woken++) {
    struct sf_waiter *waiter = wait_queue_pop(&state->waiters);
    ((struct signal *)waiter->item)->seen = state->raised;
    waiter_wake(core, waiter, 1);
  }
  return woken;
}
