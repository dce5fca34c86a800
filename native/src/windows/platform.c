/* platform.c - engine/platform.h, edge.h's and doorbell.h's descriptors: events that are reset by whoever
 * waits for them. */
#include "engine/platform.h"

#include "engine/backend.h"
#include "engine/doorbell.h"
#include "engine/os-errno.h"
#include "windows/descriptors.h"
#include "windows/status.h"

int sf__os_socket(int family, int type, int protocol, bool nonblocking) {
  u_long on = 1;
  const SOCKET socket = WSASocketW(family, type, protocol, NULL, 0,
                                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return sf__win_fail((uint32_t)WSAGetLastError());
  if (nonblocking) ioctlsocket(socket, (long)FIONBIO, &on);
  if (type == SOCK_DGRAM) {
    BOOL off = FALSE;
    DWORD bytes;
    WSAIoctl(socket, SF_WIN_UDP_REFUSALS, &off, sizeof(off), NULL, 0, &bytes, NULL, NULL);
  }
  const int fd = sf__win_add((HANDLE)socket, SF_WIN_SOCKET, O_RDWR);
  if (fd >= 0) sf__win_open_of(fd)->datagrams = type == SOCK_DGRAM;
  return fd;
}

#undef accept

int sf__os_accept(int fd, struct sockaddr *address, socklen_t *bytes, bool nonblocking) {
  u_long on = 1;
  const SOCKET socket = accept((SOCKET)sf__win_handle(fd), address, bytes);
  if (socket == INVALID_SOCKET) return sf__win_fail((uint32_t)WSAGetLastError());
  if (nonblocking) ioctlsocket(socket, (long)FIONBIO, &on);
  return sf__win_add((HANDLE)socket, SF_WIN_SOCKET, O_RDWR);
}

/* Descriptors of the embedder's are those of its C library. */
int32_t sf__backend_adopt(struct sf_backend *backend, int fd, bool transfers, bool owned) {
  (void)backend;
  (void)fd;
  (void)transfers;
  (void)owned;
  return -SF_ENOSYS;
}

/* No device is opened by its name. */
bool sf__os_tells(int fd) {
  (void)fd;
  return false;
}

int32_t sf__doorbell_open(struct sf_doorbell *out) {
  const HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (event == NULL) return sf__error(sf__win_errno(GetLastError()));
  const int fd = sf__win_add(event, SF_WIN_EVENT, O_RDWR);
  if (fd < 0) return sf__error(errno);
  *out = (struct sf_doorbell){ .fd = fd, .ring_fd = fd };
  return 0;
}

void sf__doorbell_ring(const struct sf_doorbell *doorbell) {
  SetEvent(sf__win_handle(doorbell->ring_fd));
}

void sf__doorbell_quiet(const struct sf_doorbell *doorbell) {
  ResetEvent(sf__win_handle(doorbell->fd));
}

void sf__doorbell_close(const struct sf_doorbell *doorbell) {
  close(doorbell->fd);
}

int madvise(void *address, size_t bytes, int advice) {
  (void)advice;
  /* The memory stays, and its pages are written to the page file by nobody. */
  if (VirtualAlloc(address, bytes, MEM_RESET, PAGE_READWRITE) == NULL) {
    return sf__win_fail(GetLastError());
  }
  return 0;
}
