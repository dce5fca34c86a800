/* moving.c - handles that go from one executor to another. */
#include "law.h"

__attribute__((import_module("env"), import_name("act"))) int32_t host_act(int32_t what);

static struct sf_shared_channel attached(uint32_t id) {
  struct sf_shared_channel channel;
  if (sf_shared_channel_attach(&channel, id) < 0) __builtin_trap();
  return channel;
}

/* Releases a handle and sends its token. */
static int32_t give(sf_handle_t handle, const struct sf_shared_channel *to) {
  struct sf_handle_token token;
  int32_t error = sf_handle_release(handle, &token);
  return error < 0 ? error : sf_shared_channel_send(to, &token);
}

/* Receives a token and adopts it. */
static sf_handle_t take(const struct sf_shared_channel *from) {
  struct sf_handle_token token;
  int32_t error = sf_shared_channel_receive(from, &token);
  return error < 0 ? error : sf_handle_adopt(&token);
}

/* Listens on `port`, 0: any; sends the port, and the token of each connection, until it is canceled. */
int32_t EXPORT(accept_for)(uint32_t ready_id, uint32_t tokens_id) {
  struct sf_shared_channel ready = attached(ready_id), tokens = attached(tokens_id);
  struct sf_address address;
  if (sf_address_parse("127.0.0.1", 9, 0, &address) < 0) return __LINE__;
  const sf_handle_t listener = sf_tcp_listen(&address, 64);
  if (listener < 0) return listener;
  sf_local_address(listener, &address);
  const int32_t port = address.port;
  sf_shared_channel_send(&ready, &port);
  for (;;) {
    const sf_handle_t connection = sf_tcp_accept(listener, NULL);
    if (connection < 0) break;
    if (give(connection, &tokens) < 0) sf_close(connection);
  }
  sf_close(listener);
  return 0;
}

/* Answers a byte of each connection whose token comes with this executor's number, until the channel is closed. */
int32_t EXPORT(answer)(uint32_t tokens_id) {
  struct sf_shared_channel tokens = attached(tokens_id);
  for (int32_t answered = 0;; answered++) {
    uint8_t byte;
    const sf_handle_t connection = take(&tokens);
    if (connection < 0) return connection == -SF_EPIPE ? answered : connection;
    if (sf_read(connection, &byte, 1) == 1) {
      byte = (uint8_t)sf_executor_current();
      sf_write_all(connection, &byte, 1);
    }
    sf_close(connection);
  }
}

/* Sends a pipe's end back and forth `times` times, a byte of a pattern through it each time. */
int32_t EXPORT(there_and_back)(uint32_t there_id, uint32_t back_id, int32_t times) {
  struct sf_shared_channel there = attached(there_id), back = attached(back_id);
  sf_handle_t pair[2];
  if (sf_socket_pair(SF_SOCKET_STREAM, pair) < 0) return __LINE__;
  for (int32_t i = 0; i < times; i++) {
    uint8_t byte = (uint8_t)(i * 7);
    if (sf_write(pair[0], &byte, 1) != 1) return __LINE__;
    if (give(pair[1], &there) < 0) return __LINE__;
    pair[1] = take(&back);
    if (pair[1] < 0) return pair[1];
    if (sf_read(pair[0], &byte, 1) != 1 || byte != (uint8_t)(i * 7 + 1)) return __LINE__;
  }
  sf_shared_channel_close(&there);
  return sf_close(pair[0]) < 0 || sf_close(pair[1]) < 0 ? __LINE__ : 0;
}
int32_t EXPORT(send_back)(uint32_t there_id, uint32_t back_id) {
  struct sf_shared_channel there = attached(there_id), back = attached(back_id);
  for (int32_t moved = 0;; moved++) {
    uint8_t byte;
    const sf_handle_t handle = take(&there);
    if (handle < 0) return handle == -SF_EPIPE ? moved : handle;
    if (sf_read(handle, &byte, 1) != 1) return -1;
    byte++;
    if (sf_write(handle, &byte, 1) != 1) return -1;
    if (give(handle, &back) < 0) return -1;
  }
}

/* In the argument of a task. */
struct errand {
  struct sf_handle_token token;
  uint32_t done;
};
static int32_t run_errand(void *argument) {
  struct errand errand = *(struct errand *)argument;
  struct sf_shared_channel done = attached(errand.done);
  const sf_handle_t handle = sf_handle_adopt(&errand.token);
  const uint8_t self = (uint8_t)sf_executor_current();
  int32_t error = handle < 0 ? handle : sf_write(handle, &self, 1);
  sf_close(handle);
  return sf_shared_channel_send(&done, &error);
}
/* Has a task on another executor write its number into a pipe. Returns what came out. */
int32_t EXPORT(errand_to)(int32_t executor, uint32_t done_id) {
  struct sf_shared_channel done = attached(done_id);
  struct errand errand = {.done = done_id};
  sf_handle_t pipe[2];
  uint8_t byte;
  int32_t error;
  if (sf_pipe(pipe) < 0 || sf_handle_release(pipe[1], &errand.token) < 0) return -1;
  if (sf_executor_spawn(executor, run_errand, &errand, sizeof errand) < 0) return -1;
  if (sf_shared_channel_receive(&done, &error) < 0 || error != 1) return error;
  error = sf_read(pipe[0], &byte, 1);
  sf_close(pipe[0]);
  return error == 1 ? byte : -1;
}

/* Reads to the end of what comes; says so once it has it. */
int32_t EXPORT(read_to_end)(uint32_t tokens_id, uint32_t adopted_id) {
  struct sf_shared_channel tokens = attached(tokens_id), adopted = attached(adopted_id);
  uint8_t bytes[16];
  const sf_handle_t handle = take(&tokens);
  if (handle < 0) return handle;
  sf_shared_channel_try_send(&adopted, &handle);
  int32_t total = 0, count;
  while ((count = sf_read(handle, bytes, sizeof bytes)) > 0) total += count;
  sf_close(handle);
  return count < 0 ? count : total;
}

/* Gives one end of a pair away; the other becomes a token that nobody gets, and is not adopted. Then does in
 * the host what `what` says, and parks. */
int32_t EXPORT(give_then_act)(uint32_t tokens_id, int32_t what) {
  struct sf_shared_channel tokens = attached(tokens_id);
  struct sf_handle_token lost;
  sf_handle_t pair[2];
  if (sf_socket_pair(SF_SOCKET_STREAM, pair) < 0) return __LINE__;
  if (sf_write(pair[0], "bytes", 5) != 5) return __LINE__;
  if (give(pair[1], &tokens) < 0 || sf_handle_release(pair[0], &lost) < 0) return __LINE__;
  host_act(what);
  return sf_park();
}

/* As sf_handle_adopt, of a token that comes. */
int32_t EXPORT(adopt)(uint32_t tokens_id) {
  struct sf_shared_channel tokens = attached(tokens_id);
  return take(&tokens);
}
/* One end of a new pair, or the error: what was written to it waits there. */
int32_t EXPORT(one_end)(void) {
  sf_handle_t pair[2];
  int32_t error = sf_socket_pair(SF_SOCKET_STREAM, pair);
  if (error < 0) return error;
  if (sf_write(pair[0], "bytes", 5) != 5) return __LINE__;
  sf_close(pair[0]);
  return pair[1];
}
int32_t EXPORT(read_all)(sf_handle_t handle) {
  uint8_t bytes[16];
  int32_t total = 0, count;
  while ((count = sf_read(handle, bytes, sizeof bytes)) > 0) total += count;
  sf_close(handle);
  return count < 0 ? count : total;
}
int32_t EXPORT(wait_for)(sf_handle_t handle) {
  uint8_t byte;
  return sf_read(handle, &byte, 1);
}
/* An end that nothing comes to. */
int32_t EXPORT(silent_end)(void) {
  sf_handle_t pair[2];
  return sf_socket_pair(SF_SOCKET_STREAM, pair) < 0 ? -1 : pair[1];
}
/* As sf_handle_release; on any backend. */
int32_t EXPORT(release_one)(void) {
  struct sf_handle_token token;
  struct sf_address address;
  sf_address_parse("127.0.0.1", 9, 0, &address);
  const sf_handle_t listener = sf_tcp_listen(&address, 4);
  const int32_t error = sf_handle_release(listener, &token);
  sf_close(listener);
  return error;
}
