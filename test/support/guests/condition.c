/* condition.c - laws of conditions. */
#include "law-tasks.h"

static struct sf_mutex mutex;
static struct sf_condition condition;
static uint32_t seed;

static int32_t condition_task(void *argument) {
  struct actor *actor = argument;
  CHECK(sf_mutex_lock(&mutex) == 0);
  actor->result = actor->timeout == 0 ? sf_condition_wait(&condition, &mutex)
                                      : sf_condition_wait_timeout(&condition, &mutex, actor->timeout);
  CHECK(first_word(&mutex) == serial_of(sf_self()));
  note(actor->id);
  sf_yield();
  CHECK(sf_mutex_unlock(&mutex) == 0);
  return actor->result;
}

static int32_t conditions_wait(struct actor *actors, int32_t count) {
  sf_mutex_init(&mutex);
  memset(&condition, 0, sizeof(condition));
  notes_count = 0;
  for (int32_t i = 0; i < count; i++) CHECK(act(&actors[i], i, condition_task) == 0);
  settle();
  return notes_count;
}

LAW(condition_signals_in_order)(void) {
  static struct actor actors[8];
  CHECK(conditions_wait(actors, 8) == 0);
  sf_condition_signal(&condition);
  settle();
  CHECK(notes_count == 1 && notes[0] == 0);
  /* Several at once, while somebody holds the mutex: all have it in their order. */
  CHECK(sf_mutex_lock(&mutex) == 0);
  for (int32_t i = 0; i < 3; i++) sf_condition_signal(&condition);
  settle();
  CHECK(notes_count == 1);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  settle();
  CHECK(notes_count == 4);
  sf_condition_broadcast(&condition);
  settle();
  CHECK(notes_count == 8);
  for (int32_t i = 0; i < 8; i++) {
    CHECK(notes[i] == i);
    CHECK_JOIN(actors[i].task, 0);
  }
  sf_condition_signal(&condition); /* Nobody there: lost. */
  sf_condition_broadcast(&condition);
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(sf_condition_wait_timeout(&condition, &mutex, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  return 0;
}

static int32_t lock_task(void *argument) {
  struct actor *actor = argument;
  CHECK(sf_mutex_lock(&mutex) == 0);
  note(actor->id);
  sf_yield();
  return sf_mutex_unlock(&mutex);
}

/* Those who were signaled have the mutex before those who lock it later, and after those who locked
 * before: one line. */
LAW(condition_and_lock_are_one_line)(void) {
  static struct actor waiters[2], lockers[2];
  CHECK(conditions_wait(waiters, 2) == 0);
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(act(&lockers[0], 10, lock_task) == 0);
  settle();
  sf_condition_broadcast(&condition);
  CHECK(act(&lockers[1], 11, lock_task) == 0);
  settle();
  CHECK(sf_mutex_unlock(&mutex) == 0);
  for (int32_t i = 0; i < 2; i++) CHECK_JOIN(waiters[i].task, 0);
  for (int32_t i = 0; i < 2; i++) CHECK_JOIN(lockers[i].task, 0);
  CHECK(notes[0] == 10 && notes[1] == 0 && notes[2] == 1 && notes[3] == 11);
  return 0;
}

/* Whatever ends the wait, the mutex is held when it returns: also when somebody else has it then. */
LAW(condition_always_has_the_mutex)(int32_t held) {
  static struct actor actors[4];
  actors[1].timeout = sf_after(SF_SECOND);
  actors[2].timeout = sf_after(SF_SECOND);
  CHECK(conditions_wait(actors, 4) == 0);
  if (held) CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_cancel(actors[2].task) == 0); /* A cancel before its time is up is a cancel. */
  CHECK(sf_sleep(5 * SF_SECOND) == 0);
  CHECK(notes_count == (held ? 0 : 3));
  sf_condition_signal(&condition); /* The only one left gets it. */
  if (held) CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK_JOIN(actors[0].task, -SF_ECANCELED);
  CHECK_JOIN(actors[1].task, -SF_ETIMEDOUT);
  CHECK_JOIN(actors[2].task, -SF_ECANCELED);
  CHECK_JOIN(actors[3].task, 0);
  CHECK(notes_count == 4);
  CHECK(first_word(&mutex) == 0);
  return 0;
}

/* Signaled, then canceled while it waits for the mutex: it returns 0 and keeps the request; a canceled
 * waiter takes no signal. Either way as many wake with 0 as signals were given. */
static int32_t signaled_then_canceled_task(void *unused) {
  (void)unused;
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(sf_condition_wait(&condition, &mutex) == 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  CHECK(sf_checkpoint() == 0);
  return 0;
}

LAW(condition_signal_is_not_lost)(void) {
  static struct actor actors[3];
  sf_task_t task;
  sf_mutex_init(&mutex);
  memset(&condition, 0, sizeof(condition));
  CHECK(sf_spawn(signaled_then_canceled_task, NULL, NULL, &task) == 0);
  settle();
  CHECK(sf_mutex_lock(&mutex) == 0);
  sf_condition_signal(&condition);
  CHECK(sf_cancel(task) == 0);
  settle();
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK_JOIN(task, 0);

  CHECK(conditions_wait(actors, 3) == 0);
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(sf_cancel(actors[0].task) == 0);
  CHECK(sf_cancel(actors[0].task) == 0); /* Noticed already: the same request. */
  sf_condition_signal(&condition);
  sf_condition_signal(&condition);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK_JOIN(actors[0].task, -SF_ECANCELED);
  CHECK_JOIN(actors[1].task, 0);
  CHECK_JOIN(actors[2].task, 0);
  return 0;
}

static int32_t condition_uncancelable_task(void *unused) {
  (void)unused;
  CHECK(sf_mutex_lock(&mutex) == 0);
  CHECK(sf_condition_wait_uncancelable(&condition, &mutex) == 0);
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  return 0;
}

LAW(condition_entry)(void) {
  sf_task_t task;
  sf_mutex_init(&mutex);
  memset(&condition, 0, sizeof(condition));
  CHECK(sf_condition_wait(&condition, &mutex) == -SF_EPERM);
  CHECK(sf_mutex_lock(&mutex) == 0);
  /* Canceled before it waits, or no time to wait: it never lets go of the mutex. */
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_condition_wait(&condition, &mutex) == -SF_ECANCELED);
  CHECK(first_word(&mutex) == serial_of(sf_self()));
  CHECK(sf_condition_wait_timeout(&condition, &mutex, sf_after(0)) == -SF_ETIMEDOUT);
  CHECK(sf_condition_wait_timeout(&condition, &mutex, sf_at(1)) == -SF_ETIMEDOUT);
  CHECK(first_word(&mutex) == serial_of(sf_self()));
  CHECK(sf_mutex_unlock(&mutex) == 0);
  CHECK(sf_spawn(condition_uncancelable_task, NULL, NULL, &task) == 0);
  settle();
  CHECK(sf_cancel(task) == 0);
  settle();
  sf_condition_signal(&condition);
  CHECK_JOIN(task, 0);
  return 0;
}

/* A bounded buffer by mutex and two conditions, with cancels and timeouts: nothing lost or doubled. */
static struct sf_condition not_empty, not_full;
static int32_t buffer_items, produced, consumed;

static int32_t buffer_wait(struct sf_condition *on) {
  if (random_next(&seed) % 4 != 0) return sf_condition_wait(on, &mutex);
  return sf_condition_wait_timeout(on, &mutex, sf_after(random_next(&seed) % 4));
}

static int32_t producer_task(void *rounds) {
  for (int32_t i = 0; i < (int32_t)rounds; i++) {
    CHECK(sf_mutex_lock_uncancelable(&mutex) == 0);
    while (buffer_items == 2) {
      buffer_wait(&not_full);
      CHECK(first_word(&mutex) == serial_of(sf_self()));
    }
    buffer_items++;
    produced++;
    sf_condition_signal(&not_empty);
    CHECK(sf_mutex_unlock(&mutex) == 0);
    stagger(&seed);
  }
  return 0;
}

static int32_t consumer_task(void *rounds) {
  for (int32_t i = 0; i < (int32_t)rounds; i++) {
    CHECK(sf_mutex_lock_uncancelable(&mutex) == 0);
    while (buffer_items == 0) {
      int32_t result = buffer_wait(&not_empty);
      CHECK(first_word(&mutex) == serial_of(sf_self()));
      CHECK(result == 0 || result == -SF_ECANCELED || result == -SF_ETIMEDOUT);
    }
    buffer_items--;
    consumed++;
    sf_condition_signal(&not_full);
    CHECK(sf_mutex_unlock(&mutex) == 0);
    stagger(&seed);
  }
  return 0;
}

LAW(condition_churn)(int32_t pairs, int32_t rounds, int32_t seed_given) {
  static sf_task_t tasks[64];
  seed = (uint32_t)seed_given;
  buffer_items = produced = consumed = 0;
  sf_mutex_init(&mutex);
  for (int32_t i = 0; i < 2 * pairs; i++)
    CHECK(sf_spawn(i & 1 ? producer_task : consumer_task, (void *)rounds, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < pairs * rounds; i++) {
    stagger(&seed);
    if (i % 5 == 0) CHECK(sf_sleep(1) == 0);
    CHECK(sf_cancel(tasks[random_next(&seed) % (uint32_t)(2 * pairs)]) == 0);
  }
  for (int32_t i = 0; i < 2 * pairs; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(buffer_items == 0 && produced == consumed && produced == pairs * rounds);
  CHECK(first_word(&mutex) == 0);
  return 0;
}
