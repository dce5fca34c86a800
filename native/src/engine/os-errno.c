#include "engine/os-errno.h"

#include <errno.h>

#include "stackful/abi.h"

/* The one number of the guest's that no host has, and two that Windows has not. The values are no errno of
 * any system. */
#ifndef ENOTCAPABLE
#define ENOTCAPABLE 0x7FFF
#endif
#ifndef EDQUOT
#define EDQUOT 0x7FFE
#endif
#ifndef ESTALE
#define ESTALE 0x7FFD
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
