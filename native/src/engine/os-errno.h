/* os-errno.h - the operating system's error numbers as the guest's (WASI preview 1). */
#ifndef SF_OS_ERRNO_H
#define SF_OS_ERRNO_H

#include <stdint.h>

/* The negated enum sf_errno for a positive errno; -SF_EIO for one the guest has no name for. */
int32_t sf__error(int os_errno);

#endif
