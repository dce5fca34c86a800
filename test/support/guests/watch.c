/* watch.c - laws of watches. */
#include "law-tasks.h"

struct pair {
  int32_t a, b;
};

static struct sf_watch watch;
static struct pair watch_storage;

static int32_t watch_task(void *argument) {
  struct actor *actor = argument;
  struct pair value = {0, 0};
  uint32_t seen = 1;
  int32_t result = actor->timeout == 0 ? sf_watch_wait(&watch, &seen, &value)
                                       : sf_watch_wait_timeout(&watch, &seen, &value, actor->timeout);
  note(actor->id);
  CHECK(result == 0 ? seen == 2 && value.a == 5 : seen == 1 && value.a == 0);
  return result;
}

LAW(watch_latest)(void) {
  static struct actor actors[4];
  struct pair value = {0, 0};
  uint32_t seen = 0;
  watch_storage = (struct pair){3, 4};
  sf_watch_init(&watch, &watch_storage, sizeof(watch_storage));
  CHECK(sf_watch_get(&watch, &value) == 1 && value.a == 3);
  CHECK(sf_watch_get(&watch, NULL) == 1);
  CHECK(sf_watch_wait(&watch, &seen, &value) == 0 && seen == 1); /* Never seen one. */
  CHECK(sf_watch_wait_timeout(&watch, &seen, &value, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  for (int32_t i = 0; i < 4; i++) {
    actors[i].timeout = i == 1 ? sf_after(SF_SECOND) : 0;
    CHECK(act(&actors[i], i, watch_task) == 0);
  }
  settle();
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  value.a = 5;
  CHECK(sf_watch_set(&watch, &value) == 0);
  settle();
  CHECK(notes_count == 4 && notes[2] == 2 && notes[3] == 3);
  for (int32_t i = 0; i < 4; i++)
    CHECK_JOIN(actors[i].task, i == 0 ? -SF_ECANCELED : i == 1 ? -SF_ETIMEDOUT : 0);
  /* Versions in between are skipped. */
  for (value.a = 10; value.a <= 20; value.a++) CHECK(sf_watch_set(&watch, &value) == 0);
  CHECK(sf_watch_wait(&watch, &seen, &value) == 0);
  CHECK(seen == 13 && value.a == 20);
  CHECK(sf_watch_wait_timeout(&watch, &seen, NULL, sf_after(0)) == -SF_ETIMEDOUT);
  /* Reading one's own writes: any version but the one seen will do, an older number too. */
  seen = 500;
  CHECK(sf_watch_wait(&watch, &seen, NULL) == 0 && seen == 13);
  return 0;
}

static int32_t watch_close_task(void *unused) {
  (void)unused;
  uint32_t seen = sf_watch_get(&watch, NULL);
  return sf_watch_wait(&watch, &seen, NULL);
}

LAW(watch_wrap_and_close)(void) {
  uint32_t seen = UINT32_MAX;
  int32_t storage = 1, value = 0;
  sf_task_t task;
  sf_watch_init(&watch, &storage, 4);
  ((uint32_t *)&watch)[2] = UINT32_MAX; /* Its version. */
  CHECK(sf_watch_wait_timeout(&watch, &seen, &value, sf_after(0)) == -SF_ETIMEDOUT);
  value = 2;
  CHECK(sf_watch_set(&watch, &value) == 0);
  value = 0;
  CHECK(sf_watch_wait(&watch, &seen, &value) == 0);
  CHECK(seen == 1 && value == 2); /* Never 0, which is "never seen one". */
  CHECK(sf_spawn(watch_close_task, NULL, NULL, &task) == 0);
  settle();
  sf_watch_close(&watch);
  sf_watch_close(&watch);
  CHECK_JOIN(task, -SF_EPIPE);
  CHECK(sf_watch_set(&watch, &value) == -SF_EPIPE);
  CHECK(sf_watch_wait(&watch, &seen, &value) == -SF_EPIPE);
  seen = 0; /* Who has not seen the last still gets it. */
  value = 0;
  CHECK(sf_watch_wait(&watch, &seen, &value) == 0 && value == 2);
  CHECK(sf_watch_wait(&watch, &seen, &value) == -SF_EPIPE);
  CHECK(sf_watch_get(&watch, &value) == 1);
  return 0;
}
