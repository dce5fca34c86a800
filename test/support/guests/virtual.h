/* virtual.h - for laws that run in virtual time: the clock moves only when every task waits. */
#ifndef VIRTUAL_H
#define VIRTUAL_H

#include "law.h"

#define MS SF_MILLISECOND

/* Returns once every other task waits for something that takes longer. */
static inline int32_t settle(void) { return sf_sleep(SF_MILLISECOND); }

#endif
