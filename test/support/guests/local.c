/* local.c - laws of pipes, pairs and Unix sockets between tasks, in a directory that is granted as /data. */
#include "law.h"

#define SOCKET_PATH "/data/socket", sizeof("/data/socket") - 1
#define INBOX_PATH "/data/inbox", sizeof("/data/inbox") - 1
#define MUCH (256 * 1024)

static unsigned char sent[MUCH], received[MUCH];

static int32_t writer_task(void *handle) {
  int32_t result = sf_write_all((sf_handle_t)handle, sent, sizeof(sent));
  if (result < 0) return result;
  return sf_close((sf_handle_t)handle);
}

/* One task reads what another writes, which is more than is held in between. */
static int32_t stream(sf_handle_t from, sf_handle_t to) {
  sf_task_t writer;
  uint32_t seed = 7;
  for (uint32_t i = 0; i < MUCH; i++) sent[i] = (unsigned char)random_next(&seed);
  memset(received, 0, sizeof(received));
  CHECK(sf_spawn(writer_task, (void *)to, NULL, &writer) == 0);
  CHECK(sf_read_full(from, received, sizeof(received)) == MUCH);
  CHECK(memcmp(sent, received, MUCH) == 0);
  CHECK(sf_read(from, received, 1) == 0);
  CHECK_JOIN(writer, 0);
  CHECK(sf_close(from) == 0);
  return 0;
}

LAW(pipe_streams)(void) {
  sf_handle_t ends[2];
  CHECK(sf_pipe(ends) == 0);
  return stream(ends[0], ends[1]);
}

LAW(pair_streams)(void) {
  sf_handle_t pair[2];
  CHECK(sf_socket_pair(SF_SOCKET_STREAM, pair) == 0);
  return stream(pair[0], pair[1]);
}

LAW(unix_streams)(void) {
  sf_handle_t listener = sf_unix_listen(SOCKET_PATH, 4);
  CHECK(listener >= 0);
  sf_handle_t client = sf_unix_connect(SOCKET_PATH, SF_SOCKET_STREAM);
  CHECK(client >= 0);
  sf_handle_t server = sf_tcp_accept(listener, NULL);
  CHECK(server >= 0);
  CHECK_LINE(stream(server, client));
  CHECK(sf_close(listener) == 0);
  return 0;
}

LAW(pipe_times_out)(void) {
  sf_handle_t ends[2];
  char byte;
  CHECK(sf_pipe(ends) == 0);
  CHECK(sf_read_timeout(ends[0], &byte, 1, sf_after(SF_MILLISECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_write(ends[1], "x", 1) == 1);
  CHECK(sf_read(ends[0], &byte, 1) == 1 && byte == 'x');
  CHECK(sf_close(ends[0]) == 0 && sf_close(ends[1]) == 0);
  return 0;
}

LAW(datagrams)(void) {
  char buffer[16];
  struct sf_address source;
  sf_handle_t inbox = sf_unix_bind(INBOX_PATH), sender = sf_unix_bind(NULL, 0);
  CHECK(inbox >= 0 && sender >= 0);
  CHECK(sf_unix_send_to(sender, "hello", 5, INBOX_PATH) == 5);
  CHECK(sf_receive_from(inbox, buffer, sizeof(buffer), &source) == 5);
  CHECK(memcmp(buffer, "hello", 5) == 0 && source.family == 0);
  CHECK(sf_receive_from_timeout(inbox, buffer, sizeof(buffer), &source,
                                sf_after(SF_MILLISECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_close(inbox) == 0 && sf_close(sender) == 0);
  return 0;
}

LAW(handles_pass)(void) {
  sf_handle_t pair[2], ends[2], passed;
  char buffer[8];
  CHECK(sf_socket_pair(SF_SOCKET_STREAM, pair) == 0);
  CHECK(sf_pipe(ends) == 0);
  CHECK(sf_send_handle(pair[0], "take", 4, ends[1]) == 4);
  CHECK(sf_close(ends[1]) == 0);
  CHECK(sf_receive_handle(pair[1], buffer, sizeof(buffer), &passed) == 4);
  CHECK(passed > 0);
  CHECK(sf_poll(passed, SF_POLL_WRITABLE) == SF_POLL_WRITABLE);
  CHECK(sf_poll_timeout(ends[0], SF_POLL_READABLE, sf_after(SF_MILLISECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_write(passed, "x", 1) == 1);
  CHECK(sf_poll(ends[0], SF_POLL_READABLE) == SF_POLL_READABLE);
  CHECK(sf_close(passed) == 0 && sf_close(ends[0]) == 0);
  CHECK(sf_close(pair[0]) == 0 && sf_close(pair[1]) == 0);
  return 0;
}
