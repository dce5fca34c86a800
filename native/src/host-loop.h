/* host-loop.h - the event loop of the host, as far as a backend needs it: Node's libuv.
 *
 * The functions are looked up in the process at run time, with prototypes of our own: there is
 * nothing to link against, and no header that could be of another version. Other runtimes export
 * some of these names and stop the process when one is called; the caller has to know which
 * runtime it is in.
 */
#ifndef SF_HOST_LOOP_H
#define SF_HOST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct sf_host_loop;

typedef void (*sf_host_loop_callback)(void *context);

/* Returns 0 and sets *out, or -SF_ENOSYS when the process has no libuv, -SF_ENOMEM. */
int32_t sf__host_loop_open(struct sf_host_loop **out, void *uv_loop);

/* Calls `ready` from the event loop while `fd` is readable. Returns 0 or a negated sf_errno. */
int32_t sf__host_loop_watch(struct sf_host_loop *loop, int fd, sf_host_loop_callback ready,
                            void *context);

/* Whether the watch keeps the event loop, and with it the process, alive. At first it does not. */
void sf__host_loop_hold(struct sf_host_loop *loop, bool hold);

/* Readable when the event loop has work. */
int sf__host_loop_fd(const struct sf_host_loop *loop);

/* How long the event loop would sleep, in milliseconds: 0 has work to do, -1 no limit. */
int32_t sf__host_loop_timeout_ms(struct sf_host_loop *loop);

/* Ends the watch. The event loop still has to let go of it: then `closed` is called and `loop` is
 * freed, which can be at once. */
void sf__host_loop_close(struct sf_host_loop *loop, sf_host_loop_callback closed, void *context);

#endif
