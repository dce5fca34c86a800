/* mutex.c - laws of mutexes, recursive ones too. */
#include "law-tasks.h"

static struct sf_mutex mutex;
static struct sf_recursive_mutex recursive;

/* ── Mutex ───────────────────────────────────────────────────────────────────────────────────────── */

static int32_t lock_task(void *argument) {
  struct actor *actor = argument;
  actor->result = sf_mutex_lock_timeout(&mutex, actor->timeout == 0 ? SF_NEVER : actor->timeout);
  if (actor->result < 0) return actor->result;
  note(actor->id);
  CHECK(first_word(&mutex) == serial_of(sf_self()));
  sf_yield();
  return sf_mutex_unlock(&mutex);
}

LAW(mutex_hands_over_in_order)(void) {
  static struct actor actors[16];
  sf_mutex_init(&mutex);
  CHECK(sf_mutex_lock(&mutex) == 0);
  for (int32_t i = 0; i < 16; i++) CHECK(act(&actors[i], i, lock_task) == 0);
  settle();
  CHECK(notes_count == 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  /* It is the first waiter's before that has run: nobody overtakes. */
  CHECK(first_word(&mutex) == serial_of(actors[0].task));
  CHECK(sf_mutex_try_lock(&mutex) == -SF_EAGAIN);
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(notes_count == 16);
  for (int32_t i = 0; i < 16; i++) CHECK(notes[i] == i);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(first_word(&mutex) == 0);
  for (int32_t i = 0; i < 16; i++) CHECK_JOIN(actors[i].task, 0);
  return 0;
}

static int32_t not_mine_task(void *unused) {
  (void)unused;
  CHECK(sf_mutex_unlock(&mutex) == -SF_EPERM);
  CHECK(sf_mutex_try_lock(&mutex) == -SF_EAGAIN);
  CHECK(sf_mutex_lock_timeout(&mutex, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_mutex_lock_timeout(&mutex, sf_at(1)) == -SF_ETIMEDOUT);
  CHECK(sf_mutex_lock_timeout(&mutex, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_mutex_unlock(&mutex) == -SF_EPERM);
  return 0;
}

LAW(mutex_errors)(void) {
  sf_task_t task;
  memset(&mutex, 0, sizeof(mutex)); /* All zero bytes are unlocked. */
  CHECK(sf_mutex_unlock(&mutex) == -SF_EPERM);
  CHECK(sf_mutex_try_lock(&mutex) == 0);
  CHECK(first_word(&mutex) == serial_of(sf_self()));
  CHECK(sf_mutex_lock(&mutex) == -SF_EDEADLK);
  CHECK(sf_mutex_try_lock(&mutex) == -SF_EDEADLK);
  CHECK(sf_mutex_lock_timeout(&mutex, sf_after(1)) == -SF_EDEADLK);
  CHECK(sf_spawn(not_mine_task, NULL, NULL, &task) == 0);
  CHECK_JOIN(task, 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(sf_mutex_unlock(&mutex) == -SF_EPERM);
  return 0;
}

/* A call that need not wait is no cancel point, and gives what is there whatever the time. */
LAW(mutex_uncontended)(void) {
  sf_mutex_init(&mutex);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(sf_mutex_lock_timeout(&mutex, sf_after(0)) == 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

static int32_t lock_uncancelable_task(void *argument) {
  struct actor *actor = argument;
  actor->result = sf_mutex_lock_uncancelable(&mutex);
  note(actor->id);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  return 0;
}

LAW(mutex_uncancelable)(void) {
  static struct actor actor;
  sf_mutex_init(&mutex);
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(act(&actor, 7, lock_uncancelable_task) == 0);
  settle();
  CHECK(sf_cancel(actor.task) == 0);
  settle();
  CHECK(notes_count == 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK_JOIN(actor.task, 0);
  CHECK(actor.result == 0 && notes_count == 1);
  return 0;
}

/* A canceled waiter and one whose time is up leave the line; the others keep their places. */
LAW(mutex_waiters_leave)(void) {
  static struct actor actors[6];
  sf_mutex_init(&mutex);
  CHECK(sf_mutex_lock(&mutex) == 0);
  for (int32_t i = 0; i < 6; i++) {
    actors[i].timeout = i == 2 || i == 5 ? sf_after(SF_SECOND) : 0;
    CHECK(act(&actors[i], i, lock_task) == 0);
  }
  settle();
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_cancel(actors[3].task) == 0);
  CHECK(sf_sleep(2 * SF_SECOND) == 0);
  CHECK(notes_count == 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK_JOIN(actors[0].task, -SF_ECANCELED);
  CHECK_JOIN(actors[1].task, 0);
  CHECK_JOIN(actors[2].task, -SF_ETIMEDOUT);
  CHECK_JOIN(actors[3].task, -SF_ECANCELED);
  CHECK_JOIN(actors[4].task, 0);
  CHECK_JOIN(actors[5].task, -SF_ETIMEDOUT);
  CHECK(notes_count == 2 && notes[0] == 1 && notes[1] == 4);
  return 0;
}

/* Handed over first, canceled then: the mutex is its, and the request stays. */
static int32_t handed_then_canceled_task(void *unused) {
  (void)unused;
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  return 0;
}

LAW(mutex_handed_then_canceled)(void) {
  sf_task_t task;
  sf_mutex_init(&mutex);
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(sf_spawn(handed_then_canceled_task, NULL, NULL, &task) == 0);
  settle();
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(sf_cancel(task) == 0);
  CHECK_JOIN(task, 0);
  CHECK(first_word(&mutex) == 0);
  return 0;
}

/* Many tasks lock again and again, in every form, and are canceled over and over: there is never more
 * than one inside, as many get in as say so, and the mutex is free in the end. */
static struct {
  uint32_t seed;
  int32_t inside, entered;
} churn;

static int32_t churn_task(void *rounds) {
  for (int32_t i = 0; i < (int32_t)rounds; i++) {
    int32_t result;
    uint32_t how = random_next(&churn.seed) % 5;
    if (how == 0)
      result = sf_mutex_lock_timeout(&mutex, sf_after(random_next(&churn.seed) % 5));
    else if (how == 1)
      result = sf_mutex_lock_uncancelable(&mutex);
    else if (how == 2)
      result = sf_mutex_try_lock(&mutex);
    else
      result = sf_mutex_lock(&mutex);
    if (result < 0) {
      CHECK(result == -SF_ECANCELED || (how == 0 && result == -SF_ETIMEDOUT) ||
            (how == 2 && result == -SF_EAGAIN));
      stagger(&churn.seed);
      continue;
    }
    CHECK(++churn.inside == 1);
    churn.entered++;
    stagger(&churn.seed);
    if (how == 0) sf_sleep(random_next(&churn.seed) % 3);
    CHECK(--churn.inside == 0);
    CHECK(sf_mutex_unlock(&mutex) == 0);
    stagger(&churn.seed);
  }
  return 0;
}

LAW(mutex_churn)(int32_t tasks_count, int32_t rounds, int32_t seed) {
  static sf_task_t tasks[64];
  memset(&churn, 0, sizeof(churn));
  churn.seed = (uint32_t)seed;
  sf_mutex_init(&mutex);
  for (int32_t i = 0; i < tasks_count; i++)
    CHECK(sf_spawn(churn_task, (void *)rounds, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < tasks_count * rounds; i++) {
    stagger(&churn.seed);
    if (i % 5 == 0) CHECK(sf_sleep(1) == 0);
    CHECK(sf_cancel(tasks[random_next(&churn.seed) % (uint32_t)tasks_count]) == 0);
  }
  for (int32_t i = 0; i < tasks_count; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(churn.entered > 0);
  CHECK(first_word(&mutex) == 0);
  CHECK(sf_mutex_try_lock(&mutex) == 0);
  return 0;
}

/* ── Recursive mutex ─────────────────────────────────────────────────────────────────────────────── */

static int32_t recursive_task(void *argument) {
  struct actor *actor = argument;
  if (actor->amount) {
    CHECK(sf_recursive_mutex_try_lock(&recursive) == -SF_EAGAIN);
    CHECK(sf_recursive_mutex_unlock(&recursive) == -SF_EPERM);
    CHECK(sf_recursive_mutex_lock_timeout(&recursive, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  }
  actor->result = sf_recursive_mutex_lock(&recursive);
  if (actor->result < 0) return actor->result;
  CHECK(recursive.depth == 1);
  CHECK(sf_recursive_mutex_lock(&recursive) == 0);
  CHECK(recursive.depth == 2);
  note(actor->id);
  sf_yield();
  CHECK(sf_recursive_mutex_unlock(&recursive) == 0);
  sf_yield();
  CHECK(notes[notes_count - 1] == actor->id);
  return sf_recursive_mutex_unlock(&recursive);
}

LAW(recursive_locks)(void) {
  static struct actor actors[4];
  CHECK(sf_recursive_mutex_unlock(&recursive) == -SF_EPERM);
  CHECK(sf_recursive_mutex_lock(&recursive) == 0);
  CHECK(sf_recursive_mutex_try_lock(&recursive) == 0);
  CHECK(sf_recursive_mutex_lock_timeout(&recursive, sf_after(0)) == 0);
  for (int32_t i = 0; i < 4; i++) {
    actors[i].amount = i == 0;
    CHECK(act(&actors[i], i, recursive_task) == 0);
  }
  for (int32_t i = 0; i < 3; i++) {
    CHECK(sf_sleep(2 * SF_SECOND) == 0);
    CHECK(notes_count == 0);
    CHECK(sf_recursive_mutex_unlock(&recursive) == 0);
    /* Handed over, but its new holder has not counted yet. */
    if (i == 2) CHECK(sf_recursive_mutex_unlock(&recursive) == -SF_EPERM);
  }
  for (int32_t i = 0; i < 4; i++) CHECK_JOIN(actors[i].task, 0);
  CHECK(notes_count == 4);
  CHECK(sf_recursive_mutex_unlock(&recursive) == -SF_EPERM);
  CHECK(sf_recursive_mutex_try_lock(&recursive) == 0);
  CHECK(recursive.depth == 1);
  return 0;
}

LAW(recursive_canceled_waiter)(void) {
  static struct actor actor;
  CHECK(sf_recursive_mutex_lock(&recursive) == 0);
  CHECK(act(&actor, 1, recursive_task) == 0);
  settle();
  CHECK(sf_cancel(actor.task) == 0);
  CHECK_JOIN(actor.task, -SF_ECANCELED);
  CHECK(recursive.depth == 1);
  CHECK(sf_recursive_mutex_unlock(&recursive) == 0);
  CHECK(sf_recursive_mutex_unlock(&recursive) == -SF_EPERM);
  return 0;
}
