/* address.h - struct sf_address to and from the operating system's socket addresses. */
#ifndef SF_ADDRESS_H
#define SF_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

#include "stackful/abi.h"

/* Returns 0 and sets *out and *out_bytes, or -SF_EAFNOSUPPORT. */
int32_t sf__address_to_os(const struct sf_address *address, struct sockaddr_storage *out,
                          socklen_t *out_bytes);

/* All zero for a family the guest has no name for. */
struct sf_address sf__address_from_os(const struct sockaddr_storage *address);

#endif
