/* iocp.c - the mechanism of Windows, a completion port: open, drain, free; cancel. */
#include "iocp/iocp.h"

#include <stdlib.h>

#include "engine/doorbell.h"
#include "engine/jobs.h"
#include "engine/os-errno.h"
#include "windows/status.h"

static LPFN_CONNECTEX find_connect_ex(void) {
  GUID id = WSAID_CONNECTEX;
  LPFN_CONNECTEX found = NULL;
  DWORD bytes;
  const SOCKET socket = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return NULL;
  if (WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), &found, sizeof(found),
               &bytes, NULL, NULL) != 0) {
    found = NULL;
  }
  closesocket(socket);
  return found;
}

static int32_t iocp_open(struct sf_engine **out, const struct sf_options *options) {
  WSADATA data;
  struct sf_doorbell wake;
  int32_t err;
  (void)options;
  struct iocp *iocp = calloc(1, sizeof(*iocp));
  if (iocp == NULL) return -SF_ENOMEM;
  err = -SF_ENOSYS;
  if (WSAStartup(MAKEWORD(2, 2), &data) != 0) goto fail_winsock;
  iocp->connect_ex = find_connect_ex();
  if (iocp->connect_ex == NULL) goto fail_port;
  iocp->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
  if (iocp->port == NULL) goto fail_port;
  err = sf__doorbell_open(&wake);
  if (err < 0) goto fail_wake;
  iocp->engine.base.wake_fd = wake.fd;
  err = iocp__waiter_open(&iocp->waiter, iocp->port, sf__win_handle(wake.fd));
  if (err < 0) goto fail_waiter;
  *out = &iocp->engine;
  return 0;

fail_waiter:
  sf__doorbell_close(&wake);
fail_wake:
  CloseHandle(iocp->port);
fail_port:
  WSACleanup();
fail_winsock:
  free(iocp);
  return err;
}

static bool in_kernel(const struct iocp *iocp, uint32_t index) {
  return index < iocp->requests_capacity && iocp->requests[index] != NULL;
}

static void iocp_cancel(struct sf_engine *engine, uint32_t index) {
  struct iocp *iocp = iocp__of(engine);
  if (engine->ops.items[index].job != NULL) {
    sf__job_cancel(engine, index);
    return;
  }
  struct iocp_request *request = in_kernel(iocp, index) ? iocp->requests[index] : NULL;
  if (request == NULL) {
    iocp__leave_pipe(iocp, index);
    return;
  }
  if (request->wait != NULL) {
    iocp__cancel_wait(request);
    return;
  }
  /* One that has ended has its packet in the port already. */
  engine->base.system_calls++;
  CancelIoEx(sf__win_handle(request->fd), &request->overlapped);
}

/* Those that wait to read: the system leaves them waiting. */
static void iocp_shut(struct sf_engine *engine, const struct sf_handle *handle) {
  uint32_t index = handle->ops_first;
  while (index != SF_NONE) {
    const struct sf_op *op = &engine->ops.items[index];
    const bool reads = sf__operation(op->opcode)->borrows == SF_BORROWS_TO_FILL;
    if (reads && !op->waiting && !op->canceled) iocp_cancel(engine, index);
    index = op->handle_next;
  }
}

static int32_t iocp_moved(struct sf_engine *engine) {
  struct iocp *iocp = iocp__of(engine);
  for (uint32_t i = 0; i < engine->ops.capacity; i++) {
    struct sf_op *op = &engine->ops.items[i];
    if (!in_kernel(iocp, i) || op->bounce != NULL) continue;
    if (sf__operation(op->opcode)->borrows == SF_BORROWS_NOTHING) continue;
    op->moved = true;
    iocp->moved++;
    if (sf__ops_cancel(&engine->ops, i)) iocp_cancel(engine, i);
  }
  iocp__begin(engine); /* what the waiter has taken */
  while (iocp->moved > 0) iocp__reap(iocp, INFINITE);
  return 0;
}

static void iocp_drain(struct sf_engine *engine) {
  struct iocp *iocp = iocp__of(engine);
  iocp__begin(engine);
  for (uint32_t i = 0; i < iocp->requests_capacity; i++) {
    if (in_kernel(iocp, i)) iocp_cancel(engine, i);
  }
  iocp__cancel_behind(iocp);
  while (iocp->in_kernel > 0) iocp__reap(iocp, INFINITE);
}

static void iocp_free(struct sf_engine *engine) {
  struct iocp *iocp = iocp__of(engine);
  if (iocp->jobs_event != NULL) {
    UnregisterWaitEx(iocp->jobs_wait, INVALID_HANDLE_VALUE);
    CloseHandle(iocp->jobs_event);
  }
  iocp__waiter_close(iocp->waiter);
  close(engine->base.wake_fd);
  CloseHandle(iocp->port);
  iocp__requests_free(iocp);
  WSACleanup();
  free(iocp);
}

const struct sf_mechanism sf__iocp = {
  .name = "iocp",
  .nonblocking = true,
  .open = iocp_open,
  .free = iocp_free,
  .drain = iocp_drain,
  .has = iocp__has,
  .issue = iocp__issue,
  .cancel = iocp_cancel,
  .shut = iocp_shut,
  .moved = iocp_moved,
  .begin = iocp__begin,
  .run = iocp__run,
  .arm = iocp__arm,
  .woken = iocp__woken,
  .poke = iocp__poke,
};
