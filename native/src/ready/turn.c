/* turn.c - the parts of a turn: look, act, wait; and the wake-up of the host's event loop. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "engine/jobs.h"
#include "engine/os-errno.h"
#include "engine/platform.h"
#include "ready/ready.h"

/* How often one turn looks again for what arrived meanwhile. */
#define ROUNDS_MAX 16

/* A turn that has delivered something need not look at the poller as well; but now and then, so that
 * what waits is not kept from its turn by what never does. */
#define UNLOOKED_MAX 8

/* The same for the host's loop. */
#define OVERLAPS_MAX 8

int ready__poll_ns(struct pollfd *fds, nfds_t count, int64_t wait_ns) {
#ifdef SF_LINUX
  const struct timespec timeout = {
    .tv_sec = wait_ns / 1000000000,
    .tv_nsec = wait_ns % 1000000000,
  };
  const int ready = ppoll(fds, count, &timeout, NULL);
#else
  /* Rounded up: a wait must not end before its time. */
  const int ready = poll(fds, count, (int)((wait_ns + 999999) / 1000000));
#endif
  return ready < 0 ? -errno : ready;
}

int ready__wait(struct ready *ready, int64_t wait_ns) {
  struct pollfd fds[] = {
    { .fd = ready->poll_fd, .events = POLLIN },
    { .fd = ready->engine.host_loop_fd, .events = POLLIN }, /* -1 is passed over */
  };
  ready->engine.base.system_calls++;
  const int count = ready__poll_ns(fds, 2, wait_ns);
  if (count < 0) return count;
  if (fds[1].revents != 0) ready__saw_host(ready, fds[0].revents != 0);
  return 0;
}

void ready__saw_host(struct ready *ready, bool woken) {
  ready->engine.base.host_ready = !woken;
  ready->host_hidden = woken;
}

/* Once wake_fd is quiet, sometimes: what the host's loop has is mostly seen by the next wait, unless
 * there always is something for us. */
static void look_at_host(struct ready *ready) {
  struct pollfd host = { .fd = ready->engine.host_loop_fd, .events = POLLIN };
  if (!ready->host_hidden) return;
  ready->host_hidden = false;
  if (++ready->overlaps < OVERLAPS_MAX) return;
  ready->overlaps = 0;
  ready->engine.base.system_calls++;
  ready->engine.base.host_ready = ready__poll_ns(&host, 1, 0) > 0;
}

static int32_t watch_jobs(struct ready *ready) {
  const int fd = sf__jobs_fd(&ready->engine);
  if (fd < 0 || fd == ready->jobs_fd) return 0;
  const int32_t err = ready->poller->watch_always(ready, fd);
  if (err == 0) ready->jobs_fd = fd;
  return err;
}

/* Whether a look could bring anything. */
static bool awaits(const struct ready *ready) {
  return ready->waiting > 0 || sf__jobs_fd(&ready->engine) >= 0;
}

int32_t ready__run(struct sf_engine *engine, int64_t wait_ns) {
  struct ready *ready = ready__of(engine);
  const int64_t deadline_ns = wait_ns > 0 ? sf__os_now_ns() + wait_ns : 0;
  ready__act(ready);
  for (uint32_t round = 0;; round++) {
    const int32_t failed = watch_jobs(ready);
    if (failed < 0) return failed;
    if (engine->delivered > 0 || engine->queue.count > 0) wait_ns = 0;
    if (wait_ns <= 0) {
      if (!awaits(ready)) return 0;
      if (engine->delivered > 0 && ready->unlooked++ < UNLOOKED_MAX) return 0;
    }
    ready->unlooked = 0;
    const int err = ready->poller->look(ready, wait_ns > 0 ? wait_ns : 0);
    if (err < 0 && err != -EINTR) return sf__error(-err);
    look_at_host(ready);
    const bool more = ready->events_count == READY_EVENTS;
    ready__act(ready);
    if (engine->base.host_ready || err == -EINTR) return 0;
    if (wait_ns > 0 && engine->delivered == 0) {
      wait_ns = deadline_ns - sf__os_now_ns();
      if (wait_ns > 0) continue;
    }
    if (!more || round >= ROUNDS_MAX) return 0;
  }
}

static void disarm(struct ready *ready) {
  if (ready->poller->disarm != NULL) ready->poller->disarm(ready);
}

void ready__begin(struct sf_engine *engine) {
  struct ready *ready = ready__of(engine);
  if (!ready->wake_armed) return;
  ready->wake_armed = false;
  disarm(ready);
}

int32_t ready__arm(struct sf_engine *engine) {
  struct ready *ready = ready__of(engine);
  ready->wake_armed = true;
  /* The guest has to make room first. */
  if (engine->queue.count > 0 && engine->delivered > 0) ready__poke(engine);
  return ready->poller->arm == NULL ? 0 : ready->poller->arm(ready);
}

bool ready__woken(struct sf_engine *engine) {
  struct ready *ready = ready__of(engine);
  const bool armed = ready->wake_armed;
  ready->wake_armed = false;
  disarm(ready);
  /* What made it readable is kept for the next turn. */
  if (ready->events_count < READY_EVENTS) ready->poller->look(ready, 0);
  return armed;
}

void ready__poke(struct sf_engine *engine) {
  engine->base.system_calls++;
  sf__doorbell_ring(&ready__of(engine)->doorbell);
}
