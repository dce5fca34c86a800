/* hostile.c - guests that run out of stack, trap, or write where they should not. */
#include "law.h"

__attribute__((import_module("env"), import_name("wait"))) int32_t host_wait(int32_t value);

static volatile int32_t sink;

int32_t EXPORT(add)(int32_t a, int32_t b) { return sf_yield() + a + b; }

/* ── Recursion ─────────────────────────────────────────────────────────────────────────────────── */

NOINLINE static int32_t endless_frames_inner(int32_t depth) {
  sink = depth;
  return endless_frames_inner(depth + 1) + sink;
}
int32_t EXPORT(endless_frames)(void) { return endless_frames_inner(0); }

NOINLINE static int32_t endless_stack_inner(int32_t depth) {
  volatile char array[64];
  array[depth & 63] = 1;
  return endless_stack_inner(depth + 1) + array[(depth + 1) & 63];
}
int32_t EXPORT(endless_stack)(void) { return endless_stack_inner(0); }

NOINLINE static int32_t stack_user_inner(int32_t depth, int32_t bytes) {
  volatile char array[bytes];
  memset((char *)array, 0xab, (size_t)bytes);
  if (depth != 0) stack_user_inner(depth - 1, bytes);
  return array[0];
}
int32_t EXPORT(stack_user)(int32_t depth, int32_t bytes) {
  sf_yield();
  return stack_user_inner(depth, bytes);
}

/* Saves frames at the bottom of a recursion that needs no C stack. How it parks: 0 yield, 1 sleep,
 * 2 park, 3 receive, 4 join, 5 an operation, 6 a host promise. */
static int32_t park_somehow(int32_t how) {
  static struct sf_channel channel;
  int32_t item = 0;
  sf_task_t task = 0;
  switch (how) {
    case 0: return sf_yield();
    case 1: return sf_sleep(SF_MILLISECOND);
    case 2: return sf_park();
    case 3:
      sf_channel_init(&channel, NULL, 0, 4);
      return sf_channel_receive(&channel, &item);
    case 4: return sf_join(task, NULL);
    case 5: return sf_close(12345);
    default: return host_wait(0);
  }
}
NOINLINE static int32_t deep_inner(int32_t depth, int32_t how) {
  if (depth == 0) return park_somehow(how);
  int32_t result = deep_inner(depth - 1, how) + 1;
  sink = result; /* else the compiler makes a loop of it */
  return result;
}
int32_t EXPORT(deep)(int32_t depth, int32_t how) { return deep_inner(depth, how); }

int32_t EXPORT(huge_alloca)(uint32_t bytes) {
  volatile char *array = __builtin_alloca(bytes);
  array[0] = 1;
  array[bytes - 1] = 2;
  sf_yield();
  return array[0];
}

/* LLVM does not move the stack pointer for what a function that calls no other has on its stack. */
NOINLINE static int32_t leaf_array_inner(int32_t bytes) {
  volatile char array[bytes];
  for (int32_t i = bytes - 1; i >= 0; i--) array[i] = (char)0xab;
  return array[bytes / 2];
}
int32_t EXPORT(leaf_array)(int32_t bytes) {
  sf_yield();
  return leaf_array_inner(bytes);
}

/* Fills `bytes` of its C stack, waits to be canceled, and looks whether they are still the same. */
int32_t EXPORT(hold)(int32_t bytes) {
  volatile uint8_t array[bytes];
  uint32_t tag = (uint32_t)sf_self();
  for (int32_t i = 0; i < bytes; i++) array[i] = (uint8_t)(tag / 16 + (uint32_t)i * 7);
  while (sf_sleep(1000 * SF_SECOND) != -SF_ECANCELED) {
  }
  for (int32_t i = 0; i < bytes; i++)
    if (array[i] != (uint8_t)(tag / 16 + (uint32_t)i * 7)) return -1 - i;
  return 0;
}

/* ── Traps ─────────────────────────────────────────────────────────────────────────────────────── */

NOINLINE static void trap_inner(int32_t kind) {
  volatile int32_t zero = 0;
  switch (kind) {
    case 0: __builtin_trap();
    case 1: sink = sink / zero; break;
    case 2: sink = *(volatile int32_t *)0xfffffff0u; break;
    case 3: *(volatile int32_t *)0xfffffffcu = 1; break;
    case 4: ((void (*)(void))(intptr_t)(zero + 60000))(); break;
    case 5: ((int64_t(*)(int64_t, double))(intptr_t)(zero + 1))(1, 2); break;
    case 6: sink = (int32_t)(0x80000000u | (uint32_t)zero) / (zero - 1); break;
  }
}
int32_t EXPORT(trap)(int32_t kind) {
  sf_yield();
  trap_inner(kind);
  return 0;
}

/* ── Spawn bombs ───────────────────────────────────────────────────────────────────────────────── */

/* Set at the limit: whoever goes on past it would be replaced as fast as it is canceled. */
static int32_t bomb_over;
static int32_t bomb_task(void *unused) {
  (void)unused;
  while (!bomb_over && spawn_small(bomb_task, NULL, NULL) == 0)
    if (sf_yield() < 0) return 0;
  sf_sleep(1000 * SF_SECOND);
  return 0;
}
int32_t EXPORT(spawn_bomb)(void) {
  int32_t error;
  while ((error = spawn_small(bomb_task, NULL, NULL)) == 0)
    if (sf_yield() < 0) break;
  bomb_over = 1;
  return error;
}

/* ── Writing where it should not ───────────────────────────────────────────────────────────────── */

uint32_t EXPORT(self)(void) { return (uint32_t)sf_self(); }
int32_t EXPORT(park)(void) { return sf_park(); }
int32_t EXPORT(wait)(void) { return host_wait(1); }

static uint32_t pokes[4096]; /* bytes << 28 | ..., see poke */
uint32_t *EXPORT(pokes_address)(void) { return pokes; }

/* pokes: address, value, width in bytes (1 or 4), times; address 0xffffffff: the task's own block. */
static void poke_all(int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    uint32_t *poke = pokes + 4 * i;
    uint32_t address = poke[0];
    if (address >= 0xffffff00u) address = (uint32_t)sf_self() + (address - 0xffffff00u);
    for (uint32_t j = 0; j < poke[3]; j++) {
      if (poke[2] == 1)
        *(volatile uint8_t *)(address + j) = (uint8_t)poke[1];
      else
        *(volatile uint32_t *)(address + 4 * j) = poke[1];
    }
  }
}

/* Then: 0 returns, 1 yields, 2 traps, 3 parks, 4 calls a host import that waits, 5 does an operation,
 * 6 runs out of C stack. */
int32_t EXPORT(poke)(int32_t count, int32_t then) {
  poke_all(count);
  switch (then) {
    case 1: return sf_yield();
    case 2: __builtin_trap();
    case 3: return sf_park();
    case 4: return host_wait(1);
    case 5: return sf_close(77);
    case 6: return endless_stack_inner(0);
  }
  return 0;
}

/* ── Wild pointers ─────────────────────────────────────────────────────────────────────────────── */

#define WILD ((void *)0xfffffff0u)

static struct sf_channel channel;

int32_t EXPORT(join_wild)(void) {
  extern int32_t yield_task(void *);
  sf_task_t task;
  if (sf_spawn(yield_task, (void *)7, NULL, &task) != 0) return -1;
  return sf_join(task, WILD);
}
int32_t yield_task(void *value) {
  sf_yield();
  return (int32_t)value;
}
int32_t EXPORT(spawn_wild_out)(void) { return sf_spawn(yield_task, NULL, NULL, WILD); }
int32_t EXPORT(spawn_wild_name)(void) {
  return sf_spawn(yield_task, NULL, &(struct sf_spawn_options){.name = WILD}, NULL);
}
int32_t EXPORT(spawn_wild_options)(void) { return sf_spawn(yield_task, NULL, WILD, NULL); }
int32_t EXPORT(spawn_wild_entry)(void) {
  sf_task_t task;
  if (sf_spawn((sf_entry_fn)0x0fffffff, NULL, NULL, &task) != 0) return -1;
  return sf_join(task, NULL);
}
int32_t EXPORT(wild_channel)(void) { return sf_channel_receive(WILD, WILD); }
int32_t EXPORT(wild_channel_close)(void) {
  sf_channel_close(WILD, 1);
  return 0;
}
int32_t EXPORT(receive_wild)(void) {
  sf_channel_init(&channel, NULL, 0, 4);
  return sf_channel_receive(&channel, WILD);
}
int32_t EXPORT(send_once)(int32_t value) { return sf_channel_try_send(&channel, &value); }

/* ── Operations with rubbish ───────────────────────────────────────────────────────────────────── */

static int32_t connect_pair(int32_t *listener, int32_t *client, int32_t *server);

static struct sf_address bound;
static int32_t connect_task(void *client) {
  *(int32_t *)client = sf_tcp_connect(&bound);
  return 0;
}
static int32_t connect_pair(int32_t *listener, int32_t *client, int32_t *server) {
  struct sf_address address;
  CHECK(sf_address_parse("127.0.0.1", 9, 0, &address) == 0);
  *listener = sf_tcp_listen(&address, 8);
  CHECK(*listener >= 0);
  CHECK(sf_local_address(*listener, &bound) == 0);
  sf_task_t task;
  CHECK(sf_spawn(connect_task, client, NULL, &task) == 0);
  *server = sf_tcp_accept(*listener, NULL);
  CHECK(sf_join(task, NULL) == 0);
  CHECK(*server >= 0 && *client >= 0);
  return 0;
}

/* Not every backend has these operations. */
static int32_t is_nothing(int32_t result) { return result == -SF_EBADF || result == -SF_ENOSYS; }

LAW(forged_handles)(int32_t seed_given) {
  sf_handle_t passed;
  uint32_t seed = (uint32_t)seed_given;
  char buffer[16];
  struct sf_address address;
  struct sf_iovec vector = {buffer, 16};
  for (int32_t i = 0; i < 300; i++) {
    int32_t handle = (int32_t)(random_next(&seed) << 20 ^ random_next(&seed));
    if (i < 8) handle = i - 4;
    CHECK(sf_read(handle, buffer, 16) == -SF_EBADF);
    CHECK(sf_write(handle, buffer, 16) == -SF_EBADF);
    CHECK(sf_readv(handle, &vector, 1) == -SF_EBADF);
    CHECK(sf_writev(handle, &vector, 1) == -SF_EBADF);
    CHECK(sf_tcp_accept(handle, &address) == -SF_EBADF);
    CHECK(sf_shutdown(handle, SF_SHUTDOWN_BOTH) == -SF_EBADF);
    CHECK(sf_close(handle) == -SF_EBADF);
    CHECK(sf_pread(handle, buffer, 16, 0) == -SF_EBADF);
    CHECK(sf_pwrite(handle, buffer, 16, 0) == -SF_EBADF);
    CHECK(sf_fsync(handle) == -SF_EBADF);
    CHECK(sf_local_address(handle, &address) == -SF_EBADF);
    CHECK(sf_peer_address(handle, &address) == -SF_EBADF);
    CHECK(sf_send_to(handle, buffer, 16, &address) == -SF_EBADF);
    CHECK(sf_receive_from(handle, buffer, 16, &address) == -SF_EBADF);
    CHECK(is_nothing(sf_poll(handle, SF_POLL_READABLE)));
    CHECK(is_nothing(sf_unix_send_to(handle, buffer, 16, "/socket", 7)));
    CHECK(is_nothing(sf_send_handle(handle, buffer, 16, handle)));
    CHECK(is_nothing(sf_receive_handle(handle, buffer, 16, &passed)));
    CHECK(is_nothing(sf_terminal_mode(handle, SF_TERMINAL_RAW)));
  }
  return 0;
}

LAW(wild_pointers)(void) {
  int32_t listener, client, server, line = connect_pair(&listener, &client, &server);
  if (line != 0) return line;
  CHECK(sf_write(client, "hello", 5) == 5);
  CHECK(sf_read(server, WILD, 100) == -SF_EFAULT);
  CHECK(sf_read(server, (void *)16, 0xffffffff) == -SF_EFAULT);
  CHECK(sf_write(client, WILD, 100) == -SF_EFAULT);
  CHECK(sf_write(client, (void *)16, 0xfffffff0) == -SF_EFAULT);
  CHECK(sf_readv(server, WILD, 2) == -SF_EFAULT);
  CHECK(sf_readv(server, (void *)16, 65) == -SF_EINVAL);
  struct sf_iovec vectors[2] = {{bound.bytes, 4}, {WILD, 100}};
  CHECK(sf_readv(server, vectors, 2) == -SF_EFAULT);
  CHECK(sf_writev(client, vectors, 2) == -SF_EFAULT);
  CHECK(sf_local_address(client, WILD) == -SF_EFAULT);
  CHECK(sf_peer_address(client, WILD) == -SF_EFAULT);
  CHECK(sf_tcp_connect(WILD) == -SF_EFAULT);
  CHECK(sf_tcp_listen(WILD, 1) == -SF_EFAULT);
  CHECK(sf_udp_bind(WILD) == -SF_EFAULT);
  CHECK(sf_open(WILD, 10, SF_OPEN_READ, 0) == -SF_EFAULT);
  char buffer[8];
  CHECK(sf_read(server, buffer, 8) == 5 && memcmp(buffer, "hello", 5) == 0);
  CHECK(sf_close(client) == 0 && sf_close(server) == 0 && sf_close(listener) == 0);
  CHECK(sf_close(client) == -SF_EBADF);
  return 0;
}

struct reading {
  int32_t handle;
  char *buffer;
  int32_t result;
};
static int32_t read_task(void *argument) {
  struct reading *reading = argument;
  reading->result = sf_read(reading->handle, reading->buffer, 4096);
  return 0;
}

/* The buffers of reads in flight stay where they are while the memory grows. */
LAW(grow_under_reads)(void) {
  int32_t listener, client, server, line = connect_pair(&listener, &client, &server);
  if (line != 0) return line;
  for (int32_t round = 0; round < 6; round++) {
    struct reading reading = {.handle = server, .buffer = malloc(4096)};
    sf_task_t task, large;
    memset(reading.buffer, 0, 4096);
    CHECK(sf_spawn(read_task, &reading, NULL, &task) == 0);
    CHECK(sf_sleep(SF_MILLISECOND) == 0);
    /* A new region of the largest size grows the memory itself. */
    struct sf_spawn_options options = {.stack_bytes = 8 << 20};
    for (int32_t i = 0; i <= round; i++)
      CHECK(sf_spawn(yield_task, NULL, &options, i == round ? &large : NULL) == 0);
    CHECK(malloc(1 << 20) != NULL);
    char text[16] = "round ?";
    text[6] = (char)('0' + round);
    CHECK(sf_write(client, text, 7) == 7);
    CHECK(sf_join(task, NULL) == 0);
    CHECK(sf_join(large, NULL) == 0);
    CHECK(reading.result == 7 && memcmp(reading.buffer, text, 7) == 0);
  }
  CHECK(sf_close(client) == 0 && sf_close(server) == 0 && sf_close(listener) == 0);
  return 0;
}
