/* dump.c - tasks that wait in every way there is, below functions whose names a dump must show. */
#include "law.h"

__attribute__((import_module("env"), import_name("wait"))) int32_t host_wait(int32_t value);
__attribute__((import_module("env"), import_name("look"))) int32_t host_look(int32_t value);

static struct sf_mutex mutex;
static struct sf_rwlock rwlock;
static struct sf_condition condition;
static struct sf_semaphore semaphore;
static struct sf_barrier barrier;
static struct sf_event event;
static struct sf_notify notify;
static struct sf_future future;
static struct sf_once once;
static struct sf_latch latch;
static struct sf_channel empty, full;
static struct sf_group group;
static struct sf_signal signal_watch;
static uint32_t futex_word;

static int32_t park_task(void *unused) {
  (void)unused;
  return sf_park();
}

/* Something is left to do after the call. */
static volatile int32_t sink;
#define THROUGH(call)     \
  do {                    \
    int32_t r_ = (call);  \
    sink = r_;            \
    return r_;            \
  } while (0)

NOINLINE static int32_t below_sleep(void) { THROUGH(sf_sleep(1000 * SF_SECOND)); }
NOINLINE static int32_t below_receive(void) {
  int32_t item;
  THROUGH(sf_channel_receive(&empty, &item));
}
NOINLINE static int32_t below_send(void) {
  int32_t item = 1;
  THROUGH(sf_channel_send(&full, &item));
}
NOINLINE static int32_t below_mutex(void) { THROUGH(sf_mutex_lock(&mutex)); }
NOINLINE static int32_t below_read_lock(void) { THROUGH(sf_rwlock_read(&rwlock)); }
NOINLINE static int32_t below_write_lock(void) { THROUGH(sf_rwlock_write(&rwlock)); }
NOINLINE static int32_t below_condition(void) {
  static struct sf_mutex own;
  sf_mutex_lock(&own);
  THROUGH(sf_condition_wait(&condition, &own));
}
NOINLINE static int32_t below_semaphore(void) { THROUGH(sf_semaphore_acquire(&semaphore, 1)); }
NOINLINE static int32_t below_barrier(void) { THROUGH(sf_barrier_wait(&barrier)); }
NOINLINE static int32_t below_event(void) { THROUGH(sf_event_wait(&event)); }
NOINLINE static int32_t below_notify(void) { THROUGH(sf_notify_wait(&notify)); }
NOINLINE static int32_t below_future(void) {
  int32_t value;
  THROUGH(sf_future_wait(&future, &value));
}
NOINLINE static int32_t below_latch(void) { THROUGH(sf_latch_wait(&latch)); }
NOINLINE static int32_t below_futex(void) { THROUGH(sf_futex_wait(&futex_word, 0)); }
NOINLINE static int32_t below_signal(void) { THROUGH(sf_signal_wait(&signal_watch)); }
NOINLINE static int32_t below_select(void) {
  int32_t item, ready = 1;
  struct sf_arm arms[3] = {sf_on_receive(&empty, &item), sf_on_send(&full, &ready),
                           sf_on_timeout(1000 * SF_SECOND)};
  THROUGH(sf_select(arms, 3));
}
NOINLINE static int32_t below_join(void) {
  sf_task_t task;
  sf_spawn(park_task, NULL, &(struct sf_spawn_options){.name = "is joined"}, &task);
  THROUGH(sf_join(task, NULL));
}
NOINLINE static int32_t below_group(void) {
  sf_group_init(&group, 0, 0);
  sf_group_spawn(&group, park_task, NULL, &(struct sf_spawn_options){.name = "member"}, NULL);
  THROUGH(sf_group_wait(&group));
}
NOINLINE static int32_t below_unpark(void) { THROUGH(sf_park()); }
NOINLINE static int32_t below_yield(void) {
  int32_t result;
  do {
    result = sf_yield();
    sink = result;
  } while (result == 0);
  return result;
}
NOINLINE static int32_t below_once(void) { THROUGH(sf_once_begin(&once)); }
NOINLINE static int32_t below_host(void) { THROUGH(host_wait(1)); }
NOINLINE static int32_t below_operation(void) {
  struct sf_address address;
  sf_address_parse("127.0.0.1", 9, 0, &address);
  sf_handle_t listener = sf_tcp_listen(&address, 1);
  if (listener < 0) return listener;
  int32_t result = sf_tcp_accept(listener, NULL);
  sf_shield_begin();
  sf_close(listener);
  sf_shield_end();
  return result;
}
NOINLINE static int32_t below_look(void) { THROUGH(host_look(1)); }

/* Through a pointer that is not known: nobody inlines what is called. */
#define ENTRY(kind)                                              \
  int32_t EXPORT(wait_##kind)(void) {                            \
    static int32_t (*volatile const function)(void) = below_##kind; \
    THROUGH(function());                                         \
  }
ENTRY(sleep)
ENTRY(receive)
ENTRY(send)
ENTRY(mutex)
ENTRY(read_lock)
ENTRY(write_lock)
ENTRY(condition)
ENTRY(semaphore)
ENTRY(barrier)
ENTRY(event)
ENTRY(notify)
ENTRY(future)
ENTRY(latch)
ENTRY(futex)
ENTRY(signal)
ENTRY(select)
ENTRY(join)
ENTRY(group)
ENTRY(unpark)
ENTRY(yield)
ENTRY(host)
ENTRY(once)
ENTRY(operation)
ENTRY(look)

/* Holds what the others want, until it is canceled. */
int32_t EXPORT(hold)(void) {
  static int32_t buffer[1];
  int32_t item = 7;
  sf_channel_init(&empty, NULL, 0, sizeof item);
  sf_channel_init(&full, buffer, 1, sizeof item);
  sf_channel_send(&full, &item);
  sf_mutex_lock(&mutex);
  sf_rwlock_write(&rwlock);
  sf_semaphore_init(&semaphore, 0);
  sf_barrier_init(&barrier, 2);
  sf_event_init(&event, 0);
  sf_future_init(&future, &sink, sizeof sink);
  sf_latch_init(&latch, 1);
  sf_once_begin(&once);
  sf_signal_watch(&signal_watch, SF_SIGNAL_USER2);
  sf_park();
  sf_signal_unwatch(&signal_watch);
  sf_once_end(&once, 1);
  sf_rwlock_write_unlock(&rwlock);
  return sf_mutex_unlock(&mutex);
}

/* Recurses, and then parks or looks. Every level has a name and something on the C stack to keep. */
NOINLINE static int32_t descend(int32_t depth, int32_t look) {
  volatile int32_t mine = depth;
  int32_t result;
  if (depth == 0)
    result = look ? host_look(0) : sf_park();
  else
    result = descend(depth - 1, look);
  sink = result;
  return mine == depth ? result : -1;
}
int32_t EXPORT(park_below)(int32_t depth) { return descend(depth, 0); }
int32_t EXPORT(look_below)(int32_t depth) { return descend(depth, 1); }

/* Uses so much C stack, without waiting, and waits with little. */
NOINLINE static void use(int32_t bytes) {
  volatile char array[bytes];
  for (int32_t i = 0; i < bytes; i++) array[i] = (char)i;
  sf_self();
}
int32_t EXPORT(use_then_park)(int32_t bytes, int32_t depth) {
  use(bytes);
  return descend(depth, 0);
}

static int32_t named_a(void *unused) { THROUGH(sf_park() + (unused != NULL)); }
static int32_t named_b(void *unused) { THROUGH(sf_sleep(1000 * SF_SECOND) + (unused != NULL)); }
int32_t EXPORT(spawn_many)(int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    int32_t error = spawn_small(i % 2 == 0 ? named_a : named_b, NULL, NULL);
    if (error < 0) return error;
  }
  return 0;
}
