/* issue.c - an operation becomes a request. */
#include "engine/call.h"
#include "engine/jobs.h"
#include "iocp/iocp.h"

/* Reads, writes and datagrams: between a handle and the guest's memory. */
static int32_t transfer(struct iocp *iocp, uint32_t index) {
  struct sf_op *op = &iocp->engine.ops.items[index];
  struct iovec parts[SF_IOVEC_MAX];
  struct sf_call call;
  int32_t err = sf__call_prepare(&iocp->engine, op, parts, &call);
  if (err < 0) return err;
  const bool socket = call.kind != SF_HANDLE_FILE && !call.pipe;
  const struct sf_win_open *open = sf__win_open_of(call.fd);
  if (open != NULL && open->kind == SF_WIN_STREAM) return sf__job_start(&iocp->engine, index);
  if (call.pipe && sf__operation(op->opcode)->borrows == SF_BORROWS_TO_SEND) {
    return iocp__write_pipe(iocp, index, &call);
  }
  /* Files and pipes have no vectors. */
  if (call.pipe && call.parts_count != 1) {
    err = sf__call_gather(&iocp->engine, op, &call);
    return err < 0 ? err : iocp__transfer_file(iocp, index, &call);
  }
  if (!socket && call.parts_count != 1) return sf__job_start(&iocp->engine, index);
  if (socket) {
    /* What need not wait has no packet then. (And Wine 8 sends one for what fails at once, too.) */
    iocp->engine.base.system_calls++;
    const int32_t result = sf__operation(op->opcode)->call(&call);
    if (result != -SF_EAGAIN) return result;
    if (iocp__awaits_datagram(op, call.kind)) return iocp__await_datagram(iocp, index, call.fd);
    if (op->opcode == SF_OP_SEND_BATCH) return sf__job_start(&iocp->engine, index);
  }
  err = sf__call_bounce(&iocp->engine, op, &call);
  if (err < 0) return err;
  return socket ? iocp__transfer_socket(iocp, index, &call)
                : iocp__transfer_file(iocp, index, &call);
}

/* What was read of a file goes into a pipe. */
static int32_t send_to_pipe(struct iocp *iocp, uint32_t index) {
  struct sf_op *op = &iocp->engine.ops.items[index];
  struct iovec parts[SF_IOVEC_MAX];
  struct sf_call call;
  const int32_t err = sf__call_prepare(&iocp->engine, op, parts, &call);
  if (err < 0) return err;
  struct sf_send_file *piece = op->kept;
  parts[0] = (struct iovec){ .iov_base = piece->data, .iov_len = piece->bytes };
  call.parts_count = 1;
  return iocp__write_pipe(iocp, index, &call);
}

static int32_t issue_close(struct iocp *iocp, uint32_t index) {
  const struct sf_handle *handle =
    &iocp->engine.base.handles.items[iocp->engine.ops.items[index].handle];
  /* It can take its time. */
  if (sf__is_file(handle->kind) || handle->lingers) return sf__job_start(&iocp->engine, index);
  iocp->engine.base.system_calls++;
  iocp__close_pipe(handle->fd);
  return 0;
}

typedef int32_t issue_function(struct iocp *, uint32_t);

static issue_function *const forms[] = {
  [SF_OP_ACCEPT] = iocp__accept,
  [SF_OP_CONNECT] = iocp__connect,
  [SF_OP_READ] = transfer,
  [SF_OP_WRITE] = transfer,
  [SF_OP_READV] = transfer,
  [SF_OP_WRITEV] = transfer,
  [SF_OP_PREAD] = transfer,
  [SF_OP_PWRITE] = transfer,
  [SF_OP_PREADV] = transfer,
  [SF_OP_PWRITEV] = transfer,
  [SF_OP_SEND_TO] = transfer,
  [SF_OP_RECEIVE_FROM] = transfer,
  [SF_OP_SEND_BATCH] = transfer,
  [SF_OP_RECEIVE_BATCH] = transfer,
  [SF_OP_WAIT] = iocp__wait,
  [SF_OP_CLOSE] = issue_close,
};

bool iocp__has(uint16_t opcode) {
  return opcode < sizeof(forms) / sizeof(forms[0]) && forms[opcode] != NULL;
}

int32_t iocp__issue(struct sf_engine *engine, uint32_t index) {
  const struct sf_op *op = &engine->ops.items[index];
  const uint8_t opcode = op->opcode;
  if (opcode == SF_OP_SEND_FILE && op->step != 0 && engine->base.handles.items[op->handle].pipe) {
    return send_to_pipe(iocp__of(engine), index);
  }
  if (!iocp__has(opcode)) return sf__job_start(engine, index);
  return forms[opcode](iocp__of(engine), index);
}
