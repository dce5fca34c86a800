/* adopted.c - a guest that is given a descriptor of its embedder's. */
#include <stackful.h>
#include "law.h"

/* Waits for a byte and reads it. */
int32_t EXPORT(read_byte)(sf_handle_t handle) {
  unsigned char byte;
  int32_t result = sf_poll(handle, SF_POLL_READABLE);
  if (result < 0) return result;
  if ((result & SF_POLL_READABLE) == 0) return -SF_EIO;
  result = sf_read(handle, &byte, 1);
  return result == 1 ? byte : result;
}
