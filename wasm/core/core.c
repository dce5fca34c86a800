/* core.c - the one translation unit of core.wasm, so that the compiler sees across files. */
#include "run.c"
#include "spawn.c"
#include "channel.c"
#include "io.c"
#include "host.c"
#include "address.c"
