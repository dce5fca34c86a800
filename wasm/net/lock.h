/* lock.h - what one task at a time may do, however that task ends. One may trap in here, for want of stack,
 * and must not keep a name from all others: so a lock is nothing but its holder's handle. */
#ifndef NET_LOCK_H
#define NET_LOCK_H

#include <stdbool.h>

#include <stackful/sync.h>
#include <stackful/task.h>

/* All zero: nobody has it. */
struct lock {
  sf_task_t holder;
  struct sf_notify given;
};

/* Who waits for what a task has looks that often whether that still lives. */
#define LOOK_NS SF_SECOND

/* True for 0, too: no task. One that is detached has gone when it ends. */
static bool is_over(sf_task_t task) {
  const int32_t outcome = sf_task_poll(task, NULL);
  return outcome != -SF_EAGAIN && outcome != -SF_EINVAL && outcome != -SF_EDEADLK;
}

/* Returns 0, also when it is time to look, or -SF_ECANCELED. */
SF_PARKS static int32_t wait_for(struct sf_notify *notify) {
  const int32_t error = sf_notify_wait_timeout(notify, sf_after(LOOK_NS));
  return error == -SF_ETIMEDOUT ? 0 : error;
}

SF_PARKS static int32_t lock_take(struct lock *lock) {
  while (!is_over(lock->holder)) {
    const int32_t error = wait_for(&lock->given);
    if (error < 0) return error;
  }
  lock->holder = sf_self();
  return 0;
}

static void lock_give(struct lock *lock) {
  lock->holder = 0;
  sf_notify_one(&lock->given);
}

#endif
