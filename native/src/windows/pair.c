/* pair.c - pairs of connected sockets: over the loopback, since not every Windows has others, and those have names. */
#include "engine/platform.h"
#include "windows/descriptors.h"

static int listen_alone(struct sockaddr_in *address) {
  const int on = 1;
  socklen_t bytes = sizeof(*address);
  *address = (struct sockaddr_in){
    .sin_family = AF_INET,
    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  const int fd = sf__os_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP, false);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, &on, sizeof(on));
  if (bind(fd, (struct sockaddr *)address, bytes) == 0 && listen(fd, 1) == 0 &&
      getsockname(fd, (struct sockaddr *)address, &bytes) == 0) {
    return fd;
  }
  const int err = errno;
  close(fd);
  errno = err;
  return -1;
}

/* Whether the one has accepted the other, and nobody else. */
static bool are_connected(int one, int other) {
  struct sockaddr_in from = { 0 };
  struct sockaddr_in to = { 0 };
  socklen_t bytes[2] = { sizeof(from), sizeof(to) };
  return getpeername(one, (struct sockaddr *)&from, &bytes[0]) == 0 &&
         getsockname(other, (struct sockaddr *)&to, &bytes[1]) == 0 && from.sin_port == to.sin_port;
}

static void prepare(int fd) {
  const int on = 1;
  u_long nonblocking = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ioctlsocket((SOCKET)sf__win_handle(fd), (long)FIONBIO, &nonblocking);
  sf__win_open_of(fd)->paired = true;
}

int sf__win_socket_pair(int fds[2]) {
  struct sockaddr_in address;
  const int listener = listen_alone(&address);
  if (listener < 0) return -1;
  fds[0] = sf__os_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP, false);
  fds[1] = -1;
  if (fds[0] >= 0 && connect(fds[0], (struct sockaddr *)&address, sizeof(address)) == 0) {
    fds[1] = sf__os_accept(listener, NULL, NULL, false);
  }
  int err = errno;
  close(listener);
  if (fds[1] >= 0 && !are_connected(fds[1], fds[0])) {
    close(fds[1]);
    fds[1] = -1;
    err = EAGAIN;
  }
  if (fds[1] >= 0) {
    for (int i = 0; i < 2; i++) prepare(fds[i]);
    return 0;
  }
  if (fds[0] >= 0) close(fds[0]);
  errno = err;
  return -1;
}
