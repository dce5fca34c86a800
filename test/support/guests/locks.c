/* locks.c - laws of mutexes, conditions and reader-writer locks. */
#include "law-tasks.h"

static struct sf_mutex mutex;
static struct sf_recursive_mutex recursive;
static struct sf_condition condition;
static struct sf_rwlock rwlock;

/* The first word of a lock is its holder's serial: reports read it. */
static uint32_t first_word(const void *object) { return *(const uint32_t *)object; }
static uint32_t serial_of(sf_task_t task) { return (uint32_t)(task >> 32); }

/* ── Mutex ─────────────────────────────────────────────────────────────────────────────────────── */

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
  int32_t inside, entered, line, stop;
} churn;

static void churn_stagger(void) {
  for (uint32_t i = random_next(&churn.seed) % 4; i > 0; i--)
    if (sf_yield() < 0) sf_recancel();
}

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
      churn_stagger();
      continue;
    }
    CHECK(++churn.inside == 1);
    churn.entered++;
    churn_stagger();
    if (how == 0) sf_sleep(random_next(&churn.seed) % 3);
    CHECK(--churn.inside == 0);
    CHECK(sf_mutex_unlock(&mutex) == 0);
    churn_stagger();
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
    churn_stagger();
    if (i % 5 == 0) CHECK(sf_sleep(1) == 0);
    CHECK(sf_cancel(tasks[random_next(&churn.seed) % (uint32_t)tasks_count]) == 0);
  }
  for (int32_t i = 0; i < tasks_count; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(churn.entered > 0);
  CHECK(first_word(&mutex) == 0);
  CHECK(sf_mutex_try_lock(&mutex) == 0);
  return 0;
}

/* ── Recursive mutex ───────────────────────────────────────────────────────────────────────────── */

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

/* ── Condition ─────────────────────────────────────────────────────────────────────────────────── */

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
  if (random_next(&churn.seed) % 4 != 0) return sf_condition_wait(on, &mutex);
  return sf_condition_wait_timeout(on, &mutex, sf_after(random_next(&churn.seed) % 4));
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
    churn_stagger();
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
    churn_stagger();
  }
  return 0;
}

LAW(condition_churn)(int32_t pairs, int32_t rounds, int32_t seed) {
  static sf_task_t tasks[64];
  memset(&churn, 0, sizeof(churn));
  churn.seed = (uint32_t)seed;
  buffer_items = produced = consumed = 0;
  sf_mutex_init(&mutex);
  for (int32_t i = 0; i < 2 * pairs; i++)
    CHECK(sf_spawn(i & 1 ? producer_task : consumer_task, (void *)rounds, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < pairs * rounds; i++) {
    churn_stagger();
    if (i % 5 == 0) CHECK(sf_sleep(1) == 0);
    CHECK(sf_cancel(tasks[random_next(&churn.seed) % (uint32_t)(2 * pairs)]) == 0);
  }
  for (int32_t i = 0; i < 2 * pairs; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(buffer_items == 0 && produced == consumed && produced == pairs * rounds);
  CHECK(first_word(&mutex) == 0);
  return 0;
}

/* ── Reader-writer lock ────────────────────────────────────────────────────────────────────────── */

static int32_t rw_readers, rw_writers, rw_readers_most;

/* Readers have even ids. Holds the lock for `amount` yields. */
static int32_t rw_task(void *argument) {
  struct actor *actor = argument;
  uint32_t reads = actor->id % 2 == 0;
  sf_timeout_t timeout = actor->timeout == 0 ? SF_NEVER : actor->timeout;
  actor->result = reads ? sf_rwlock_read_timeout(&rwlock, timeout)
                        : sf_rwlock_write_timeout(&rwlock, timeout);
  if (actor->result < 0) return actor->result;
  note(actor->id);
  if (reads) {
    CHECK(rw_writers == 0);
    if (++rw_readers > rw_readers_most) rw_readers_most = rw_readers;
  } else {
    CHECK(rw_readers == 0 && ++rw_writers == 1);
    CHECK(first_word(&rwlock) == serial_of(sf_self()));
  }
  for (int32_t i = 0; i < actor->amount; i++)
    if (sf_yield() < 0) sf_recancel();
  if (reads) {
    rw_readers--;
    return sf_rwlock_read_unlock(&rwlock);
  }
  rw_writers--;
  return sf_rwlock_write_unlock(&rwlock);
}

static void rw_begin(void) {
  memset(&rwlock, 0, sizeof(rwlock));
  rw_readers = rw_writers = rw_readers_most = notes_count = 0;
}

/* Readers that wait behind a writer come in together, after every writer that waits. */
LAW(rwlock_writers_first)(void) {
  static struct actor actors[8];
  static const int32_t ids[8] = {0, 1, 2, 4, 3, 6, 5, 8};
  static const int32_t order[8] = {1, 3, 5, 0, 2, 4, 6, 8};
  rw_begin();
  CHECK(sf_rwlock_write(&rwlock) == 0);
  for (int32_t i = 0; i < 8; i++) {
    actors[i].amount = 2;
    CHECK(act(&actors[i], ids[i], rw_task) == 0);
  }
  settle();
  CHECK(notes_count == 0);
  CHECK(sf_rwlock_write_unlock(&rwlock) == 0);
  for (int32_t i = 0; i < 8; i++) CHECK_JOIN(actors[i].task, 0);
  for (int32_t i = 0; i < 8; i++) CHECK(notes[i] == order[i]);
  CHECK(rw_readers_most == 5);
  return 0;
}

/* A reader that comes while a writer waits does not get in, though readers are inside; the last of
 * those wakes the writer. */
LAW(rwlock_last_reader_wakes_the_writer)(void) {
  static struct actor writer, reader;
  rw_begin();
  for (int32_t i = 0; i < 3; i++) CHECK(sf_rwlock_read(&rwlock) == 0);
  CHECK(act(&writer, 1, rw_task) == 0);
  CHECK(act(&reader, 2, rw_task) == 0);
  settle();
  CHECK(sf_rwlock_try_read(&rwlock) == -SF_EAGAIN);
  CHECK(sf_rwlock_try_write(&rwlock) == -SF_EAGAIN);
  for (int32_t i = 0; i < 3; i++) {
    CHECK(notes_count == 0);
    CHECK(sf_rwlock_read_unlock(&rwlock) == 0);
    settle();
  }
  CHECK(notes_count == 2 && notes[0] == 1 && notes[1] == 2);
  CHECK_JOIN(writer.task, 0);
  CHECK_JOIN(reader.task, 0);
  return 0;
}

/* The reader was queued before the writer, behind another writer. */
LAW(rwlock_last_reader_wakes_a_writer_queued_later)(void) {
  static struct actor first, reader, second;
  rw_begin();
  CHECK(sf_rwlock_read(&rwlock) == 0);
  first.amount = reader.amount = 3;
  CHECK(act(&first, 1, rw_task) == 0);
  CHECK(act(&reader, 2, rw_task) == 0);
  CHECK(act(&second, 3, rw_task) == 0);
  settle();
  CHECK(sf_cancel(first.task) == 0);
  settle();
  CHECK(notes_count == 0); /* The second writer still waits: no reader gets in. */
  CHECK(sf_rwlock_read_unlock(&rwlock) == 0);
  CHECK_JOIN(first.task, -SF_ECANCELED);
  CHECK_JOIN(second.task, 0);
  CHECK_JOIN(reader.task, 0);
  CHECK(notes[0] == 3 && notes[1] == 2);
  return 0;
}

/* A writer that gives up, the only one, lets the readers in that it held up. */
LAW(rwlock_a_writer_that_gives_up)(int32_t by_timeout) {
  static struct actor writer, readers[3];
  rw_begin();
  CHECK(sf_rwlock_read(&rwlock) == 0);
  writer.timeout = by_timeout ? sf_after(SF_SECOND) : 0;
  CHECK(act(&writer, 1, rw_task) == 0);
  for (int32_t i = 0; i < 3; i++) {
    readers[i].amount = 30;
    CHECK(act(&readers[i], 2, rw_task) == 0);
  }
  settle();
  CHECK(notes_count == 0);
  if (by_timeout)
    CHECK(sf_sleep(2 * SF_SECOND) == 0);
  else
    CHECK(sf_cancel(writer.task) == 0);
  CHECK_JOIN(writer.task, by_timeout ? -SF_ETIMEDOUT : -SF_ECANCELED);
  for (int32_t i = 0; i < 3; i++) CHECK_JOIN(readers[i].task, 0);
  CHECK(rw_readers_most == 3);
  CHECK(sf_rwlock_try_write(&rwlock) == -SF_EAGAIN);
  CHECK(sf_rwlock_read_unlock(&rwlock) == 0);
  /* It left nothing behind: no permit for a writer that is not there. */
  CHECK(sf_rwlock_read_unlock(&rwlock) == -SF_EPERM);
  CHECK(sf_rwlock_try_read(&rwlock) == 0);
  CHECK(sf_rwlock_try_write(&rwlock) == -SF_EAGAIN);
  CHECK(sf_rwlock_read_unlock(&rwlock) == 0);
  CHECK(sf_rwlock_try_write(&rwlock) == 0);
  CHECK(sf_rwlock_write_unlock(&rwlock) == 0);
  return 0;
}

static int32_t rw_stranger_task(void *unused) {
  (void)unused;
  CHECK(sf_rwlock_write_unlock(&rwlock) == -SF_EPERM);
  CHECK(sf_rwlock_read_unlock(&rwlock) == -SF_EPERM);
  CHECK(sf_rwlock_read_timeout(&rwlock, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_rwlock_write_timeout(&rwlock, sf_after(SF_SECOND)) == -SF_ETIMEDOUT);
  return 0;
}

static int32_t rw_uncancelable_task(void *writes) {
  CHECK((writes ? sf_rwlock_write_uncancelable(&rwlock) : sf_rwlock_read_uncancelable(&rwlock)) == 0);
  CHECK((writes ? sf_rwlock_write_unlock(&rwlock) : sf_rwlock_read_unlock(&rwlock)) == 0);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  return 0;
}

LAW(rwlock_errors)(void) {
  sf_task_t task, tasks[2];
  rw_begin();
  CHECK(sf_rwlock_read_unlock(&rwlock) == -SF_EPERM);
  CHECK(sf_rwlock_write_unlock(&rwlock) == -SF_EPERM);
  CHECK(sf_rwlock_write(&rwlock) == 0);
  CHECK(first_word(&rwlock) == serial_of(sf_self()));
  CHECK(sf_rwlock_write(&rwlock) == -SF_EDEADLK);
  CHECK(sf_rwlock_read(&rwlock) == -SF_EDEADLK);
  CHECK(sf_rwlock_try_read(&rwlock) == -SF_EAGAIN);
  CHECK(sf_rwlock_try_write(&rwlock) == -SF_EDEADLK);
  CHECK(sf_spawn(rw_stranger_task, NULL, NULL, &task) == 0);
  CHECK_JOIN(task, 0);
  for (int32_t writes = 0; writes < 2; writes++)
    CHECK(sf_spawn(rw_uncancelable_task, (void *)writes, NULL, &tasks[writes]) == 0);
  settle();
  for (int32_t writes = 0; writes < 2; writes++) CHECK(sf_cancel(tasks[writes]) == 0);
  settle();
  CHECK(sf_rwlock_write_unlock(&rwlock) == 0);
  for (int32_t writes = 0; writes < 2; writes++) CHECK_JOIN(tasks[writes], 0);
  CHECK(sf_rwlock_read_timeout(&rwlock, sf_after(0)) == 0);
  CHECK(sf_rwlock_read_unlock(&rwlock) == 0);
  CHECK(sf_rwlock_write_timeout(&rwlock, sf_after(0)) == 0);
  CHECK(sf_rwlock_write_unlock(&rwlock) == 0);
  return 0;
}

static int32_t rw_churn_task(void *rounds) {
  struct actor actor = {0};
  for (int32_t i = 0; i < (int32_t)rounds; i++) {
    actor.id = (int32_t)random_next(&churn.seed) & 1;
    actor.amount = (int32_t)random_next(&churn.seed) % 4;
    actor.timeout = random_next(&churn.seed) % 3 ? 0 : sf_after(random_next(&churn.seed) % 5);
    int32_t result = rw_task(&actor);
    if (result > 0) return result;
    if (actor.result == 0) churn.entered++;
    if (random_next(&churn.seed) % 8 == 0) sf_sleep(1);
  }
  return 0;
}

LAW(rwlock_churn)(int32_t tasks_count, int32_t rounds, int32_t seed) {
  static sf_task_t tasks[64];
  memset(&churn, 0, sizeof(churn));
  churn.seed = (uint32_t)seed;
  rw_begin();
  for (int32_t i = 0; i < tasks_count; i++)
    CHECK(sf_spawn(rw_churn_task, (void *)rounds, NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < tasks_count * rounds; i++) {
    churn_stagger();
    if (i % 5 == 0) CHECK(sf_sleep(1) == 0);
    CHECK(sf_cancel(tasks[random_next(&churn.seed) % (uint32_t)tasks_count]) == 0);
  }
  for (int32_t i = 0; i < tasks_count; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(churn.entered > 0 && rw_readers == 0 && rw_writers == 0);
  CHECK(sf_rwlock_try_write(&rwlock) == 0);
  return 0;
}
