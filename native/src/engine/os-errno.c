#include "engine/os-errno.h"

#include <errno.h>

#include "stackful/abi.h"

/* The one number of the guest's that no host has. The value is no errno of any Linux. */
#ifndef ENOTCAPABLE
#define ENOTCAPABLE 0x7FFF
#endif

int32_t sf__error(int os_errno) {
  switch (os_errno) {
#define X(name, code, text) \
  case name: \
    return -(code);
    SF_ERRNO_MAP(X)
#undef X
    default:
      return -SF_EIO;
  }
}
