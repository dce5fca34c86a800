/* process.c - the ends of child processes: a thread of the system's waits for them, and tells the port. */
#include "engine/os-errno.h"
#include "iocp/iocp.h"
#include "windows/status.h"

#define STATUS_CANCELLED_ 0xC0000120

static void CALLBACK tell_end(void *argument, BOOLEAN timed_out) {
  struct iocp_request *request = argument;
  (void)timed_out;
  request->told = true;
  PostQueuedCompletionStatus(request->port, 0, IOCP_KEY_REQUEST, &request->overlapped);
}

int32_t iocp__wait(struct iocp *iocp, uint32_t index) {
  const struct sf_op *op = &iocp->engine.ops.items[index];
  const int fd = op->handle == SF_NONE ? op->fd : iocp->engine.base.handles.items[op->handle].fd;
  struct iocp_request *request;
  const int32_t done = sf__call_now(&iocp->engine, op);
  if (done != -SF_EAGAIN) return done;
  const int32_t err = iocp__request_of(iocp, index, fd, &request);
  if (err < 0) return err;
  request->told = false;
  request->port = iocp->port;
  const bool began =
    RegisterWaitForSingleObject(&request->wait, sf__win_handle(fd), tell_end, request, INFINITE,
                                WT_EXECUTEINWAITTHREAD | WT_EXECUTEONLYONCE);
  if (!began) request->wait = NULL;
  return iocp__issued(iocp, index, request, began, began ? 0 : GetLastError());
}

void iocp__cancel_wait(struct iocp_request *request) {
  UnregisterWaitEx(request->wait, INVALID_HANDLE_VALUE);
  request->wait = NULL;
  if (request->told) return;
  request->overlapped.Internal = STATUS_CANCELLED_;
  PostQueuedCompletionStatus(request->port, 0, IOCP_KEY_REQUEST, &request->overlapped);
}

void iocp__waited(struct iocp_request *request) {
  if (request->wait != NULL) UnregisterWait(request->wait);
  request->wait = NULL;
}
