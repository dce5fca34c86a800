/* descriptor.h - what kind of handle a descriptor makes that the engine did not open itself. */
#ifndef SF_DESCRIPTOR_H
#define SF_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

struct sf_descriptor {
  uint8_t kind; /* enum sf_handle_kind; SF_HANDLE_FREE: none that a guest can have */
  uint8_t family; /* of sockets: enum sf_family, or 0 */
  bool connected; /* of sockets of datagrams */
  bool pipe;
};

/* Looks at a descriptor: files, pipes, and sockets over IP or Unix are known. */
struct sf_descriptor sf__descriptor(int fd);

struct sf_engine;

/* Makes a descriptor a handle, which owns it from then on: at the reserved `place`. What can wait does
 * so no more, for whoever shares it. */
int32_t sf__descriptor_open(struct sf_engine *engine, uint32_t place, int fd,
                            struct sf_descriptor descriptor);

#endif
