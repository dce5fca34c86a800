/* request.c - what the system has of an operation. */
#include <stdlib.h>

#include "engine/os-errno.h"
#include "iocp/iocp.h"
#include "windows/status.h"

#define STATUS_END_OF_FILE_ 0xC0000011
#define STATUS_BUFFER_OVERFLOW_ 0x80000005
#define STATUS_PIPE_BROKEN_ 0xC000014B
#define STATUS_CANCELLED_ 0xC0000120

static int32_t make_room(struct iocp *iocp, uint32_t index) {
  if (index < iocp->requests_capacity) return 0;
  const uint32_t capacity = iocp->engine.ops.capacity;
  struct iocp_request **grown = realloc(iocp->requests, capacity * sizeof(*grown));
  if (grown == NULL) return -SF_ENOMEM;
  for (uint32_t i = iocp->requests_capacity; i < capacity; i++) grown[i] = NULL;
  iocp->requests = grown;
  iocp->requests_capacity = capacity;
  return 0;
}

int32_t iocp__associate(const struct iocp *iocp, int fd) {
  struct sf_win_open *open = sf__win_open_of(fd);
  if (open == NULL) return -SF_EBADF;
  if (open->port == iocp->port) return 0;
  if (CreateIoCompletionPort(sf__win_handle(fd), iocp->port, IOCP_KEY_REQUEST, 0) == NULL) {
    return sf__error(sf__win_errno(GetLastError()));
  }
  open->port = iocp->port;
  return 0;
}

int32_t iocp__request(struct iocp *iocp, uint32_t index, int fd, struct iocp_request **out) {
  const int32_t err = iocp__associate(iocp, fd);
  return err < 0 ? err : iocp__request_of(iocp, index, fd, out);
}

int32_t iocp__request_of(struct iocp *iocp, uint32_t index, int fd, struct iocp_request **out) {
  const int32_t err = make_room(iocp, index);
  if (err < 0) return err;
  struct iocp_request *request = iocp->free;
  if (request != NULL) {
    iocp->free = request->next;
  } else {
    request = malloc(sizeof(*request));
    if (request == NULL) return -SF_ENOMEM;
  }
  request->overlapped = (OVERLAPPED){ 0 };
  request->key = sf__ops_key(&iocp->engine.ops, index);
  request->fd = fd;
  request->role = IOCP_OPERATION;
  request->wait = NULL;
  request->accepted = -1;
  request->flags = 0;
  iocp->requests[index] = request;
  *out = request;
  return 0;
}

static void release(struct iocp *iocp, uint32_t index, struct iocp_request *request) {
  iocp->requests[index] = NULL;
  request->next = iocp->free;
  iocp->free = request;
}

/* What became of a transfer that did not succeed. */
static int32_t failed(const struct sf_op *op, const struct iocp_request *request) {
  const uint32_t status = (uint32_t)request->overlapped.Internal;
  const bool fills = sf__operation(op->opcode)->borrows == SF_BORROWS_TO_FILL;
  if (status == STATUS_END_OF_FILE_) return 0;
  /* It was shut down, see sf_mechanism.shut. */
  const struct sf_win_open *open = sf__win_open_of(request->fd);
  if (status == STATUS_CANCELLED_ && fills && !op->canceled && open->shut) return 0;
  /* The other end of a pipe is closed. */
  if (status == STATUS_PIPE_BROKEN_ && fills) return 0;
  return sf__error(sf__win_status_errno((int32_t)status));
}

int32_t iocp__issued(struct iocp *iocp, uint32_t index, struct iocp_request *request, bool began,
                     uint32_t error) {
  const struct sf_op *op = &iocp->engine.ops.items[index];
  const bool fills = sf__operation(op->opcode)->borrows == SF_BORROWS_TO_FILL;
  iocp->engine.base.system_calls++;
  /* A datagram that is longer than the buffer is a warning, which has its packet too. */
  if (began || error == ERROR_IO_PENDING || (fills && error == WSAEMSGSIZE)) {
    iocp->in_kernel++;
    return SF_STARTED;
  }
  if (request->accepted >= 0) close(request->accepted);
  release(iocp, index, request);
  if (error == ERROR_HANDLE_EOF || (error == ERROR_BROKEN_PIPE && fills)) return 0;
  return sf__error(sf__win_errno(error));
}

/* That the peer has reset a connection, as other systems have it. */
static int32_t fault(const struct sf_op *op, int fd) {
  const uint8_t borrows = sf__operation(op->opcode)->borrows;
  if (borrows == SF_BORROWS_NOTHING) return -SF_ECONNRESET;
  const int err = sf__win_fault(fd, borrows == SF_BORROWS_TO_SEND, ECONNRESET);
  return err == 0 ? 0 : sf__error(err);
}

static bool is_pipe(int fd) {
  const struct sf_win_open *open = sf__win_open_of(fd);
  return open != NULL && open->kind == SF_WIN_PIPE;
}

void iocp__finish(struct iocp *iocp, struct iocp_request *request, uint32_t bytes) {
  const uint32_t status = (uint32_t)request->overlapped.Internal;
  int32_t result = (int32_t)bytes;
  if (request->role == IOCP_BEHIND) {
    iocp__wrote(iocp, request);
    return;
  }
  const uint32_t index = sf__ops_index(&iocp->engine.ops, request->key);
  const struct sf_op *op = &iocp->engine.ops.items[index];
  iocp->in_kernel--;
  if (op->moved) iocp->moved--;
  /* Of a datagram that is longer than the buffer, the rest is lost. */
  if ((int32_t)status < 0 && status != STATUS_BUFFER_OVERFLOW_) result = failed(op, request);
  if (op->opcode == SF_OP_ACCEPT) {
    result = result < 0 ? result : iocp__accepted(iocp, index, request);
    if (result < 0) close(request->accepted);
  } else if (op->opcode == SF_OP_CONNECT) {
    result = result < 0 ? result : iocp__connected(request);
  } else if (op->opcode == SF_OP_WAIT) {
    iocp__waited(request);
    if (result >= 0) result = sf__call_now(&iocp->engine, op);
  } else if (result > 0) {
    iocp__transferred_file(op, request, bytes);
  }
  const uint8_t kind =
    op->handle == SF_NONE ? SF_HANDLE_FREE : iocp->engine.base.handles.items[op->handle].kind;
  if (result == -SF_ECONNRESET) result = fault(op, request->fd);
  /* The peer has gone before it was accepted; or there is a datagram; or somebody has written nothing. */
  const bool again = op->opcode == SF_OP_ACCEPT
                       ? result == -SF_ECONNRESET
                       : result >= 0 && (iocp__awaits_datagram(op, kind) ||
                                         (status == 0 && bytes == 0 && is_pipe(request->fd)));
  release(iocp, index, request);
  if (again && !op->canceled && !iocp->engine.closing) {
    result = iocp__issue(&iocp->engine, index);
  } else if (again) {
    result = -SF_ECANCELED; /* the datagram stays where it is */
  }
  if (result != SF_STARTED) sf__engine_finish(&iocp->engine, index, result);
}

void iocp__requests_free(struct iocp *iocp) {
  while (iocp->free != NULL) {
    struct iocp_request *next = iocp->free->next;
    free(iocp->free);
    iocp->free = next;
  }
  free(iocp->requests);
}
