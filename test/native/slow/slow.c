/* slow.c - calls that block until a test lets them go on: in an addon that is built with
 * -Dgetaddrinfo=sf_test_getaddrinfo and -Dpreadv=sf_test_preadv. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

struct addrinfo;
struct iovec;

#define EAI_NONAME (-2)

/* Where a test's file has no end. */
#define ENDLESS ((off_t)1 << 40)

#undef preadv
ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset);

static int open_pipe(const char *variable, int flags) {
  int fd;
  do {
    fd = open(getenv(variable), flags | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

/* Says that it is here to whoever reads one pipe, and waits for a byte in the other. */
int sf_test_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                        struct addrinfo **out) {
  (void)name, (void)service, (void)hints, (void)out;
  char byte;
  close(open_pipe("STACKFUL_TEST_ENTERED", O_WRONLY));
  const int gate = open_pipe("STACKFUL_TEST_GATE", O_RDWR);
  while (read(gate, &byte, 1) < 0 && errno == EINTR) {
  }
  close(gate);
  return EAI_NONAME;
}

/* Blocks there until a signal comes. */
ssize_t sf_test_preadv(int fd, const struct iovec *parts, int count, off_t offset) {
  if (offset == ENDLESS) return poll(NULL, 0, -1);
  return preadv(fd, parts, count, offset);
}
