/* edge.h - waits until a descriptor becomes readable, without making it quiet: what it says is for
 * another thread. */
#ifndef SF_EDGE_H
#define SF_EDGE_H

#include <stdint.h>

enum sf_edge_event { SF_EDGE_STOP = 1, SF_EDGE_READY = 2 };

struct sf_edge {
  int fd;
  int stop_fd;
  int both_fd; /* waits for both, where the system has such a thing; owned */
};

/* Of `fd`: each time that it is told something new. Of `stop_fd`: that it is readable. Returns 0 or a
 * negated sf_errno. */
int32_t sf__edge_open(struct sf_edge *out, int fd, int stop_fd);

/* Waits, -1: without a limit. Returns enum sf_edge_event, several or none. */
int sf__edge_wait(const struct sf_edge *edge, int timeout_ms);

void sf__edge_close(const struct sf_edge *edge);

#endif
