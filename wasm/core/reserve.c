/* reserve.c - memory for the modules that the linker adds to a guest (wasm/net): like the core they have
 * no data of their own. */
#include "arena.h"

/* `bytes` that are zero, aligned to 16, and stay for as long as the guest. NULL: there is none. */
EXPORT(sf_reserve) void *sf_reserve(uint32_t bytes) {
  void *taken = arena_take(core_get(), bytes);
  if (taken != NULL) __builtin_memset(taken, 0, bytes);
  return taken;
}
