/* edge.h - waits until a descriptor becomes readable, without making it quiet: what it says is for
 * another thread. */
#ifndef SF_EDGE_H
#define SF_EDGE_H

#include <stdint.h>

enum sf_edge_event { SF_EDGE_STOP = 1, SF_EDGE_READY = 2 };

/* Of `fd`: each time that it is told something new. Of `stop_fd`: that it is readable. Returns a
 * descriptor to wait on, or a negated sf_errno. */
int32_t sf__edge_open(int fd, int stop_fd);

/* Waits, -1: without a limit. Returns enum sf_edge_event, several or none. */
int sf__edge_wait(int edge, int timeout_ms);

#endif
