/* socket.c - requests of sockets. */
#include <string.h>

#include "engine/os-errno.h"
#include "iocp/iocp.h"
#include "windows/status.h"

static SOCKET socket_of(int fd) {
  return (SOCKET)sf__win_handle(fd);
}

int32_t iocp__accept(struct iocp *iocp, uint32_t index) {
  const struct sf_op *op = &iocp->engine.ops.items[index];
  const struct sf_handle *handle = &iocp->engine.base.handles.items[op->handle];
  const int family = handle->family == SF_FAMILY_IPV6 ? AF_INET6 : AF_INET;
  struct iocp_request *request;
  DWORD bytes;
  const int32_t err = iocp__request(iocp, index, handle->fd, &request);
  if (err < 0) return err;
  const int on = 1;
  request->accepted = sf__os_socket(family, SOCK_STREAM, IPPROTO_TCP, true);
  if (request->accepted < 0) return iocp__issued(iocp, index, request, false, WSAEMFILE);
  setsockopt(request->accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const bool began =
    AcceptEx(socket_of(handle->fd), socket_of(request->accepted), request->addresses, 0,
             IOCP_ADDRESS_BYTES, IOCP_ADDRESS_BYTES, &bytes, &request->overlapped);
  return iocp__issued(iocp, index, request, began, began ? 0 : (uint32_t)WSAGetLastError());
}

int32_t iocp__accepted(struct iocp *iocp, uint32_t index, struct iocp_request *request) {
  struct sf_peer *peer = iocp->engine.ops.items[index].kept;
  const SOCKET listener = socket_of(request->fd);
  u_long on = 1;
  if (setsockopt(request->accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, &listener,
                 sizeof(listener)) < 0) {
    return sf__error(errno);
  }
  /* It is as the system made it, not as we did. */
  ioctlsocket(socket_of(request->accepted), (long)FIONBIO, &on);
  if (peer != NULL) {
    getpeername(request->accepted, (struct sockaddr *)&peer->address, &peer->bytes);
  }
  return request->accepted;
}

/* ConnectEx wants a socket that is bound. */
static int bind_anywhere(int fd, int family) {
  struct sockaddr_storage anywhere = { .ss_family = (ADDRESS_FAMILY)family };
  const socklen_t bytes =
    family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  return bind(fd, (const struct sockaddr *)&anywhere, bytes);
}

int32_t iocp__connect(struct iocp *iocp, uint32_t index) {
  const struct sf_op *op = &iocp->engine.ops.items[index];
  const struct sf_peer *peer = op->kept;
  struct iocp_request *request;
  if (bind_anywhere(op->fd, peer->address.ss_family) < 0) return sf__error(errno);
  const int32_t err = iocp__request(iocp, index, op->fd, &request);
  if (err < 0) return err;
  const bool began = iocp->connect_ex(socket_of(op->fd), (const struct sockaddr *)&peer->address,
                                      peer->bytes, NULL, 0, NULL, &request->overlapped);
  return iocp__issued(iocp, index, request, began, began ? 0 : (uint32_t)WSAGetLastError());
}

int32_t iocp__connected(const struct iocp_request *request) {
  const int done = setsockopt(request->fd, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0);
  return done < 0 ? sf__error(errno) : 0;
}

int32_t iocp__transfer_socket(struct iocp *iocp, uint32_t index, const struct sf_call *call) {
  const struct sf_op *op = &iocp->engine.ops.items[index];
  const bool sends = sf__operation(op->opcode)->borrows == SF_BORROWS_TO_SEND;
  WSABUF parts[SF_IOVEC_MAX];
  struct iocp_request *request;
  const int32_t err = iocp__request(iocp, index, call->fd, &request);
  if (err < 0) return err;
  for (uint32_t i = 0; i < call->parts_count; i++) {
    parts[i] = (WSABUF){ .buf = call->parts[i].iov_base, .len = (ULONG)call->parts[i].iov_len };
  }
  const SOCKET socket = socket_of(call->fd);
  const DWORD count = call->parts_count;
  OVERLAPPED *overlapped = &request->overlapped;
  int result;
  if (op->opcode == SF_OP_SEND_TO) {
    const struct sf_message *message = op->kept;
    result = WSASendTo(socket, parts, count, NULL, 0, message->message.msg_name,
                       message->message.msg_namelen, overlapped, NULL);
  } else if (sends) {
    result = WSASend(socket, parts, count, NULL, 0, overlapped, NULL);
  } else {
    result = WSARecv(socket, parts, count, NULL, &request->flags, overlapped, NULL);
  }
  return iocp__issued(iocp, index, request, result == 0,
                      result == 0 ? 0 : (uint32_t)WSAGetLastError());
}

bool iocp__awaits_datagram(const struct sf_op *op, uint8_t kind) {
  return kind == SF_HANDLE_UDP && sf__operation(op->opcode)->borrows == SF_BORROWS_TO_FILL;
}

int32_t iocp__await_datagram(struct iocp *iocp, uint32_t index, int fd) {
  struct iocp_request *request;
  const int32_t err = iocp__request(iocp, index, fd, &request);
  if (err < 0) return err;
  WSABUF nothing = { .buf = (char *)request->addresses, .len = 1 };
  request->flags = MSG_PEEK;
  const int result = WSARecvFrom(socket_of(fd), &nothing, 1, NULL, &request->flags, NULL, NULL,
                                 &request->overlapped, NULL);
  return iocp__issued(iocp, index, request, result == 0,
                      result == 0 ? 0 : (uint32_t)WSAGetLastError());
}
