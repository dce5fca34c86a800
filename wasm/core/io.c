/* io.c - operations: a record into the ring, the task parked until its completion.
 *
 * Some transfers the host is asked to make at once, so that the task goes on without parking: where
 * a system call of its own costs less than the way through the ring, which many share well, or
 * where so many bytes move that the call is the smaller part. Between two switches a task has
 * `attempts` of them: one whose data never ends lets others run. See docs/decisions/011.
 */
#include "task.h"

struct op {
  uint32_t op;
  int32_t handle;
  uint32_t pointer;
  uint32_t length;
  uint32_t argument;
  uint32_t mode;
  int64_t offset;
};

/* A transfer of so many bytes costs more than its system call. */
#define BULK_BYTES 16384

/* The record behind the ring's last: its result, or -EAGAIN when it has to go through the ring. */
__attribute__((import_module("stackful_host"), import_name("attempt"))) int32_t host_attempt(void);

/* Nobody else has anything to do, here or in the system. */
INLINE uint32_t is_alone(const struct core *core) {
  const struct sf_shared *shared = &core->shared;
  return core->ready_first == NULL && shared->submissions_head == shared->submissions_tail;
}

/* Whether it may need no wait, and is cheaper at once. */
INLINE uint32_t attempt_pays(const struct core *core, const struct sf_task *self, uint32_t op,
                             uint32_t length) {
  switch (op) {
    case SF_OP_READ: /* The last transfer was so large that there may be more. */
      return (self->wait_detail == SF_OP_READ || self->wait_detail == SF_OP_WRITE) &&
             self->waiter.result >= BULK_BYTES;
    case SF_OP_WRITE:
      return length >= BULK_BYTES || is_alone(core);
    case SF_OP_SEND_TO:
    case SF_OP_PREAD:
      return is_alone(core);
    default:
      return 0;
  }
}

/* Not inlined: one copy for all operations. Parks nobody, so Asyncify has nothing to do with it.
 * Returns whether the task has to park; else its waiter has the result: of what was done at once, or
 * -ECANCELED when a request was pending. */
NOINLINE static uint32_t op_submit(struct core *core, struct sf_task *self, uint32_t op, int32_t handle,
                               uint32_t pointer, uint32_t length, uint32_t argument, uint32_t mode,
                               int64_t offset) {
  if (UNLIKELY(self->flags & SF_TASK_ATTENTION)) {
    if (op == SF_OP_CLOSE) {
      if (self->flags & SF_TASK_UNARMED) scopes_arm(core, self);
    } else if (attend(core, self)) {
      self->waiter.result = -SF_ECANCELED;
      return 0;
    }
  }
  struct sf_submission *record = submission_place(core);
  record->op = (uint16_t)op;
  record->flags = 0;
  record->handle = handle;
  record->token = address_of(self);
  record->pointer = pointer;
  record->length = length;
  record->argument = argument;
  record->offset = offset;
  record->mode = mode;
  if (core->attempts != 0 && attempt_pays(core, self, op, length)) {
    core->attempts--;
    const int32_t result = host_attempt();
    if (result != -SF_EAGAIN) {
      self->wait_detail = op;
      self->waiter.result = result;
      return 0;
    }
  }
  core->shared.submissions_tail++;
  core->shared.ops_pending++;
  return 1;
}

INLINE int32_t op_park(struct op op) {
  struct core *core = core_get();
  struct sf_task *self = self_to_park();
  if (!op_submit(core, self, op.op, op.handle, op.pointer, op.length, op.argument, op.mode,
                 op.offset))
    return self->waiter.result;
  return park(self, SF_WAIT_OP, op.op);
}

/* Any operation; what has no function of its own here. */
EXPORT(sf_perform) int32_t sf_perform(const struct sf_submission *request) {
  RETURN_IF_RESUMED();
  struct core *core = core_get();
  struct sf_task *self = self_to_park();
  if (request->op == SF_OP_CANCEL) return -SF_EINVAL; /* It never completes. */
  RETURN_IF_CANCELED(self);
  struct sf_submission *record = submission_next(core);
  *record = *request;
  record->token = address_of(self);
  core->shared.ops_pending++;
  return park(self, SF_WAIT_OP, record->op);
}

EXPORT(sf_tcp_listen) int32_t sf_tcp_listen(const struct sf_address *address, uint32_t backlog) {
  RETURN_IF_RESUMED();
  return op_park((struct op){
      .op = SF_OP_LISTEN, .handle = -1, .pointer = address_of(address), .argument = backlog});
}

EXPORT(sf_tcp_accept) int32_t sf_tcp_accept(int32_t listener, struct sf_address *peer_out) {
  RETURN_IF_RESUMED();
  return op_park(
      (struct op){.op = SF_OP_ACCEPT, .handle = listener, .pointer = address_of(peer_out)});
}

EXPORT(sf_tcp_connect) int32_t sf_tcp_connect(const struct sf_address *address) {
  RETURN_IF_RESUMED();
  return op_park(
      (struct op){.op = SF_OP_CONNECT, .handle = -1, .pointer = address_of(address)});
}

EXPORT(sf_read) int32_t sf_read(int32_t handle, void *buffer, uint32_t length) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_READ,
                             .handle = handle,
                             .pointer = address_of(buffer),
                             .length = length,
                             .offset = -1});
}

EXPORT(sf_write) int32_t sf_write(int32_t handle, const void *buffer, uint32_t length) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_WRITE,
                             .handle = handle,
                             .pointer = address_of(buffer),
                             .length = length,
                             .offset = -1});
}

EXPORT(sf_readv)
int32_t sf_readv(int32_t handle, const struct sf_iovec *vectors, uint32_t vectors_count) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_READV,
                             .handle = handle,
                             .pointer = address_of(vectors),
                             .length = vectors_count,
                             .offset = -1});
}

EXPORT(sf_writev)
int32_t sf_writev(int32_t handle, const struct sf_iovec *vectors, uint32_t vectors_count) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_WRITEV,
                             .handle = handle,
                             .pointer = address_of(vectors),
                             .length = vectors_count,
                             .offset = -1});
}

EXPORT(sf_shutdown) int32_t sf_shutdown(int32_t handle, uint32_t how) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_SHUTDOWN, .handle = handle, .argument = how});
}

EXPORT(sf_close) int32_t sf_close(int32_t handle) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_CLOSE, .handle = handle});
}

EXPORT(sf_open)
int32_t sf_open(const char *path, uint32_t path_bytes, uint32_t flags, uint32_t mode) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_OPEN,
                             .handle = -1,
                             .pointer = address_of(path),
                             .length = path_bytes,
                             .argument = flags,
                             .mode = mode});
}

EXPORT(sf_pread)
int32_t sf_pread(int32_t handle, void *buffer, uint32_t length, int64_t offset) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_PREAD,
                             .handle = handle,
                             .pointer = address_of(buffer),
                             .length = length,
                             .offset = offset});
}

EXPORT(sf_pwrite)
int32_t sf_pwrite(int32_t handle, const void *buffer, uint32_t length, int64_t offset) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_PWRITE,
                             .handle = handle,
                             .pointer = address_of(buffer),
                             .length = length,
                             .offset = offset});
}

EXPORT(sf_fsync) int32_t sf_fsync(int32_t handle) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_FSYNC, .handle = handle});
}

EXPORT(sf_local_address) int32_t sf_local_address(int32_t handle, struct sf_address *address_out) {
  RETURN_IF_RESUMED();
  return op_park((struct op){
      .op = SF_OP_LOCAL_ADDRESS, .handle = handle, .pointer = address_of(address_out)});
}

EXPORT(sf_peer_address) int32_t sf_peer_address(int32_t handle, struct sf_address *address_out) {
  RETURN_IF_RESUMED();
  return op_park((struct op){
      .op = SF_OP_PEER_ADDRESS, .handle = handle, .pointer = address_of(address_out)});
}

EXPORT(sf_udp_bind) int32_t sf_udp_bind(const struct sf_address *address) {
  RETURN_IF_RESUMED();
  return op_park(
      (struct op){.op = SF_OP_UDP_BIND, .handle = -1, .pointer = address_of(address)});
}

EXPORT(sf_send_to)
int32_t sf_send_to(int32_t handle, const void *buffer, uint32_t length,
                   const struct sf_address *destination) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_SEND_TO,
                             .handle = handle,
                             .pointer = address_of(buffer),
                             .length = length,
                             .argument = address_of(destination)});
}

EXPORT(sf_receive_from)
int32_t sf_receive_from(int32_t handle, void *buffer, uint32_t length,
                        struct sf_address *source_out) {
  RETURN_IF_RESUMED();
  return op_park((struct op){.op = SF_OP_RECEIVE_FROM,
                             .handle = handle,
                             .pointer = address_of(buffer),
                             .length = length,
                             .argument = address_of(source_out)});
}
