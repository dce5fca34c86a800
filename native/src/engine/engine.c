/* engine.c - a backend's life: open, bind, turn, close. */
#include "engine/engine.h"

#include <unistd.h>

#include "engine/jobs.h"
#include "engine/mechanism.h"
#include "engine/operation.h"
#include "engine/process.h"
#include "engine/released.h"

static struct sf_engine *engine_of(struct sf_backend *backend) {
  return (struct sf_engine *)backend;
}

int32_t sf__backend_open(struct sf_backend **out, const struct sf_mechanism *mechanism,
                         const struct sf_options *options) {
  struct sf_engine *engine;
  const int32_t err = mechanism->open(&engine, options);
  if (err < 0) return err;
  engine->mechanism = mechanism;
  engine->host_loop_fd = options->host_loop_fd;
  engine->pool_key = options->pool;
  sf__handles_init(&engine->base.handles, options->handles_max);
  *out = &engine->base;
  return 0;
}

int32_t sf__backend_capability(const struct sf_backend *backend, uint16_t opcode) {
  return sf__capability(((const struct sf_engine *)backend)->mechanism, opcode);
}

int32_t sf__backend_bind(struct sf_backend *backend, uint8_t *base, uint64_t bytes,
                         uint32_t shared, bool moves) {
  struct sf_engine *engine = engine_of(backend);
  const uint8_t *const before = backend->guest.base;
  const int32_t err = sf__guest_bind(&backend->guest, base, bytes, shared, moves);
  if (err < 0 || before == NULL || before == base) return err;
  sf__jobs_moved(engine);
  return engine->mechanism->moved == NULL ? 0 : engine->mechanism->moved(engine);
}

int32_t sf__backend_turn(struct sf_backend *backend, int64_t wait_ns, bool arm) {
  struct sf_engine *engine = engine_of(backend);
  const struct sf_mechanism *mechanism = engine->mechanism;
  if (backend->guest.base == NULL) return -SF_EFAULT;
  backend->turns++;
  backend->host_ready = false;
  mechanism->begin(engine);
  sf__engine_deliver(engine);
  sf__engine_take(engine);

  int32_t err = mechanism->run(engine, wait_ns);
  if (err == 0 && arm) err = mechanism->arm(engine);
  if (err < 0) return err;

  const uint32_t delivered = engine->delivered;
  engine->delivered = 0;
  backend->completions += delivered;
  backend->pending = engine->ops.live - engine->silent + engine->queue.count;
  return (int32_t)delivered;
}

bool sf__backend_woken(struct sf_backend *backend) {
  struct sf_engine *engine = engine_of(backend);
  return engine->mechanism->woken(engine);
}

void sf__backend_poke(struct sf_backend *backend) {
  struct sf_engine *engine = engine_of(backend);
  engine->mechanism->poke(engine);
}

void sf__backend_close(struct sf_backend *backend) {
  struct sf_engine *engine = engine_of(backend);
  engine->closing = true;
  sf__jobs_close(engine);
  if (engine->mechanism->drain != NULL) engine->mechanism->drain(engine);
  sf__processes_end(engine);
  sf__released_end(engine);
  sf__handles_free(&backend->handles);
  sf__grants_free(&backend->grants);
  sf__ops_free(&engine->ops);
  sf__queue_free(&engine->queue);
  engine->mechanism->free(engine);
}

void sf__engine_close_fd(struct sf_engine *engine, int fd) {
  if (engine->mechanism->forget != NULL) engine->mechanism->forget(engine, fd);
  close(fd);
}
