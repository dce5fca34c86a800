/* select.c - laws of select. */
#include "virtual.h"

static struct sf_channel channel, rendezvous;
static struct sf_group group;
static struct sf_broadcast broadcast;
static struct sf_consumer consumer;
static struct sf_watch watch;
static struct sf_event event, never;
static struct sf_timer timer;
static struct sf_notify notify;
static struct sf_future future;
static struct sf_semaphore semaphore;
static struct sf_latch latch;
static struct sf_operation operation;
static struct sf_source source;
static sf_task_t task;
static int32_t buffer[4], broadcast_buffer[4], stored, got, polls, offered;
static uint32_t seen;

static int32_t sleep_task(void *ms) { return sf_sleep((uint32_t)ms * MS) < 0 ? -1 : (int32_t)ms; }
static int32_t poll_offer(struct sf_source *self, void *item) {
  (void)self;
  polls++;
  if (offered == 0) return -SF_EAGAIN;
  *(int32_t *)item = offered--;
  return 7;
}

enum kind { RECEIVE, SEND, TASK, GROUP, BROADCAST, WATCH, EVENT, TIMER, NOTIFY, FUTURE, SEMAPHORE,
            LATCH, TIMEOUT, OPERATION, SOURCE };

static void set_up(void) {
  sf_channel_init(&channel, buffer, 4, 4);
  sf_channel_init(&rendezvous, NULL, 0, 4);
  sf_group_init(&group, 0, 0);
  sf_broadcast_init(&broadcast, broadcast_buffer, 4, 4);
  sf_broadcast_subscribe(&broadcast, &consumer);
  sf_watch_init(&watch, &stored, 4);
  seen = sf_watch_get(&watch, NULL);
  sf_event_init(&event, 0);
  sf_event_init(&never, 0);
  memset(&timer, 0, sizeof(timer));
  memset(&notify, 0, sizeof(notify));
  memset(&source, 0, sizeof(source));
  source.poll = poll_offer;
  sf_future_init(&future, &stored, 4);
  sf_semaphore_init(&semaphore, 1);
  sf_latch_init(&latch, 2);
  got = polls = offered = stored = 0;
}

static struct sf_arm arm_of(enum kind kind) {
  switch (kind) {
    case RECEIVE: return sf_on_receive(&channel, &got);
    case SEND: return sf_on_send(&rendezvous, &stored);
    case TASK: return sf_on_task(task, &got);
    case GROUP: return sf_on_group(&group);
    case BROADCAST: return sf_on_broadcast(&broadcast, &consumer, &got);
    case WATCH: return sf_on_watch(&watch, &seen, &got);
    case EVENT: return sf_on_event(&event);
    case TIMER: return sf_on_timer(&timer);
    case NOTIFY: return sf_on_notify(&notify);
    case FUTURE: return sf_on_future(&future, &got);
    case SEMAPHORE: return sf_on_semaphore(&semaphore, 2);
    case LATCH: return sf_on_latch(&latch);
    case TIMEOUT: return sf_on_timeout(sf_after(10 * MS));
    case OPERATION: return sf_on_operation(&operation);
    default: return sf_on_source(&source, &got);
  }
}

/* What the select waits for happens. */
static int32_t happen(enum kind kind) {
  int32_t item = 42;
  switch (kind) {
    case RECEIVE: return sf_channel_try_send(&channel, &item);
    case SEND: stored = 42; return sf_channel_try_receive(&rendezvous, &got);
    case TASK: return sf_unpark(task);
    case GROUP: return 0;
    case BROADCAST: return sf_broadcast_send(&broadcast, &item);
    case WATCH: return sf_watch_set(&watch, &item);
    case EVENT: sf_event_set(&event); return 0;
    case TIMER: sf_timer_start(&timer, sf_after(0)); return 0;
    case NOTIFY: return sf_notify_one(&notify) == 1 ? 0 : -1;
    case FUTURE: return sf_future_set(&future, &item);
    case SEMAPHORE: return sf_semaphore_release(&semaphore, 1);
    case LATCH: return sf_latch_add(&latch, -2);
    case OPERATION: sf_operation_cancel_request(&operation); return 0;
    case SOURCE: offered = 42; return sf_source_notify(&source) == 1 ? 0 : -1;
    default: return 0;
  }
}

static int32_t want_of(enum kind kind) {
  return kind == OPERATION ? -SF_ECANCELED : kind == SOURCE ? 7 : 0;
}

static int32_t park_task(void *value) { return sf_park() < 0 ? -1 : (int32_t)value; }

struct selecting {
  enum kind kind;
  int32_t which, result, after;
};
static int32_t select_task(void *argument) {
  struct selecting *selecting = argument;
  struct sf_arm arms[] = {sf_on_event(&never), arm_of(selecting->kind), sf_on_timeout(sf_after(LONG))};
  selecting->which = sf_select(arms, 3);
  selecting->result = arms[1].waiter.result;
  selecting->after = sf_checkpoint();
  return 0;
}

static int32_t listener = -1;
static int32_t start_kind(enum kind kind) {
  set_up();
  if (kind == TASK) CHECK(sf_spawn(park_task, (void *)42, NULL, &task) == 0);
  if (kind == GROUP) CHECK(sf_group_spawn(&group, sleep_task, (void *)10, NULL, NULL) == 0);
  if (kind == OPERATION) {
    struct sf_address address;
    CHECK(sf_address_parse("127.0.0.1", 9, 0, &address) == 0);
    listener = sf_tcp_listen(&address, 8);
    CHECK(listener >= 0);
    CHECK(sf_operation_accept(&operation, listener, NULL) == 0);
  }
  return 0;
}
static int32_t end_kind(enum kind kind) {
  if (kind == TASK) CHECK(sf_unpark(task) == 0 && sf_join(task, NULL) == 0);
  if (kind == GROUP) CHECK(sf_group_wait(&group) == 0);
  if (kind == OPERATION) {
    sf_operation_cancel(&operation);
    CHECK(sf_close(listener) == 0);
  }
  return 0;
}

/* It parks, and is served. `cancel`: a request that comes when the arm has won stays pending. */
LAW(an_arm_is_served)(int32_t kind_number, int32_t cancel) {
  enum kind kind = (enum kind)kind_number;
  struct selecting selecting = {.kind = kind, .which = -1};
  sf_task_t selector;
  int32_t line = start_kind(kind);
  if (line != 0) return line;
  CHECK(sf_spawn(select_task, &selecting, NULL, &selector) == 0);
  CHECK(settle() == 0);
  CHECK(selecting.which == -1);
  CHECK(happen(kind) == 0);
  if (cancel) CHECK(sf_cancel(selector) == 0);
  CHECK(sf_join(selector, NULL) == 0);
  CHECK(selecting.which == 1 && selecting.result == want_of(kind));
  CHECK(selecting.after == (cancel ? -SF_ECANCELED : 0));
  if (kind <= TASK || kind == BROADCAST || kind == WATCH || kind == FUTURE || kind == SOURCE)
    CHECK(got == 42);
  if (kind == SEMAPHORE) CHECK(sf_semaphore_permits(&semaphore) == 0);
  return end_kind(kind);
}

/* It is ready before, and once it has lost it has had no effect. */
LAW(an_arm_is_ready_or_has_lost)(int32_t kind_number) {
  enum kind kind = (enum kind)kind_number;
  int32_t line = start_kind(kind);
  if (line != 0) return line;
  struct selecting selecting = {.kind = kind, .which = -1};
  sf_task_t selector;
  /* Lost: another arm is served. */
  CHECK(sf_spawn(select_task, &selecting, NULL, &selector) == 0);
  CHECK(settle() == 0);
  sf_event_set(&never);
  CHECK(sf_join(selector, NULL) == 0);
  CHECK(selecting.which == 0);
  sf_event_reset(&never);
  /* Canceled. */
  CHECK(sf_spawn(select_task, &selecting, NULL, &selector) == 0);
  CHECK(settle() == 0);
  CHECK(sf_cancel_wait(selector, NULL) == 0);
  CHECK(selecting.which == -SF_ECANCELED && selecting.after == 0);
  if (kind == NOTIFY || kind == SEND) return 0; /* they are never ready before */
  if (kind == SOURCE) offered = 42;
  else CHECK(happen(kind) == 0);
  CHECK(sf_sleep(20 * MS) == 0);
  if (kind == OPERATION) sf_operation_wait(&operation);
  struct sf_arm lost[] = {sf_on_timeout(sf_after(0)), arm_of(kind)};
  CHECK(sf_select(lost, 2) == 0);
  struct sf_arm won[] = {sf_on_event(&never), arm_of(kind == TIMEOUT ? EVENT : kind)};
  if (kind == TIMEOUT) won[1] = sf_on_timeout(sf_at(sf_monotonic_ns()));
  CHECK(sf_select(won, 2) == 1);
  CHECK(won[1].waiter.result == want_of(kind));
  if (kind == RECEIVE) CHECK(got == 42 && sf_channel_count(&channel) == 0);
  if (kind == SEMAPHORE) CHECK(sf_semaphore_permits(&semaphore) == 0);
  return end_kind(kind);
}

/* ── Which one ─────────────────────────────────────────────────────────────────────────────────── */

LAW(the_first_ready_counts)(void) {
  set_up();
  int32_t item = 1;
  CHECK(sf_channel_send(&channel, &item) == 0);
  sf_event_set(&event);
  for (int32_t i = 0; i < 3; i++) {
    struct sf_arm arms[] = {sf_on_event(&never), sf_on_event(&event), sf_on_receive(&channel, &got),
                            sf_on_semaphore(&semaphore, 1)};
    CHECK(sf_select(arms, 4) == 1);
  }
  CHECK(sf_channel_count(&channel) == 1 && sf_semaphore_permits(&semaphore) == 1);
  return 0;
}

LAW(fair_passes_nobody_over)(int32_t arms_count, int32_t seed_given) {
  uint32_t seed = (uint32_t)seed_given, turn = 0;
  static struct sf_channel channels[16];
  static int32_t buffers[16][4], passed[16];
  for (int32_t i = 0; i < arms_count; i++)
    CHECK(sf_channel_init(&channels[i], buffers[i], 4, 4) == 0);
  memset(passed, 0, sizeof(passed));
  for (int32_t round = 0; round < 2000; round++) {
    struct sf_arm arms[17];
    for (int32_t i = 0; i < arms_count; i++) {
      int32_t item = i;
      if (random_next(&seed) % 3 == 0) sf_channel_try_send(&channels[i], &item);
      arms[i] = sf_on_receive(&channels[i], &got);
    }
    arms[arms_count] = sf_on_timeout(sf_after(MS)); /* when none is ready it parks */
    int32_t which = sf_select_fair(arms, (uint32_t)arms_count + 1, &turn);
    CHECK(which >= 0);
    CHECK(which == arms_count || got == which);
    for (int32_t i = 0; i < arms_count; i++) {
      passed[i] = i != which && sf_channel_count(&channels[i]) != 0 ? passed[i] + 1 : 0;
      CHECK(passed[i] <= arms_count + 1);
    }
  }
  turn = UINT32_MAX; /* rubbish is the beginning */
  struct sf_arm arm = sf_on_timeout(sf_after(0));
  CHECK(sf_select_fair(&arm, 1, &turn) == 0);
  return 0;
}

LAW(try_never_waits)(void) {
  set_up();
  CHECK(sf_select_try(NULL, 0) == -SF_EAGAIN);
  struct sf_arm arms[] = {sf_on_receive(&channel, &got), sf_on_event(&event), sf_on_notify(&notify),
                          sf_on_timeout(sf_after(MS)), sf_on_source(&source, &got)};
  for (int32_t i = 0; i < 3; i++) CHECK(sf_select_try(arms, 5) == -SF_EAGAIN);
  /* Nothing was left in a queue. */
  CHECK(sf_notify_all(&notify) == 0);
  sf_event_set(&event);
  CHECK(sf_select_try(arms, 5) == 1);
  return 0;
}

static int32_t empty_task(void *unused) {
  (void)unused;
  return sf_select(NULL, 0);
}

LAW(without_arms_it_waits_for_a_cancel)(void) {
  sf_task_t selector;
  int32_t result;
  CHECK(sf_spawn(empty_task, NULL, NULL, &selector) == 0);
  CHECK(sf_sleep(LONG) == 0);
  CHECK(sf_task_poll(selector, NULL) == -SF_EAGAIN);
  CHECK(sf_cancel_wait(selector, &result) == 0 && result == -SF_ECANCELED);
  CHECK(sf_select_timeout(NULL, 0, sf_after(MS)) == -SF_ETIMEDOUT);
  return 0;
}

LAW(arms_of_no_source)(void) {
  set_up();
  struct sf_arm arms[] = {sf_on_semaphore(&semaphore, 1), {.source = 99}};
  CHECK(sf_select(arms, 2) == -SF_EINVAL && sf_select_try(arms, 2) == -SF_EINVAL);
  CHECK(sf_semaphore_permits(&semaphore) == 1);
  CHECK(sf_select(arms, 0x40000000) == -SF_EINVAL);
  CHECK(sf_select(arms, UINT32_MAX) == -SF_EINVAL);
  struct sf_arm none[] = {{.source = SF_ARM_NONE}, sf_on_timeout(sf_after(MS))};
  CHECK(sf_select(none, 2) == 1);
  return 0;
}

static struct sf_arm many[1000];
static struct sf_event events[1000];

LAW(a_thousand_arms)(void) {
  set_up();
  for (int32_t round = 0; round < 20; round++) {
    int32_t at = round * 331 % 1000;
    for (int32_t i = 0; i < 1000; i++)
      many[i] = i % 3 == 0 ? sf_on_timeout(sf_after((uint64_t)(i == at ? 5 : 5000) * MS))
                           : sf_on_event(&events[i]);
    if (at % 3 != 0) sf_event_set(&events[at]);
    CHECK(sf_select(many, 1000) == at);
    sf_event_reset(&events[at]);
  }
  return 0;
}

/* ── Arms in each other's way ──────────────────────────────────────────────────────────────────── */

static int32_t which_of_two;
static int32_t two_arms_task(void *kind) {
  struct sf_arm arms[2] = {arm_of((enum kind)(uint32_t)kind), arm_of((enum kind)(uint32_t)kind)};
  which_of_two = sf_select(arms, 2);
  return arms[0].waiter.result;
}

LAW(two_arms_on_one_thing)(int32_t kind_number) {
  enum kind kind = (enum kind)kind_number;
  int32_t line = start_kind(kind), result;
  if (line != 0) return line;
  sf_task_t selector;
  CHECK(sf_spawn(two_arms_task, (void *)kind, NULL, &selector) == 0);
  CHECK(settle() == 0);
  CHECK(happen(kind) == 0);
  CHECK(sf_join(selector, &result) == 0 && which_of_two == 0 && result == want_of(kind));
  CHECK(sf_notify_all(&notify) == 0);
  return end_kind(kind);
}

static int32_t both_ways_task(void *id) {
  int32_t mine = (int32_t)id, other = -1;
  struct sf_arm arms[] = {sf_on_send(&rendezvous, &mine), sf_on_receive(&rendezvous, &other)};
  int32_t which = sf_select(arms, 2);
  if (which < 0) return which;
  if (arms[which].waiter.result != 0) return arms[which].waiter.result;
  return which == 0 ? 1000 : other;
}

/* Each would send and would receive; they pair up, and nobody with oneself. */
LAW(send_and_receive_on_one_rendezvous)(int32_t pairs) {
  sf_task_t tasks[20];
  int32_t sent = 0, received = 0;
  set_up();
  for (int32_t i = 0; i < 2 * pairs; i++) {
    CHECK(sf_spawn(both_ways_task, (void *)i, NULL, &tasks[i]) == 0);
    if (i == 0) CHECK(settle() == 0 && sf_task_poll(tasks[0], NULL) == -SF_EAGAIN);
  }
  for (int32_t i = 0; i < 2 * pairs; i++) {
    int32_t result;
    CHECK(sf_join(tasks[i], &result) == 0 && result >= 0);
    if (result == 1000) sent++;
    else received++;
  }
  CHECK(sent == pairs && received == pairs);
  /* A plain sender, a plain receiver, and a close. */
  int32_t item = 77, result;
  for (int32_t how = 0; how < 3; how++) {
    CHECK(sf_spawn(both_ways_task, (void *)5, NULL, &tasks[0]) == 0);
    CHECK(settle() == 0);
    if (how == 0) CHECK(sf_channel_try_send(&rendezvous, &item) == 0);
    if (how == 1) CHECK(sf_channel_try_receive(&rendezvous, &item) == 0 && item == 5);
    if (how == 2) sf_channel_close(&rendezvous, 0);
    CHECK(sf_join(tasks[0], &result) == 0);
    CHECK(result == (how == 0 ? 77 : how == 1 ? 1000 : -SF_EPIPE));
    if (how < 2) CHECK(sf_channel_try_send(&rendezvous, &item) == -SF_EAGAIN);
  }
  return 0;
}

LAW(closed_things)(void) {
  set_up();
  sf_channel_close(&channel, 0);
  sf_future_close(&future);
  struct sf_arm arms[] = {sf_on_receive(&channel, &got)};
  CHECK(sf_select(arms, 1) == 0 && arms[0].waiter.result == -SF_EPIPE);
  struct sf_arm send[] = {sf_on_send(&channel, &got)};
  CHECK(sf_select(send, 1) == 0 && send[0].waiter.result == -SF_EPIPE);
  struct sf_arm value[] = {sf_on_future(&future, NULL)};
  CHECK(sf_select(value, 1) == 0 && value[0].waiter.result == -SF_EPIPE);
  struct sf_arm gone[] = {sf_on_task(sf_self(), NULL), sf_on_task(12345, NULL)};
  CHECK(sf_select(gone, 2) == 0 && gone[0].waiter.result == -SF_EDEADLK);
  CHECK(sf_select(gone + 1, 1) == 0 && gone[1].waiter.result == -SF_ESRCH);
  return 0;
}

/* ── Sources ───────────────────────────────────────────────────────────────────────────────────── */

static int32_t source_task(void *unused) {
  (void)unused;
  int32_t item = 0, result = sf_source_wait(&source, &item);
  return result == 7 ? item : result;
}

LAW(sources_serve_in_order)(void) {
  sf_task_t tasks[5];
  int32_t result;
  set_up();
  CHECK(sf_source_notify(&source) == 0);
  for (int32_t i = 0; i < 5; i++) CHECK(sf_spawn(source_task, NULL, NULL, &tasks[i]) == 0);
  CHECK(settle() == 0);
  CHECK(sf_source_notify(&source) == 0);
  CHECK(sf_cancel_wait(tasks[1], &result) == 0 && result == -SF_ECANCELED);
  offered = 3;
  CHECK(sf_source_notify(&source) == 3);
  CHECK(sf_join(tasks[0], &result) == 0 && result == 3);
  CHECK(sf_join(tasks[2], &result) == 0 && result == 2);
  CHECK(sf_join(tasks[3], &result) == 0 && result == 1);
  CHECK(sf_task_poll(tasks[4], NULL) == -SF_EAGAIN);
  CHECK(sf_source_wait_timeout(&source, &got, sf_after(MS)) == -SF_ETIMEDOUT);
  CHECK(sf_cancel_wait(tasks[4], NULL) == 0);
  offered = 1;
  CHECK(sf_source_wait(&source, &got) == 7 && got == 1 && sf_source_notify(&source) == 0);
  return 0;
}

static int32_t poll_park(struct sf_source *self, void *item) {
  (void)self;
  return item == NULL ? -SF_EAGAIN : sf_sleep(MS);
}
static int32_t poll_trap(struct sf_source *self, void *item) {
  (void)self;
  if (item == NULL) return -SF_EAGAIN;
  __builtin_trap();
}
static int32_t bad_source_task(void *item) { return sf_source_wait(&source, item); }
static int32_t bad_notify_task(void *unused) {
  (void)unused;
  return (int32_t)sf_source_notify(&source);
}

/* A poll that parks or traps ends the task that calls it, and nobody else. */
LAW(a_bad_poll_is_its_callers)(int32_t traps) {
  sf_task_t waiter, bad;
  int32_t result;
  set_up();
  source.poll = traps ? poll_trap : poll_park;
  CHECK(sf_spawn(bad_source_task, NULL, NULL, &waiter) == 0);
  CHECK(settle() == 0);
  CHECK(sf_spawn(bad_source_task, &got, NULL, &bad) == 0);
  CHECK(sf_join(bad, NULL) == -SF_ENOTRECOVERABLE);
  source.poll = poll_offer;
  CHECK(sf_cancel_wait(waiter, &result) == 0 && result == -SF_ECANCELED);
  /* In a notification. */
  CHECK(sf_spawn(source_task, NULL, NULL, &waiter) == 0);
  CHECK(settle() == 0);
  source.poll = traps ? poll_trap : poll_park;
  CHECK(sf_spawn(bad_notify_task, NULL, NULL, &bad) == 0);
  CHECK(sf_join(bad, NULL) == -SF_ENOTRECOVERABLE);
  source.poll = poll_offer;
  offered = 4;
  CHECK(sf_source_notify(&source) == 1);
  CHECK(sf_join(waiter, &result) == 0 && result == 4);
  return 0;
}

/* ── Owners ────────────────────────────────────────────────────────────────────────────────────── */

static struct sf_channel *lent;
static int32_t lender_task(void *unused) {
  (void)unused;
  struct sf_channel own;
  sf_channel_init(&own, NULL, 0, 4);
  lent = &own;
  sf_sleep(5 * MS);
  __builtin_trap();
}
static int32_t borrower_task(void *unused) {
  (void)unused;
  struct sf_arm arms[] = {sf_on_notify(&notify), sf_on_semaphore(&semaphore, 9),
                          sf_on_receive(lent, &got), sf_on_event(&never)};
  return sf_select(arms, 4);
}

LAW(the_owner_is_dead)(void) {
  sf_task_t lender, borrowers[3];
  int32_t result;
  set_up();
  CHECK(sf_spawn(lender_task, NULL, NULL, &lender) == 0);
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < 3; i++) CHECK(sf_spawn(borrower_task, NULL, NULL, &borrowers[i]) == 0);
  CHECK(sf_join(lender, NULL) == -SF_ENOTRECOVERABLE);
  for (int32_t i = 0; i < 3; i++)
    CHECK(sf_join(borrowers[i], &result) == 0 && result == -SF_EOWNERDEAD);
  CHECK(sf_notify_all(&notify) == 0 && sf_semaphore_try_acquire(&semaphore, 1) == 0);
  return 0;
}
