/* net.c - the one translation unit of net.wasm, which the linker adds to guests that import from it. It is
 * code of the guest's like any other: it has its stack, parks as it does, and asks the core. But it has no
 * data: where a guest has its own nobody knows beforehand. */
#define SF_NET_IMPORT(name) __attribute__((export_name(#name)))

#include <stackful/dns.h>

#include "connect.c"
#include "resolve.c"
