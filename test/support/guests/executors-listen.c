/* executors-listen.c - a server that listens on the same port on every executor. */
#include "law.h"

/* Answers each connection with this executor's number, until it is canceled. Sends the port that it listens
 * on to the channel `ready_id`; port 0: any. Returns the error of listening, else 0. */
int32_t EXPORT(serve)(int32_t port, uint32_t ready_id) {
  struct sf_shared_channel ready;
  struct sf_address address;
  if (sf_shared_channel_attach(&ready, ready_id) < 0) return __LINE__;
  if (sf_address_parse("127.0.0.1", 9, (uint32_t)port, &address) < 0) return __LINE__;
  const sf_handle_t listener = sf_tcp_listen_with(&address, 64, SF_BIND_REUSE_PORT);
  if (listener < 0) return listener;
  sf_local_address(listener, &address);
  const int32_t bound = address.port;
  sf_shared_channel_send(&ready, &bound);
  const uint8_t self = (uint8_t)sf_executor_current();
  for (;;) {
    const sf_handle_t connection = sf_tcp_accept(listener, NULL);
    if (connection < 0) break;
    sf_write_all(connection, &self, 1);
    sf_close(connection);
  }
  sf_close(listener);
  return 0;
}
