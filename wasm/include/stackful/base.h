/* base.h - what the other headers share. */
#ifndef STACKFUL_BASE_H
#define STACKFUL_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"

/* Marks a call that may park the calling task. Expands to nothing: a reader and a tool can rely on
 * it. */
#define SF_PARKS

#define SF_IMPORT(name) __attribute__((import_module("stackful"), import_name(#name)))
#define SF_HOST_IMPORT(name) __attribute__((import_module("stackful_host"), import_name(#name)))

/* Objects of the core (channels, mutexes, ...) are opaque storage of the caller's: initialise one as
 * its header says, do not copy it, and let it outlive every call on it and every task that waits on
 * it. It may lie on the stack of a task; when that task fails, what waits there gets -SF_EOWNERDEAD. */

#endif
