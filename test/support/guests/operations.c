/* operations.c - laws of started operations, over loopback TCP. */
#include "law.h"

static sf_handle_t listener, near, far;
static struct sf_address address;
static struct sf_operation operation;
static struct sf_event event;

static int32_t connect_task(void *handle_out) {
  *(sf_handle_t *)handle_out = sf_tcp_connect(&address);
  return 0;
}

static int32_t open_pair(void) {
  sf_task_t task;
  CHECK(sf_address_parse("127.0.0.1", 9, 0, &address) == 0);
  CHECK((listener = sf_tcp_listen(&address, 8)) >= 0);
  CHECK(sf_local_address(listener, &address) == 0);
  CHECK(sf_spawn(connect_task, &far, NULL, &task) == 0);
  CHECK((near = sf_tcp_accept(listener, NULL)) >= 0);
  CHECK_JOIN(task, 0);
  CHECK(far >= 0);
  return 0;
}

static int32_t close_pair(void) {
  CHECK(sf_close(near) == 0);
  CHECK(sf_close(far) == 0);
  CHECK(sf_close(listener) == 0);
  return 0;
}

#define BEGIN() CHECK_LINE(open_pair())
#define END() return close_pair()

static int32_t set_event_task(void *unused) {
  (void)unused;
  sf_yield();
  sf_event_set(&event);
  return 0;
}

/* A select that the operation does not win. */
static int32_t lose(struct sf_operation *loser, int32_t how) {
  struct sf_arm arms[] = {sf_on_operation(loser), sf_on_event(&event),
                          sf_on_timeout(how ? sf_after(SF_MILLISECOND) : SF_NEVER)};
  sf_event_init(&event, 0);
  if (how == 0) CHECK(sf_spawn(set_event_task, NULL, NULL, NULL) == 0);
  CHECK(sf_select(arms, 3) == (how ? 2 : 1));
  return 0;
}

#define LOSE(loser, how) CHECK_LINE(lose(loser, how))

/* ── What loses a select goes on ───────────────────────────────────────────────────────────────── */

LAW(read_that_loses)(int32_t how) {
  char text[16] = {0};
  BEGIN();
  for (int32_t round = 0; round < 20; round++) {
    CHECK(sf_operation_read(&operation, near, text, sizeof(text)) == 0);
    CHECK(sf_operation_try(&operation) == -SF_EAGAIN);
    LOSE(&operation, how);
    LOSE(&operation, 0);
    CHECK(sf_operation_try(&operation) == -SF_EAGAIN);
    char sent[3] = {'a', 'b', (char)('a' + round)};
    CHECK(sf_write_all(far, sent, 3) == 0);
    if (round % 2) {
      struct sf_arm arms[] = {sf_on_event(&(struct sf_event){0}), sf_on_operation(&operation)};
      CHECK(sf_select(arms, 2) == 1);
      CHECK(arms[1].waiter.result == 3);
    }
    /* May be asked again and again. */
    for (int32_t i = 0; i < 3; i++) CHECK(sf_operation_wait(&operation) == 3);
    CHECK(sf_operation_try(&operation) == 3);
    CHECK(memcmp(text, sent, 3) == 0);
  }
  END();
}

LAW(accept_that_loses)(int32_t how) {
  struct sf_address peer, own;
  BEGIN();
  for (int32_t round = 0; round < 5; round++) {
    sf_handle_t connected;
    sf_task_t task;
    memset(&peer, 0, sizeof(peer));
    CHECK(sf_operation_accept(&operation, listener, &peer) == 0);
    LOSE(&operation, how);
    CHECK(sf_spawn(connect_task, &connected, NULL, &task) == 0);
    sf_handle_t accepted = sf_operation_wait(&operation);
    CHECK(accepted >= 0);
    CHECK_JOIN(task, 0);
    CHECK(connected >= 0);
    CHECK(sf_local_address(connected, &own) == 0);
    CHECK(peer.family == SF_FAMILY_IPV4 && peer.port == own.port);
    CHECK(sf_write_all(connected, "x", 1) == 0);
    char byte = 0;
    CHECK(sf_read(accepted, &byte, 1) == 1 && byte == 'x');
    CHECK(sf_close(accepted) == 0 && sf_close(connected) == 0);
  }
  END();
}

LAW(connect_that_loses)(void) {
  BEGIN();
  CHECK(sf_operation_connect(&operation, &address) == 0);
  struct sf_arm arms[] = {sf_on_operation(&operation), sf_on_timeout(sf_after(0))};
  CHECK(sf_select(arms, 2) == 1);
  sf_handle_t accepted = sf_tcp_accept(listener, NULL);
  CHECK(accepted >= 0);
  sf_handle_t connected = sf_operation_wait(&operation);
  CHECK(connected >= 0);
  CHECK(sf_close(accepted) == 0 && sf_close(connected) == 0);
  /* An error is a result like another. */
  CHECK(sf_close(listener) == 0);
  CHECK(sf_operation_connect(&operation, &address) == 0);
  CHECK(sf_operation_wait(&operation) == -SF_ECONNREFUSED);
  CHECK(sf_operation_try(&operation) == -SF_ECONNREFUSED);
  CHECK(sf_close(near) == 0 && sf_close(far) == 0);
  return 0;
}

#define BULK (4 << 20)
static uint8_t bulk[BULK], bulk_read[BULK];

static int32_t read_bulk_task(void *unused) {
  (void)unused;
  return sf_read_full(far, bulk_read, BULK);
}

/* More than the buffers between the two hold: each write waits for its reader. */
LAW(write_that_loses)(void) {
  sf_task_t task;
  BEGIN();
  for (int32_t i = 0; i < BULK; i++) bulk[i] = (uint8_t)(i * 7 + (i >> 10));
  uint32_t done = 0;
  CHECK(sf_operation_write(&operation, near, bulk, BULK) == 0);
  struct sf_arm arms[] = {sf_on_operation(&operation), sf_on_timeout(sf_after(0))};
  CHECK(sf_select(arms, 2) >= 0);
  CHECK(sf_spawn(read_bulk_task, NULL, NULL, &task) == 0);
  for (;;) {
    int32_t count = sf_operation_wait(&operation);
    CHECK(count > 0);
    done += (uint32_t)count;
    if (done == BULK) break;
    CHECK(sf_operation_write(&operation, near, bulk + done, BULK - done) == 0);
    CHECK(sf_operation_wait_timeout(&operation, sf_after(0)) != -SF_ECANCELED);
  }
  CHECK_JOIN(task, BULK);
  CHECK(memcmp(bulk, bulk_read, BULK) == 0);
  END();
}

/* ── Cancel ────────────────────────────────────────────────────────────────────────────────────── */

LAW(cancel)(void) {
  char byte = 0;
  BEGIN();
  sf_operation_cancel_request(&operation); /* Not started. */
  for (int32_t round = 0; round < 10; round++) {
    CHECK(sf_operation_read(&operation, near, &byte, 1) == 0);
    if (round % 2) LOSE(&operation, 0);
    sf_operation_cancel_request(&operation);
    sf_operation_cancel_request(&operation);
    CHECK(sf_operation_cancel(&operation) == -SF_ECANCELED);
    CHECK(sf_operation_try(&operation) == -SF_ECANCELED);
    sf_operation_cancel_request(&operation); /* Over. */
    /* Nothing was taken: it is there for the next read. */
    CHECK(sf_write_all(far, "y", 1) == 0);
    byte = 0;
    CHECK(sf_read(near, &byte, 1) == 1 && byte == 'y');
  }
  /* Not a cancel point. */
  CHECK(sf_operation_read(&operation, near, &byte, 1) == 0);
  CHECK(sf_cancel(sf_self()) == 0);
  CHECK(sf_operation_cancel(&operation) == -SF_ECANCELED);
  CHECK(sf_checkpoint() == -SF_ECANCELED);
  /* Accepts too, and what comes afterwards is the next one's. */
  CHECK(sf_operation_accept(&operation, listener, NULL) == 0);
  LOSE(&operation, 0);
  CHECK(sf_operation_cancel(&operation) == -SF_ECANCELED);
  sf_handle_t connected, accepted;
  sf_task_t task;
  CHECK(sf_spawn(connect_task, &connected, NULL, &task) == 0);
  CHECK((accepted = sf_tcp_accept(listener, NULL)) >= 0);
  CHECK_JOIN(task, 0);
  CHECK(sf_close(accepted) == 0 && sf_close(connected) == 0);
  END();
}

/* A cancel races the data: either it was canceled and the byte is still there, or it was read. */
LAW(cancel_races_data)(void) {
  BEGIN();
  for (int32_t round = 0; round < 100; round++) {
    char byte = 0, sent = (char)('a' + round % 26);
    CHECK(sf_operation_read(&operation, near, &byte, 1) == 0);
    CHECK(sf_write_all(far, &sent, 1) == 0);
    for (int32_t i = 0; i < round % 4; i++) CHECK(sf_yield() == 0);
    int32_t result = sf_operation_cancel(&operation);
    CHECK(result == 1 || result == -SF_ECANCELED);
    if (result < 0) CHECK(sf_read(near, &byte, 1) == 1);
    CHECK(byte == sent);
  }
  END();
}

static int32_t wait_task(void *timeout) {
  return timeout == NULL ? sf_operation_wait(&operation)
                         : sf_operation_wait_timeout(&operation, sf_after(SF_MILLISECOND));
}

/* A wait that is ended does not end the operation; all that wait have its result. */
LAW(waits_end_alone)(void) {
  char byte = 0;
  sf_task_t tasks[4];
  BEGIN();
  CHECK(sf_operation_read(&operation, near, &byte, 1) == 0);
  for (int32_t i = 0; i < 4; i++)
    CHECK(sf_spawn(wait_task, (void *)(i == 1), NULL, &tasks[i]) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_cancel(tasks[0]) == 0);
  CHECK_JOIN(tasks[0], -SF_ECANCELED);
  CHECK_JOIN(tasks[1], -SF_ETIMEDOUT);
  CHECK(sf_operation_try(&operation) == -SF_EAGAIN);
  CHECK(sf_write_all(far, "z", 1) == 0);
  CHECK_JOIN(tasks[2], 1);
  CHECK_JOIN(tasks[3], 1);
  CHECK(byte == 'z');
  END();
}

/* ── The task that started it ends ─────────────────────────────────────────────────────────────── */

static int32_t leave_task(void *how) {
  char bytes[64];
  struct sf_operation own;
  static struct sf_operation elsewhere;
  static struct sf_iovec vectors[2];
  if ((int32_t)how & 2) {
    /* All but the buffers lies elsewhere. */
    vectors[0] = (struct sf_iovec){bytes, 32};
    vectors[1] = (struct sf_iovec){bytes + 32, 32};
    elsewhere.request = (struct sf_submission){.op = SF_OP_READV,
                                               .handle = near,
                                               .pointer = (uint32_t)(uintptr_t)vectors,
                                               .length = 2,
                                               .offset = -1};
    CHECK(sf_operation_start(&elsewhere) == 0);
  } else {
    CHECK(sf_operation_read(&own, near, bytes, sizeof(bytes)) == 0);
  }
  if ((int32_t)how & 4) sf_yield();
  if ((int32_t)how & 1) __builtin_trap();
  return 42;
}

/* Its stack stays until the operation is over: nobody else's is written to, whenever the data comes.
 * `how`: 1 it traps, 2 only its buffers are on the stack, 4 the host has taken it by then. */
LAW(task_ends)(int32_t how) {
  BEGIN();
  struct sf_spawn_options options = {.stack_bytes = 2048};
  for (int32_t round = 0; round < 30; round++) {
    sf_task_t task, patterns[3];
    CHECK(sf_spawn(leave_task, (void *)how, &options, &task) == 0);
    if (round % 3) CHECK(sf_write_all(far, "0123456789", 10) == 0);
    for (int32_t i = 0; i < 3; i++)
      CHECK(sf_spawn(stack_stays_task, (void *)(round + i), &options, &patterns[i]) == 0);
    if (round % 3 == 0) CHECK(sf_write_all(far, "0123456789", 10) == 0);
    int32_t result;
    CHECK(sf_join(task, &result) == (how & 1 ? -SF_ENOTRECOVERABLE : 0));
    CHECK(how & 1 || result == 42);
    for (int32_t i = 0; i < 3; i++) CHECK_JOIN(patterns[i], 0);
  }
  END();
}

static int32_t leave_static_task(void *buffer) {
  return sf_operation_read(&operation, near, buffer, 1);
}

/* Nothing of it is on the stack: it belongs to the task all the same. */
LAW(task_ends_elsewhere)(void) {
  static char byte;
  sf_task_t task;
  BEGIN();
  CHECK(sf_spawn(leave_static_task, &byte, NULL, &task) == 0);
  CHECK_JOIN(task, 0);
  CHECK(sf_operation_try(&operation) == -SF_ECANCELED);
  CHECK(sf_write_all(far, "q", 1) == 0);
  CHECK(sf_read(near, &byte, 1) == 1 && byte == 'q');
  END();
}

static int32_t never_ends_task(void *unused) {
  char byte;
  struct sf_operation own;
  (void)unused;
  CHECK(sf_operation_read(&own, near, &byte, 1) == 0);
  return sf_operation_wait(&own);
}

/* Canceled, it ends its wait and then itself; its operation ends before anybody learns of that. */
LAW(task_canceled)(void) {
  sf_task_t task;
  BEGIN();
  CHECK(sf_spawn(never_ends_task, NULL, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_cancel(task) == 0);
  CHECK_JOIN(task, -SF_ECANCELED);
  END();
}

/* ── Errors ────────────────────────────────────────────────────────────────────────────────────── */

LAW(errors)(void) {
  char byte = 0;
  struct sf_operation fresh;
  BEGIN();
  memset(&fresh, 0, sizeof(fresh));
  CHECK(sf_operation_wait(&fresh) == -SF_EINVAL);
  CHECK(sf_operation_try(&fresh) == -SF_EINVAL);
  memset(&fresh, 0xaa, sizeof(fresh)); /* Whatever lay there. */
  CHECK(sf_operation_wait(&fresh) == -SF_EINVAL);
  CHECK(sf_operation_try(&fresh) == -SF_EINVAL);
  sf_operation_cancel_request(&fresh);
  struct sf_arm arm = sf_on_operation(&fresh);
  CHECK(sf_select(&arm, 1) == 0 && arm.waiter.result == -SF_EINVAL);
  CHECK(sf_operation_read(&fresh, near, &byte, 1) == 0);
  CHECK(sf_operation_start(&fresh) == -SF_EALREADY);
  LOSE(&fresh, 0);
  CHECK(sf_operation_start(&fresh) == -SF_EALREADY);
  CHECK(sf_operation_cancel(&fresh) == -SF_ECANCELED);
  fresh.request.op = SF_OP_CANCEL;
  CHECK(sf_operation_start(&fresh) == -SF_EINVAL);
  fresh.request.op = 999;
  CHECK(sf_operation_start(&fresh) == 0);
  CHECK(sf_operation_wait(&fresh) < 0);
  CHECK(sf_operation_read(&fresh, 12345, &byte, 1) == 0);
  CHECK(sf_operation_wait(&fresh) == -SF_EBADF);
  CHECK(sf_operation_read(&fresh, near, (void *)0xfffffff0, 64) == 0);
  CHECK(sf_operation_wait(&fresh) == -SF_EFAULT);
  /* A close ends it. */
  CHECK(sf_operation_read(&fresh, near, &byte, 1) == 0);
  LOSE(&fresh, 0);
  CHECK(sf_close(near) == 0);
  CHECK(sf_operation_wait(&fresh) == -SF_EBADF);
  CHECK(sf_close(far) == 0 && sf_close(listener) == 0);
  return 0;
}

/* ── The ring ──────────────────────────────────────────────────────────────────────────────────── */

#define MANY 9000

static struct sf_operation many[MANY];
static struct sf_address addresses[MANY];

static int32_t start_many(int32_t index) {
  many[index].request = (struct sf_submission){.op = SF_OP_LOCAL_ADDRESS,
                                               .handle = listener,
                                               .pointer = (uint32_t)(uintptr_t)&addresses[index]};
  return sf_operation_start(&many[index]);
}

LAW(ring_full)(void) {
  int32_t refused = 0, first_refused = MANY;
  BEGIN();
  for (int32_t i = 0; i < MANY; i++) {
    int32_t result;
    while ((result = start_many(i)) == -SF_EAGAIN) {
      if (refused++ == 0) first_refused = i;
      CHECK(sf_yield() == 0);
    }
    CHECK(result == 0);
  }
  CHECK(first_refused < MANY && first_refused > 16);
  for (int32_t i = 0; i < MANY; i++) {
    CHECK(sf_operation_wait(&many[i]) == 0);
    CHECK(addresses[i].port == address.port);
  }
  END();
}

/* A cancel that finds no room is sent when there is some. */
LAW(ring_full_cancel)(void) {
  char byte = 0;
  int32_t count = 0;
  BEGIN();
  CHECK(sf_operation_read(&operation, near, &byte, 1) == 0);
  LOSE(&operation, 0);
  while (start_many(count) == 0) count++;
  CHECK(count < MANY);
  sf_operation_cancel_request(&operation);
  CHECK(sf_operation_wait_timeout(&operation, sf_after(LONG)) == -SF_ECANCELED);
  for (int32_t i = 0; i < count; i++) CHECK(sf_operation_wait(&many[i]) == 0);
  END();
}

static int32_t leave_full_task(void *count) {
  char byte;
  struct sf_operation own;
  CHECK(sf_operation_read(&own, near, &byte, 1) == 0);
  sf_yield();
  while (start_many(*(int32_t *)count) == 0) ++*(int32_t *)count;
  return 7;
}

/* The same when the task ends. Those that filled the ring are its own too. */
LAW(ring_full_end)(void) {
  int32_t count = 0;
  sf_task_t task;
  BEGIN();
  CHECK(sf_spawn(leave_full_task, &count, NULL, &task) == 0);
  CHECK_JOIN(task, 7);
  for (int32_t i = 0; i < count; i++) CHECK(sf_operation_try(&many[i]) != -SF_EAGAIN);
  END();
}
