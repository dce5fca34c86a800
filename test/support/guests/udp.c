/* udp.c - laws of UDP between tasks, over loopback. */
#include "law.h"

struct socket {
  sf_handle_t handle;
  struct sf_address address;
};

static struct socket near, far;

static int32_t open_socket(struct socket *socket) {
  CHECK(sf_address_parse("127.0.0.1", 9, 0, &socket->address) == 0);
  CHECK((socket->handle = sf_udp_bind(&socket->address)) >= 0);
  CHECK(sf_local_address(socket->handle, &socket->address) == 0);
  CHECK(socket->address.port != 0);
  return 0;
}

static int32_t open_sockets(void) {
  CHECK_LINE(open_socket(&near));
  return open_socket(&far);
}

static int32_t close_sockets(void) {
  CHECK(sf_close(near.handle) == 0);
  CHECK(sf_close(far.handle) == 0);
  return 0;
}

#define BEGIN() CHECK_LINE(open_sockets())
#define END() return close_sockets()

static int32_t same(const struct sf_address *a, const struct sf_address *b) {
  return memcmp(a, b, sizeof(*a)) == 0;
}

/* ── Echo ──────────────────────────────────────────────────────────────────────────────────────── */

/* Answers until its socket is closed; a datagram that begins with '!' is heard and not answered. */
static int32_t echo_task(void *handle) {
  char datagram[2048];
  struct sf_address source;
  for (;;) {
    int32_t bytes = sf_receive_from((sf_handle_t)handle, datagram, sizeof(datagram), &source);
    if (bytes < 0) return bytes;
    if (bytes > 0 && datagram[0] == '!') continue;
    CHECK(sf_send_to((sf_handle_t)handle, datagram, (uint32_t)bytes, &source) == bytes);
  }
}

static int32_t client_task(void *tag) {
  struct socket own;
  char sent[512], received[512];
  uint32_t seed = (uint32_t)tag;
  CHECK_LINE(open_socket(&own));
  for (int32_t round = 0; round < 50; round++) {
    struct sf_address source;
    uint32_t bytes = random_next(&seed) % sizeof(sent);
    for (uint32_t i = 0; i < bytes; i++) sent[i] = (char)random_next(&seed);
    if (bytes > 0 && sent[0] == '!') sent[0] = '?';
    CHECK(sf_send_to(own.handle, sent, bytes, &far.address) == (int32_t)bytes);
    CHECK(sf_receive_from_timeout(own.handle, received, sizeof(received), &source,
                                  sf_after(LONG)) == (int32_t)bytes);
    CHECK(same(&source, &far.address));
    CHECK(memcmp(sent, received, bytes) == 0);
  }
  CHECK(sf_close(own.handle) == 0);
  return 0;
}

/* Each client gets its own answers, and the server ends when its socket does. */
LAW(echo)(int32_t clients) {
  sf_task_t server, tasks[16];
  BEGIN();
  CHECK(sf_spawn(echo_task, (void *)far.handle, NULL, &server) == 0);
  for (int32_t i = 0; i < clients; i++)
    CHECK(sf_spawn(client_task, (void *)(i + 1), NULL, &tasks[i]) == 0);
  for (int32_t i = 0; i < clients; i++) CHECK_JOIN(tasks[i], 0);
  CHECK(sf_close(far.handle) == 0);
  CHECK_JOIN(server, -SF_EBADF);
  CHECK(sf_close(near.handle) == 0);
  return 0;
}

/* A wait for an answer that does not come ends, and loses nothing of what comes later. */
LAW(timeout)(void) {
  sf_task_t server;
  char received[8];
  struct sf_address source;
  BEGIN();
  CHECK(sf_spawn(echo_task, (void *)far.handle, NULL, &server) == 0);
  for (int32_t round = 0; round < 20; round++) {
    char sent = (char)('a' + round);
    CHECK(sf_send_to(near.handle, "!", 1, &far.address) == 1);
    CHECK(sf_receive_from_timeout(near.handle, received, sizeof(received), &source,
                                  sf_after(100 * SF_MICROSECOND)) == -SF_ETIMEDOUT);
    CHECK(sf_send_to_timeout(near.handle, &sent, 1, &far.address, sf_after(LONG)) == 1);
    CHECK(sf_receive_from_timeout(near.handle, received, sizeof(received), &source,
                                  sf_after(LONG)) == 1);
    CHECK(received[0] == sent && same(&source, &far.address));
  }
  CHECK(sf_cancel(server) == 0);
  CHECK_JOIN(server, -SF_ECANCELED);
  END();
}

/* Datagrams that race the time of their receiver come late or in time, and none is lost. */
LAW(timeout_races_data)(void) {
  BEGIN();
  for (int32_t round = 0; round < 200; round++) {
    uint8_t byte = 0, sent = (uint8_t)round;
    CHECK(sf_send_to(far.handle, &sent, 1, &near.address) == 1);
    int32_t result = sf_receive_from_timeout(near.handle, &byte, 1, NULL, sf_after(round % 2));
    CHECK(result == 1 || result == -SF_ETIMEDOUT);
    if (result < 0) CHECK(sf_receive_from(near.handle, &byte, 1, NULL) == 1);
    CHECK(byte == sent);
  }
  END();
}

/* Any of two sockets: what loses the select still waits, and is served later. */
LAW(select_of_two)(void) {
  struct sf_operation operations[2];
  struct sf_address sources[2];
  char received[2][8];
  BEGIN();
  struct socket *sockets[] = {&near, &far};
  for (int32_t i = 0; i < 2; i++)
    CHECK(sf_operation_receive_from(&operations[i], sockets[i]->handle, received[i], 8,
                                    &sources[i]) == 0);
  for (int32_t round = 0; round < 40; round++) {
    int32_t to = round % 3 == 0;
    CHECK(sf_send_to(near.handle, "datagram", 8, &sockets[to]->address) == 8);
    struct sf_arm arms[] = {sf_on_operation(&operations[0]), sf_on_operation(&operations[1]),
                            sf_on_timeout(sf_after(LONG))};
    CHECK(sf_select(arms, 3) == to);
    CHECK(sf_operation_try(&operations[to]) == 8);
    CHECK(memcmp(received[to], "datagram", 8) == 0 && same(&sources[to], &near.address));
    CHECK(sf_operation_try(&operations[!to]) == -SF_EAGAIN);
    CHECK(sf_operation_receive_from(&operations[to], sockets[to]->handle, received[to], 8,
                                    &sources[to]) == 0);
  }
  for (int32_t i = 0; i < 2; i++) CHECK(sf_operation_cancel(&operations[i]) == -SF_ECANCELED);
  END();
}

/* A started send goes out without anybody who waits for it. */
LAW(started_send)(void) {
  struct sf_operation operation;
  char received[8];
  BEGIN();
  CHECK(sf_operation_send_to(&operation, near.handle, "started", 7, &far.address) == 0);
  CHECK(sf_receive_from(far.handle, received, 8, NULL) == 7);
  CHECK(memcmp(received, "started", 7) == 0);
  CHECK(sf_operation_wait(&operation) == 7);
  END();
}

/* ── Stacks and memory ─────────────────────────────────────────────────────────────────────────── */

/* By then the host has what was submitted before. */
static int32_t reach_host(void) {
  struct sf_address address;
  return sf_local_address(far.handle, &address);
}

/* Leaves a receive in flight whose buffer and source lie on its stack. */
static int32_t leave_task(void *how) {
  char datagram[256];
  struct sf_address source;
  struct sf_operation operation;
  CHECK(sf_operation_receive_from(&operation, near.handle, datagram, sizeof(datagram), &source) ==
        0);
  if ((int32_t)how & 2) CHECK(reach_host() == 0);
  CHECK(sf_yield() == 0);
  if ((int32_t)how & 1) __builtin_trap();
  return 42;
}

/* A task that ends takes its receive back before its stack is another's. */
LAW(receiver_ends)(int32_t how) {
  int32_t trap = how & 1;
  char sent[256];
  memset(sent, 0xee, sizeof(sent));
  BEGIN();
  for (int32_t round = 0; round < 20; round++) {
    sf_task_t leaving, patterns[4];
    int32_t result = 0;
    CHECK(sf_spawn(leave_task, (void *)how, NULL, &leaving) == 0);
    CHECK(sf_yield() == 0);
    CHECK(sf_send_to(far.handle, sent, sizeof(sent), &near.address) == sizeof(sent));
    CHECK(sf_join(leaving, &result) == (trap ? -SF_ENOTRECOVERABLE : 0));
    CHECK(trap || result == 42);
    for (int32_t i = 0; i < 4; i++)
      CHECK(sf_spawn(stack_stays_task, (void *)i, NULL, &patterns[i]) == 0);
    for (int32_t i = 0; i < 4; i++) CHECK_JOIN(patterns[i], 0);
    /* It went to the receive, or it is still there. */
    result = sf_receive_from_timeout(near.handle, sent, sizeof(sent), NULL,
                                     sf_after(SF_MILLISECOND));
    CHECK(result == sizeof(sent) || result == -SF_ETIMEDOUT);
  }
  END();
}

struct receiving {
  char *datagram;
  struct sf_address *source;
  int32_t result;
};

static int32_t receive_task(void *argument) {
  struct receiving *receiving = argument;
  receiving->result =
      sf_receive_from(near.handle, receiving->datagram, 4096, receiving->source);
  return 0;
}

static int32_t grow_task(void *unused) {
  (void)unused;
  return sf_yield();
}

/* Buffers of receives in flight stay where they are while the memory grows. */
LAW(grow_under_receives)(void) {
  BEGIN();
  for (int32_t round = 0; round < 6; round++) {
    struct receiving receiving = {.datagram = malloc(4096),
                                  .source = malloc(sizeof(struct sf_address))};
    sf_task_t task, large;
    CHECK(sf_spawn(receive_task, &receiving, NULL, &task) == 0);
    CHECK(sf_yield() == 0 && reach_host() == 0);
    /* A new region of the largest size grows the memory itself. */
    struct sf_spawn_options options = {.stack_bytes = 8 << 20};
    for (int32_t i = 0; i <= round; i++)
      CHECK(sf_spawn(grow_task, NULL, &options, i == round ? &large : NULL) == 0);
    CHECK(malloc(1 << 20) != NULL);
    char text[16] = "round ?";
    text[6] = (char)('0' + round);
    CHECK(sf_send_to(far.handle, text, 7, &near.address) == 7);
    CHECK_JOIN(task, 0);
    CHECK_JOIN(large, 0);
    CHECK(receiving.result == 7 && memcmp(receiving.datagram, text, 7) == 0);
    CHECK(same(receiving.source, &far.address));
  }
  END();
}
