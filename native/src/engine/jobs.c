#include "engine/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "engine/call.h"
#include "engine/operation.h"
#include "engine/pool.h"

struct op_job {
  struct sf_job job; /* first: a struct sf_job * is a struct op_job * */
  uint64_t key;      /* sf__ops_key of the operation, whose `kept` and `bounce` it uses */
  struct sf_call call;
  struct iovec parts[];
};

static int32_t run(struct sf_job *job) {
  const struct sf_call *call = &((struct op_job *)job)->call;
  const struct sf_operation *operation = sf__operation(call->opcode);
  const int32_t result = operation->call(call);
  /* It has to wait for its socket. */
  const bool later = result == -SF_EAGAIN && operation->waits != SF_WAITS_ELSEWHERE;
  return later ? SF_JOB_LATER : result;
}

static void discard(struct sf_job *job) {
  free(((struct op_job *)job)->call.kept);
  free(job);
}

int32_t sf__job_start(struct sf_engine *engine, uint32_t index) {
  struct sf_op *op = &engine->ops.items[index];
  struct iovec parts[SF_IOVEC_MAX];
  struct sf_call call;
  int32_t err = engine->pool == NULL ? sf__pool_open(&engine->pool, 0) : 0;
  if (err == 0) err = sf__call_prepare(engine, op, parts, &call);
  if (err == 0) err = sf__call_bounce(engine, op, &call);
  if (err < 0) return err;

  const size_t parts_bytes = call.parts_count * sizeof(parts[0]);
  struct op_job *job = malloc(sizeof(*job) + parts_bytes);
  if (job == NULL) return -SF_ENOMEM;
  *job = (struct op_job){ .job = { .run = run }, .key = sf__ops_key(&engine->ops, index) };
  if (sf__operation(op->opcode)->leaves) job->job.discard = discard;
  job->call = call;
  job->call.parts = job->parts;
  memcpy(job->parts, parts, parts_bytes);
  err = sf__pool_add(engine->pool, &job->job);
  if (err < 0) {
    free(job);
    return err;
  }
  op->job = &job->job;
  return SF_STARTED;
}

void sf__job_cancel(struct sf_engine *engine, uint32_t index) {
  struct sf_op *op = &engine->ops.items[index];
  if (!sf__pool_leave(engine->pool, op->job)) {
    sf__pool_cancel(engine->pool, op->job);
    return;
  }
  /* What it works on is the thread's from here on. */
  op->job = NULL;
  op->kept = NULL;
  sf__engine_finish(engine, index, -SF_ECANCELED);
}

int sf__jobs_fd(const struct sf_engine *engine) {
  if (engine->pool == NULL || sf__pool_out(engine->pool) == 0) return -1;
  return sf__pool_fd(engine->pool);
}

void sf__jobs_quiet(struct sf_engine *engine) {
  /* A mechanism can hear of the pool's descriptor after the pool was closed. */
  if (engine->pool != NULL) sf__pool_poll(engine->pool);
}

void sf__jobs_take(struct sf_engine *engine) {
  struct sf_job *job;
  while (engine->pool != NULL && (job = sf__pool_take(engine->pool)) != NULL) {
    const uint32_t index = sf__ops_index(&engine->ops, ((struct op_job *)job)->key);
    const int32_t result = job->result;
    engine->ops.items[index].job = NULL;
    free(job);
    sf__engine_finish(engine, index, result);
  }
}

/* Whether a job of the operation uses the guest's memory itself. */
static bool borrows(const struct sf_op *op) {
  return op->live && op->job != NULL && op->bounce == NULL &&
         sf__operation(op->opcode)->borrows != SF_BORROWS_NOTHING;
}

void sf__jobs_moved(struct sf_engine *engine) {
  uint32_t moved = 0;
  for (uint32_t i = 0; i < engine->ops.capacity; i++) {
    struct sf_op *op = &engine->ops.items[i];
    if (!borrows(op)) continue;
    op->moved = true;
    moved++;
    sf__ops_cancel(&engine->ops, i);
    sf__job_cancel(engine, i);
  }
  while (moved > 0) {
    sf__pool_wait(engine->pool);
    sf__jobs_take(engine);
    moved = 0;
    for (uint32_t i = 0; i < engine->ops.capacity; i++) {
      const struct sf_op *op = &engine->ops.items[i];
      if (borrows(op) && op->moved) moved++;
    }
  }
}

void sf__jobs_close(struct sf_engine *engine) {
  if (engine->pool == NULL) return;
  for (uint32_t i = 0; i < engine->ops.capacity; i++) {
    const struct sf_op *op = &engine->ops.items[i];
    if (op->live && op->job != NULL) sf__job_cancel(engine, i);
  }
  while (sf__pool_out(engine->pool) > 0) {
    sf__pool_wait(engine->pool);
    sf__jobs_take(engine);
  }
  sf__pool_close(engine->pool);
  engine->pool = NULL;
}
