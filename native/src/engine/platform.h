/* platform.h - what systems differ in, where a line of their own says it best.
 *
 * SF_LINUX: Linux's own calls are used. Not where SF_PORTABLE is defined, which builds the addon as for
 * another system, so that those paths can be tested on Linux.
 */
#ifndef SF_PLATFORM_H
#define SF_PLATFORM_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#if defined(__linux__) && !defined(SF_PORTABLE)
#define SF_LINUX 1
#endif

#ifdef _WIN32
#define SF_WINDOWS 1
#endif

/* How a directory is opened that is only walked through. */
#if defined(SF_LINUX)
#define SF_WALK_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)
#elif defined(O_SEARCH)
#define SF_WALK_FLAGS (O_SEARCH | O_DIRECTORY | O_CLOEXEC)
#else
#define SF_WALK_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

/* Where there is none, sf__os_socket and sf__os_accept see to it. */
#ifdef MSG_NOSIGNAL
#define SF_MSG_NOSIGNAL MSG_NOSIGNAL
#else
#define SF_MSG_NOSIGNAL 0
#endif

/* As socket(2) and accept(2): closed by exec, never raising SIGPIPE, and not blocking if so wanted.
 * Return the descriptor, or -1 and set errno. */
int sf__os_socket(int family, int type, int protocol, bool nonblocking);
int sf__os_accept(int fd, struct sockaddr *address, socklen_t *bytes, bool nonblocking);

/* As fsync(2): what was written is on the disk, not only in the disk's memory. `data`: without times and
 * what else no reader needs. */
int sf__os_sync(int fd, bool data);

/* Whether a device tells when it is ready: one that waits, a terminal for instance. */
bool sf__os_tells(int fd);

/* Opens once more what another descriptor is open on, for the same use, so that it does not block and
 * nobody else's does: a pipe or a terminal. Returns the descriptor, or -1: that cannot be. */
int sf__os_open_again(int fd);

#ifdef SF_WINDOWS
/* As renameat(2) does, except that it replaces nothing. */
int sf__os_rename_new(int from_directory, const char *from, int to_directory, const char *to);
#endif

/* As pipe(2), closed by exec, and not blocking if so wanted. */
int sf__os_pipe(int ends[2], bool nonblocking);

/* Of a clock that is never set. */
int64_t sf__os_now_ns(void);

/* A descriptor that is readable once the child has ended, whose status was not taken. Or -1, with errno. */
int sf__os_exit_descriptor(pid_t pid);

/* Closes every descriptor from `first` on, in a child that is about to become another program. `limit`:
 * sf__os_descriptors_limit() of its parent. */
void sf__os_close_from(int first, int limit);
int sf__os_descriptors_limit(void);

#endif
