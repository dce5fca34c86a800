/* uring.c - the io_uring mechanism: open, drain, free; cancel. */
#define _GNU_SOURCE
#include "uring/uring.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/jobs.h"
#include "engine/operation.h"
#include "engine/os-errno.h"

int uring__enter(struct uring *uring, int64_t wait_ns) {
  uring->engine.base.system_calls++;
  int err = sf__ring_enter(&uring->ring, wait_ns);
  if (sf__ring_unsubmitted(&uring->ring) == 0) uring->scratch_used = 0;
  return err;
}

/* Whether a completion is no result: the descriptor of an attempt is ready; or it is nonblocking, which
 * whoever shares it has made it. */
static bool again(const struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  if (engine->closing || op->moved) return false;
  if (op->attempted) return result >= 0;
  return op->handle != SF_NONE && result == -SF_EAGAIN &&
         sf__operation(op->opcode)->waits != SF_WAITS_ELSEWHERE;
}

void uring__reap(struct uring *uring) {
  for (;;) {
    const struct io_uring_cqe *cqe = sf__ring_cqe(&uring->ring);
    if (cqe == NULL) return;
    const uint64_t key = cqe->user_data;
    const int32_t result = cqe->res;
    /* Before it is acted on: that may enter the kernel, which needs the room. */
    sf__ring_seen(&uring->ring);

    if (key == URING_KEY_HOST_LOOP) {
      uring->host_poll_armed = false;
      uring->engine.base.host_ready = true;
      continue;
    }
    if (key == URING_KEY_JOBS) {
      uring->jobs_poll_armed = false;
      sf__jobs_quiet(&uring->engine);
      sf__jobs_take(&uring->engine);
      continue;
    }
    if (key == URING_KEY_IGNORED) continue;
    const uint32_t index = sf__ops_index(&uring->engine.ops, key);
    if (index == SF_NONE) continue;
    uring->in_kernel--;
    const struct sf_op *op = &uring->engine.ops.items[index];
    if (op->moved) uring->moved--;
    int32_t outcome = result < 0 ? sf__error(-result) : result;
    if (again(&uring->engine, op, outcome)) outcome = uring__attempt(uring, index);
    if (outcome != SF_STARTED) sf__engine_finish(&uring->engine, index, outcome);
  }
}

void uring__cancel(struct sf_engine *engine, uint32_t index) {
  struct uring *uring = uring__of(engine);
  if (engine->ops.items[index].job != NULL) {
    sf__job_cancel(engine, index);
    return;
  }
  const uint64_t target = sf__ops_key(&engine->ops, index);
  /* By key: the kernel looks that up in a hash table, where a cancel by fd walks all of it. */
  struct io_uring_sqe *sqe = uring__sqe(uring, IORING_OP_ASYNC_CANCEL, -1, URING_KEY_IGNORED);
  if (sqe == NULL) {
    uring->cancels_lost = true;
  } else {
    sqe->addr = target;
  }
}

static int32_t uring_open(struct sf_engine **out, const struct sf_options *options) {
  int32_t err;
  struct uring *uring = calloc(1, sizeof(*uring));
  if (uring == NULL) return -SF_ENOMEM;

  uring->scratch = malloc(URING_SCRATCH_BYTES);
  if (uring->scratch == NULL) {
    err = -SF_ENOMEM;
    goto fail_scratch;
  }

  int os_err = sf__ring_open(&uring->ring, options->entries);
  if (os_err < 0) {
    /* EACCES is what some sandboxes say instead of EPERM. */
    err = os_err == -EACCES ? -SF_EPERM : sf__error(-os_err);
    goto fail_ring;
  }

  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) {
    err = sf__error(errno);
    goto fail_eventfd;
  }
  uring->engine.base.wake_fd = wake_fd;
  sf__ring_silence(&uring->ring, true);
  os_err = sf__ring_register_eventfd(&uring->ring, wake_fd);
  if (os_err < 0) {
    err = sf__error(-os_err);
    goto fail_register;
  }

  *out = &uring->engine;
  return 0;

fail_register:
  close(wake_fd);
fail_eventfd:
  sf__ring_close(&uring->ring);
fail_ring:
  free(uring->scratch);
fail_scratch:
  free(uring);
  return err;
}

static int32_t uring_moved(struct sf_engine *engine) {
  struct uring *uring = uring__of(engine);
  for (uint32_t i = 0; i < engine->ops.capacity; i++) {
    struct sf_op *op = &engine->ops.items[i];
    if (!op->live || op->waiting || op->bounce != NULL || op->job != NULL || op->attempted) {
      continue;
    }
    if (sf__operation(op->opcode)->borrows == SF_BORROWS_NOTHING) continue;
    op->moved = true;
    uring->moved++;
    if (sf__ops_cancel(&engine->ops, i)) uring__cancel(engine, i);
  }
  while (uring->moved > 0) {
    int os_err = uring__enter(uring, URING_SLICE_NS);
    if (!uring__passes(os_err)) return sf__error(-os_err);
    uring__reap(uring);
  }
  return 0;
}

static void uring_drain(struct sf_engine *engine) {
  struct uring *uring = uring__of(engine);
  uring__silence(uring);
  uring__enter(uring, 0); /* what is filled but not submitted holds descriptors */
  uring__reap(uring);
  /* Without a limit: until the last of them is done, the kernel may write to guest memory. Only a
   * file system that does not answer keeps it waiting, and exit(2) would wait for that as well. */
  while (uring->in_kernel > 0) {
    int err = sf__ring_cancel_all(&uring->ring, URING_SLICE_NS);
    if (err == -EINVAL) {
      for (uint32_t i = 0; i < engine->ops.capacity; i++) {
        const struct sf_op *op = &engine->ops.items[i];
        if (op->live && !op->waiting) uring__cancel(engine, i);
      }
    }
    /* Nothing left to cancel means that the rest is on its way into the completion queue. */
    err = uring__enter(uring, err == 0 ? 0 : URING_SLICE_NS);
    uring__reap(uring);
    if (!uring__passes(err)) break;
  }
}

static void uring_free(struct sf_engine *engine) {
  struct uring *uring = uring__of(engine);
  sf__ring_close(&uring->ring);
  close(engine->base.wake_fd);
  free(uring->scratch);
  free(uring);
}

const struct sf_mechanism sf__uring = {
  .name = "uring",
  /* Blocking on purpose: for a non-blocking socket io_uring reports EAGAIN instead of waiting. */
  .nonblocking = false,
  .open = uring_open,
  .free = uring_free,
  .drain = uring_drain,
  .has = uring__has,
  .issue = uring__issue,
  .cancel = uring__cancel,
  .flush = uring__flush,
  .moved = uring_moved,
  .begin = uring__begin,
  .run = uring__run,
  .arm = uring__arm,
  .woken = uring__woken,
  .poke = uring__poke,
};
