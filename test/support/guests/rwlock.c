/* rwlock.c - laws of reader-writer locks. */
#include "law-tasks.h"

static struct sf_rwlock rwlock;

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

static struct {
  uint32_t seed;
  int32_t entered;
} churn;

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
    stagger(&churn.seed);
    if (i % 5 == 0) CHECK(sf_sleep(1) == 0);
    CHECK(sf_cancel(tasks[random_next(&churn.seed) % (uint32_t)tasks_count]) == 0);
  }
  for (int32_t i = 0; i < tasks_count; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(churn.entered > 0 && rw_readers == 0 && rw_writers == 0);
  CHECK(sf_rwlock_try_write(&rwlock) == 0);
  return 0;
}
