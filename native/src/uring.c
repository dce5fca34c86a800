/* uring.c - the io_uring backend: open, bind, close. */
#define _GNU_SOURCE
#include "uring.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "os-errno.h"

#define CLOSE_SLICE_NS 100000000

int uring__enter(struct uring *uring, int64_t wait_ns) {
  uring->base.system_calls++;
  int err = sf__ring_enter(&uring->ring, wait_ns);
  if (sf__ring_unsubmitted(&uring->ring) == 0) uring->scratch_used = 0;
  return err;
}

static int32_t uring_open(struct sf_backend **out, const struct sf_options *options) {
  int32_t err;
  struct uring *uring = calloc(1, sizeof(*uring));
  if (uring == NULL) return -SF_ENOMEM;
  uring->base.ops = &sf__uring;
  uring->host_loop_fd = options->host_loop_fd;
  sf__handles_init(&uring->base.handles, options->handles_max);

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

  uring->base.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (uring->base.wake_fd < 0) {
    err = sf__error(errno);
    goto fail_eventfd;
  }
  sf__ring_silence(&uring->ring, true);
  os_err = sf__ring_register_eventfd(&uring->ring, uring->base.wake_fd);
  if (os_err < 0) {
    err = sf__error(-os_err);
    goto fail_register;
  }

  *out = &uring->base;
  return 0;

fail_register:
  close(uring->base.wake_fd);
fail_eventfd:
  sf__ring_close(&uring->ring);
fail_ring:
  free(uring->scratch);
fail_scratch:
  free(uring);
  return err;
}

static int32_t uring_bind(struct sf_backend *backend, uint8_t *base, uint64_t bytes,
                          uint32_t shared, bool moves) {
  struct uring *uring = uring__of(backend);
  const uint8_t *const before = backend->guest.base;
  int32_t err = sf__guest_bind(&backend->guest, base, bytes, shared, moves);
  if (err < 0 || before == NULL || before == base) return err;

  for (uint32_t i = 0; i < uring->ops.capacity; i++) {
    struct sf_op *op = &uring->ops.items[i];
    if (!op->live || op->waiting || op->bounce != NULL) continue;
    if (!uring__borrows(op->opcode)) continue;
    op->moved = true;
    uring->moved++;
    uring__cancel(uring, i);
  }
  while (uring->moved > 0) {
    int os_err = uring__enter(uring, CLOSE_SLICE_NS);
    if (!uring__passes(os_err)) return sf__error(-os_err);
    uring__reap(uring);
  }
  return 0;
}

static void uring_close(struct sf_backend *backend) {
  struct uring *uring = uring__of(backend);
  uring->closing = true;
  uring__silence(uring);
  uring__enter(uring, 0); /* what is filled but not submitted holds descriptors */
  uring__reap(uring);
  /* Without a limit: until the last of them is done, the kernel may write to guest memory. Only a
   * file system that does not answer keeps it waiting, and exit(2) would wait for that as well. */
  while (uring->in_kernel > 0) {
    int err = sf__ring_cancel_all(&uring->ring, CLOSE_SLICE_NS);
    if (err == -EINVAL) {
      for (uint32_t i = 0; i < uring->ops.capacity; i++) {
        const struct sf_op *op = &uring->ops.items[i];
        if (op->live && !op->waiting) uring__send_cancel(uring, i);
      }
    }
    /* Nothing left to cancel means that the rest is on its way into the completion queue. */
    err = uring__enter(uring, err == 0 ? 0 : CLOSE_SLICE_NS);
    uring__reap(uring);
    if (!uring__passes(err)) break;
  }
  sf__ring_close(&uring->ring);
  close(backend->wake_fd);
  sf__handles_free(&backend->handles);
  sf__grants_free(&backend->grants);
  sf__ops_free(&uring->ops);
  sf__queue_free(&uring->queue);
  free(uring->scratch);
  free(uring);
}

const struct sf_backend_ops sf__uring = {
  .name = "uring",
  .open = uring_open,
  .bind = uring_bind,
  .turn = uring__turn,
  .woken = uring__woken,
  .poke = uring__poke,
  .close = uring_close,
};
