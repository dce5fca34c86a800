/* sockets.c - the calls of Winsock, with errno. */
#include "windows/descriptors.h"
#include "windows/status.h"

/* As many as a guest's vector has. */
#define SF_WIN_PARTS_MAX 1024

#undef bind
#undef connect
#undef getpeername
#undef getsockname
#undef getsockopt
#undef listen
#undef send
#undef setsockopt
#undef shutdown

int sf__win_fault(int fd, bool sends, int err) {
  struct sf_win_open *open = sf__win_open_of(fd);
  if (err != ECONNRESET || open == NULL) return err;
  if (open->datagrams) return ECONNREFUSED;
  const bool told = open->reset;
  open->reset = true;
  return !told ? err : sends ? EPIPE : 0;
}

/* Sets errno, and returns -1, or 0 at an end. */
static int fail_transfer(int fd, bool sends) {
  const int err = sf__win_fault(fd, sends, sf__win_errno((uint32_t)WSAGetLastError()));
  if (err != 0) errno = err;
  return err == 0 ? 0 : -1;
}

/* Winsock says something else of what is none. */
static bool is_socket(const struct sf_win_open *open) {
  if (open != NULL && open->kind == SF_WIN_SOCKET) return true;
  errno = open == NULL ? EBADF : ENOTSOCK;
  return false;
}

static int told(int result) {
  return result == 0 ? 0 : sf__win_fail((uint32_t)WSAGetLastError());
}

static SOCKET socket_of(int fd) {
  return (SOCKET)sf__win_handle(fd);
}

int sf__win_bind(int fd, const struct sockaddr *address, socklen_t bytes) {
  return told(bind(socket_of(fd), address, bytes));
}

/* Of datagrams: whoever is connected hears that nobody listens. */
static void hear_refusals(int fd, BOOL hear) {
  DWORD bytes;
  WSAIoctl(socket_of(fd), SF_WIN_UDP_REFUSALS, &hear, sizeof(hear), NULL, 0, &bytes, NULL, NULL);
}

int sf__win_connect(int fd, const struct sockaddr *address, socklen_t bytes) {
  struct sockaddr_storage nobody = { .ss_family = AF_UNSPEC };
  hear_refusals(fd, address->sa_family != AF_UNSPEC);
  if (address->sa_family != AF_UNSPEC) return told(connect(socket_of(fd), address, bytes));
  bytes = sizeof(nobody);
  if (sf__win_getsockname(fd, (struct sockaddr *)&nobody, &bytes) < 0) return -1;
  const ADDRESS_FAMILY family = nobody.ss_family;
  nobody = (struct sockaddr_storage){ .ss_family = family };
  return told(connect(socket_of(fd), (const struct sockaddr *)&nobody, bytes));
}

/* A socket of a pair has an address that is nobody's business. */
static void put_no_address(struct sockaddr *address, socklen_t *bytes) {
  address->sa_family = AF_UNIX;
  *bytes = sizeof(address->sa_family);
}

int sf__win_getpeername(int fd, struct sockaddr *address, socklen_t *bytes) {
  const struct sf_win_open *open = sf__win_open_of(fd);
  if (!is_socket(open)) return -1;
  if (!open->paired) return told(getpeername(socket_of(fd), address, bytes));
  put_no_address(address, bytes);
  return 0;
}

int sf__win_getsockname(int fd, struct sockaddr *address, socklen_t *bytes) {
  const struct sf_win_open *open = sf__win_open_of(fd);
  if (!is_socket(open)) return -1;
  if (!open->paired) return told(getsockname(socket_of(fd), address, bytes));
  put_no_address(address, bytes);
  return 0;
}

int sf__win_getsockopt(int fd, int level, int name, void *value, socklen_t *bytes) {
  return told(getsockopt(socket_of(fd), level, name, value, bytes));
}

int sf__win_listen(int fd, int backlog) {
  return told(listen(socket_of(fd), backlog));
}

int sf__win_setsockopt(int fd, int level, int name, const void *value, socklen_t bytes) {
  return told(setsockopt(socket_of(fd), level, name, value, bytes));
}

int sf__win_shutdown(int fd, int how) {
  struct sf_win_open *open = sf__win_open_of(fd);
  if (!is_socket(open)) return -1;
  if (open->reset) {
    errno = ENOTCONN;
    return -1;
  }
  if (shutdown(socket_of(fd), how) != 0) return sf__win_fail((uint32_t)WSAGetLastError());
  if (how != SHUT_WR) open->shut = true;
  return 0;
}

/* What a call moves at most. */
static DWORD buffers(const struct msghdr *message, WSABUF *out) {
  for (size_t i = 0; i < message->msg_iovlen; i++) {
    out[i] = (WSABUF){
      .buf = message->msg_iov[i].iov_base,
      .len = (ULONG)message->msg_iov[i].iov_len,
    };
  }
  return (DWORD)message->msg_iovlen;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  WSABUF parts[SF_WIN_PARTS_MAX];
  DWORD bytes = 0;
  const DWORD count = buffers(message, parts);
  if (WSASendTo(socket_of(fd), parts, count, &bytes, (DWORD)flags, message->msg_name,
                message->msg_namelen, NULL, NULL) == 0) {
    return (ssize_t)bytes;
  }
  return fail_transfer(fd, true);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
  WSABUF parts[SF_WIN_PARTS_MAX];
  DWORD bytes = 0;
  DWORD told_flags = (DWORD)flags;
  const struct sf_win_open *open = sf__win_open_of(fd);
  if (open != NULL && open->shut) return 0;
  const DWORD count = buffers(message, parts);
  const int result =
    WSARecvFrom(socket_of(fd), parts, count, &bytes, &told_flags, message->msg_name,
                message->msg_name == NULL ? NULL : &message->msg_namelen, NULL, NULL);
  message->msg_flags = 0;
  if (result == 0) return (ssize_t)bytes;
  const int error = WSAGetLastError();
  if (error != WSAEMSGSIZE) return fail_transfer(fd, false);
  message->msg_flags = MSG_TRUNC;
  ssize_t room = 0;
  for (DWORD i = 0; i < count; i++) room += (ssize_t)parts[i].len;
  return room;
}

ssize_t sf__win_send(int fd, const void *data, size_t bytes, int flags) {
  struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = bytes };
  const struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
  return sendmsg(fd, &message, flags);
}
