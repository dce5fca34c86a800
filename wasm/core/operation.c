/* operation.c - operations that go on while their task does something else. */
#include "task.h"

struct operation {
  struct sf_submission request;
  struct attachment attachment;
  struct sf_wait_queue waiters;
  uint32_t state; /* enum operation_state */
  int32_t result;
  uint32_t cancel; /* enum operation_cancel */
  uint32_t reserved;
};

/* Before its first start the struct holds whatever lay there: nothing that looks like these. */
enum operation_state { OPERATION_STARTED = 0x6f705354, OPERATION_COMPLETED = 0x6f70454e };

enum operation_cancel { CANCEL_NONE, CANCEL_WANTED, CANCEL_SENT };

_Static_assert(sizeof(struct operation) == 104, "io.h reserves 104 bytes");

EXPORT(sf_operation_start) int32_t sf_operation_start(struct operation *operation) {
  struct core *core = core_get();
  touch(operation, sizeof(*operation));
  if (address_of(operation) & OPERATION_TOKEN) __builtin_trap();
  if (operation->state == OPERATION_STARTED) return -SF_EALREADY;
  if (operation->request.op == SF_OP_CANCEL) return -SF_EINVAL; /* It never completes. */
  /* One slot is always left for the operation that the task itself may wait for. */
  if (submissions_room(core) < 2) return -SF_EAGAIN;
  operation->waiters.first = operation->waiters.last = NULL;
  operation->attachment.owner = NULL;
  operation->cancel = CANCEL_NONE;
  operation->state = OPERATION_STARTED;
  operation->request.flags = 0;
  operation->request.token = address_of(operation) | OPERATION_TOKEN;
  *submission_next(core) = operation->request;
  core->shared.ops_pending++;
  /* Wherever it lies: its vectors may name buffers on the stack. */
  struct sf_task *self = current_get();
  if (self != NULL) attach(&operation->attachment, self, ATTACHED_OPERATION);
  return 0;
}

INLINE int32_t operation_try(const struct operation *operation) {
  if (operation->state == OPERATION_COMPLETED) return operation->result;
  return operation->state == OPERATION_STARTED ? -SF_EAGAIN : -SF_EINVAL;
}

EXPORT(sf_operation_try) int32_t sf_operation_try(struct operation *operation) {
  return operation_try(operation);
}

EXPORT(sf_operation_wait) int32_t sf_operation_wait(struct operation *operation) {
  RETURN_IF_RESUMED();
  if (operation->state != OPERATION_STARTED) return operation_try(operation);
  return park_in(&operation->waiters, NULL, 0, 0, SF_WAIT_OPERATION, operation);
}

static void operation_cancel(struct core *core, struct operation *operation) {
  if (operation->state != OPERATION_STARTED || operation->cancel == CANCEL_SENT) return;
  uint32_t sent = token_cancel(core, address_of(operation) | OPERATION_TOKEN);
  operation->cancel = sent ? CANCEL_SENT : CANCEL_WANTED;
}

EXPORT(sf_operation_cancel_request)
void sf_operation_cancel_request(struct operation *operation) {
  operation_cancel(core_get(), operation);
}

static void operation_complete(struct core *core, uint32_t token, int32_t result) {
  struct operation *operation = (struct operation *)(token & ~OPERATION_TOKEN);
  struct sf_task *owner = operation->attachment.owner;
  operation->state = OPERATION_COMPLETED;
  /* -EAGAIN says that it has not completed. */
  operation->result = result = result == -SF_EAGAIN ? -SF_EBUSY : result;
  detach(&operation->attachment);
  wait_queue_wake_all(core, &operation->waiters, result);
  if (owner != NULL && owner->state == SF_STATE_DOOMED && owner->wait == SF_WAIT_OPERATION &&
      owner->attached == NULL)
    task_end(core, owner, owner->result);
}

/* Sends what found no room in the ring before: cancels of operations of `task`. */
static void operations_cancel(struct core *core, struct sf_task *task) {
  for (struct attachment *at = task->attached; at != NULL; at = at->next) {
    struct operation *operation = CONTAINER_OF(at, struct operation, attachment);
    if (at->kind == ATTACHED_OPERATION && operation->cancel == CANCEL_WANTED)
      operation_cancel(core, operation);
  }
}

static void group_orphan(struct core *core, struct group *group);
static void timer_stop(struct core *core, struct timer *timer);

/* Takes back what a task that is over has left on its stack. Returns how many operations remain. */
static uint32_t attachments_end(struct core *core, struct sf_task *task) {
  uint32_t operations = 0;
  struct attachment *next;
  for (struct attachment *at = task->attached; at != NULL; at = next) {
    next = at->next;
    switch (at->kind) {
      case ATTACHED_TIMER:
        timer_stop(core, CONTAINER_OF(at, struct timer, attachment));
        break;
      case ATTACHED_GROUP:
        group_orphan(core, CONTAINER_OF(at, struct group, attachment));
        break;
      default:
        operations++;
        operation_cancel(core, CONTAINER_OF(at, struct operation, attachment));
    }
  }
  return operations;
}
