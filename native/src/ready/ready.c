/* ready.c - operations are attempted, and wait in line for their descriptor. */
#include "ready/ready.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/call.h"
#include "engine/jobs.h"
#include "engine/operation.h"

int32_t ready__open(struct sf_engine **out, const struct ready_poller *poller) {
  struct ready *ready = calloc(1, sizeof(*ready));
  if (ready == NULL) return -SF_ENOMEM;
  ready->poller = poller;
  ready->jobs_fd = -1;
  int32_t err = sf__doorbell_open(&ready->doorbell);
  if (err < 0) goto fail_doorbell;
  err = poller->open(ready);
  if (err < 0) goto fail_poller;
  *out = &ready->engine;
  return 0;

fail_poller:
  sf__doorbell_close(&ready->doorbell);
fail_doorbell:
  free(ready);
  return err;
}

void ready__free(struct sf_engine *engine) {
  struct ready *ready = ready__of(engine);
  ready->poller->close(ready);
  sf__doorbell_close(&ready->doorbell);
  free(ready->fds);
  free(ready);
}

/* The entry of a descriptor, or NULL when there is no memory for it. */
static struct ready_fd *entry(struct ready *ready, int fd) {
  const uint32_t number = (uint32_t)fd;
  if (number >= ready->fds_count) {
    uint32_t count = ready->fds_count == 0 ? 64 : ready->fds_count;
    while (count <= number) count *= 2;
    struct ready_fd *fds = realloc(ready->fds, (size_t)count * sizeof(*fds));
    if (fds == NULL) return NULL;
    for (uint32_t i = ready->fds_count; i < count; i++) {
      fds[i] = (struct ready_fd){ 0 };
      for (uint32_t line = 0; line < READY_LINES_COUNT; line++) {
        fds[i].lines[line].first = fds[i].lines[line].last = SF_NONE;
      }
    }
    ready->fds = fds;
    ready->fds_count = count;
  }
  return &ready->fds[number];
}

static const uint8_t line_masks[READY_LINES_COUNT] = READY_LINES;

static uint32_t line_of(const struct sf_op *op) {
  const uint8_t waits = sf__operation(op->opcode)->waits;
  if (waits != SF_WAITS_AS_ASKED) return waits == SF_WAITS_READABLE ? 0 : 1;
  const bool readable = (op->argument & SF_POLL_READABLE) != 0;
  const bool writable = (op->argument & SF_POLL_WRITABLE) != 0;
  if (readable) return writable ? 2 : 0;
  return writable ? 1 : 3;
}

static int fd_of(const struct ready *ready, const struct sf_op *op) {
  return op->handle == SF_NONE ? op->fd : ready->engine.base.handles.items[op->handle].fd;
}

static void enter(struct ready *ready, struct ready_fd *at, uint32_t index) {
  struct sf_op *op = &ready->engine.ops.items[index];
  const uint32_t line = line_of(op);
  op->waits_next = SF_NONE;
  op->waits_previous = at->lines[line].last;
  if (op->waits_previous == SF_NONE) {
    at->lines[line].first = index;
  } else {
    ready->engine.ops.items[op->waits_previous].waits_next = index;
  }
  at->lines[line].last = index;
  ready->waiting++;
}

static void leave(struct ready *ready, struct ready_fd *at, uint32_t index) {
  struct sf_op *ops = ready->engine.ops.items;
  const struct sf_op *op = &ops[index];
  const uint32_t line = line_of(op);
  if (op->waits_previous == SF_NONE) {
    at->lines[line].first = op->waits_next;
  } else {
    ops[op->waits_previous].waits_next = op->waits_next;
  }
  if (op->waits_next == SF_NONE) {
    at->lines[line].last = op->waits_previous;
  } else {
    ops[op->waits_next].waits_previous = op->waits_previous;
  }
  ready->waiting--;
}

static uint8_t wanted(const struct ready_fd *at) {
  uint8_t mask = 0;
  for (uint32_t line = 0; line < READY_LINES_COUNT; line++) {
    if (at->lines[line].first != SF_NONE) mask |= line_masks[line];
  }
  return mask;
}

/* Has the poller watch for what is waited for. */
static int32_t watch(struct ready *ready, int fd) {
  struct ready_fd *at = &ready->fds[fd];
  const uint8_t mask = wanted(at);
  if ((mask & ~at->watched) == 0) return 0;
  const int32_t err = ready->poller->watch(ready, fd, mask);
  if (err == 0) at->watched = mask;
  return err;
}

static int32_t attempt(struct ready *ready, uint32_t index) {
  return sf__call_now(&ready->engine, &ready->engine.ops.items[index]);
}

static int32_t issue_close(struct ready *ready, uint32_t index) {
  const struct sf_op *op = &ready->engine.ops.items[index];
  const struct sf_handle *handle = &ready->engine.base.handles.items[op->handle];
  /* The last close of a file can take its time. */
  if (sf__is_file(handle->kind) || handle->lingers) {
    ready__forget(&ready->engine, handle->fd);
    return sf__job_start(&ready->engine, index);
  }
  ready->engine.base.system_calls++;
  sf__engine_close_fd(&ready->engine, handle->fd);
  return 0;
}

int32_t ready__issue(struct sf_engine *engine, uint32_t index) {
  struct ready *ready = ready__of(engine);
  const struct sf_op *op = &engine->ops.items[index];
  if (op->opcode == SF_OP_CLOSE) return issue_close(ready, index);
  const bool file = (op->handle != SF_NONE &&
                     sf__is_file(engine->base.handles.items[op->handle].kind)) ||
                    sf__reads_file(op);
  if (file || sf__operation(op->opcode)->waits == SF_WAITS_ELSEWHERE) {
    return sf__job_start(engine, index);
  }
  const int fd = fd_of(ready, op);
  struct ready_fd *at = entry(ready, fd);
  if (at == NULL) return -SF_ENOMEM;
  /* Those before it found nothing. */
  if (at->lines[line_of(op)].first == SF_NONE) {
    const int32_t result = attempt(ready, index);
    if (result != -SF_EAGAIN) return result;
  }
  enter(ready, at, index);
  const int32_t err = watch(ready, fd);
  if (err == 0) return SF_STARTED;
  leave(ready, at, index);
  return err;
}

void ready__cancel(struct sf_engine *engine, uint32_t index) {
  struct ready *ready = ready__of(engine);
  const struct sf_op *op = &engine->ops.items[index];
  if (op->job != NULL) {
    sf__job_cancel(engine, index);
    return;
  }
  leave(ready, &ready->fds[fd_of(ready, op)], index);
  sf__engine_finish(engine, index, -SF_ECANCELED);
}

void ready__forget(struct sf_engine *engine, int fd) {
  struct ready *ready = ready__of(engine);
  if ((uint32_t)fd >= ready->fds_count) return;
  if (ready->poller->forget != NULL) ready->poller->forget(ready, fd);
  struct ready_fd *at = &ready->fds[fd];
  assert(wanted(at) == 0);
  at->generation++;
  at->watched = 0;
  at->known = false;
}

void ready__release(struct sf_engine *engine, int fd) {
  struct ready *ready = ready__of(engine);
  if ((uint32_t)fd >= ready->fds_count) return;
  if (ready->poller->release != NULL) ready->poller->release(ready, fd);
  ready__forget(engine, fd);
}

/* Attempts those in the line again, until one finds that it has to wait. */
static void serve(struct ready *ready, int fd, uint32_t line) {
  for (;;) {
    const uint32_t index = ready->fds[fd].lines[line].first;
    if (index == SF_NONE) return;
    const int32_t result = attempt(ready, index);
    if (result == -SF_EAGAIN) return;
    leave(ready, &ready->fds[fd], index);
    sf__engine_finish(&ready->engine, index, result);
  }
}

/* Ends all that wait for the descriptor: it cannot be watched. */
static void fail_all(struct ready *ready, int fd, int32_t err) {
  for (uint32_t line = 0; line < READY_LINES_COUNT; line++) {
    uint32_t index;
    while ((index = ready->fds[fd].lines[line].first) != SF_NONE) {
      leave(ready, &ready->fds[fd], index);
      sf__engine_finish(&ready->engine, index, err);
    }
  }
}

static void act_on(struct ready *ready, const struct ready_event *event) {
  struct ready_fd *at = &ready->fds[event->fd];
  if (at->generation != event->generation) return;
  if ((event->mask & READY_STAYS) == 0) at->watched = 0;
  for (uint32_t line = 0; line < READY_LINES_COUNT; line++) {
    if ((event->mask & line_masks[line]) != 0) serve(ready, event->fd, line);
  }
  at = &ready->fds[event->fd];
  if (at->generation != event->generation) return; /* it was closed */
  const int32_t err = watch(ready, event->fd);
  if (err < 0) fail_all(ready, event->fd, err);
}

void ready__tell(struct ready *ready, int fd, uint32_t generation, uint8_t mask) {
  if (fd == ready->doorbell.fd) {
    sf__doorbell_quiet(&ready->doorbell);
  } else if (fd == ready->jobs_fd) {
    sf__jobs_quiet(&ready->engine);
    ready->jobs_told = true;
  } else {
    assert(ready->events_count < READY_EVENTS);
    ready->events[ready->events_count++] =
      (struct ready_event){ .fd = fd, .generation = generation, .mask = mask };
  }
}

void ready__act(struct ready *ready) {
  const uint32_t count = ready->events_count;
  for (uint32_t i = 0; i < count; i++) act_on(ready, &ready->events[i]);
  assert(ready->events_count == count);
  ready->events_count = 0;
  if (!ready->jobs_told) return;
  ready->jobs_told = false;
  sf__jobs_take(&ready->engine);
}
