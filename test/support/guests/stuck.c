/* stuck.c - tasks of executors that wait for each other, or for something that comes. */
#include "law.h"

__attribute__((import_module("env"), import_name("wait"))) int32_t host_wait(void);

int32_t main(void) { return sf_park(); }

int32_t EXPORT(park)(void) { return sf_park(); }
int32_t EXPORT(nap)(int64_t ns) { return sf_sleep((uint64_t)ns); }
int32_t EXPORT(wait_host)(void) { return host_wait(); }

/* An item, or the error. */
int32_t EXPORT(receive)(uint32_t id) {
  struct sf_shared_channel channel;
  if (sf_shared_channel_attach(&channel, id) < 0) return __LINE__;
  int32_t item, error = sf_shared_channel_receive(&channel, &item);
  return error < 0 ? error : item;
}

/* Passes items on, one higher, until one is `last`. */
int32_t EXPORT(pass)(uint32_t in_id, uint32_t out_id, int32_t last) {
  struct sf_shared_channel in, out;
  if (sf_shared_channel_attach(&in, in_id) < 0) return __LINE__;
  if (sf_shared_channel_attach(&out, out_id) < 0) return __LINE__;
  for (int32_t item = 0; item < last;) {
    int32_t error = sf_shared_channel_receive(&in, &item);
    if (error < 0) return error;
    item++;
    error = sf_shared_channel_send(&out, &item);
    if (error < 0) return error;
  }
  return 0;
}

/* Waits for a connection that nobody makes. */
int32_t EXPORT(accept_one)(void) {
  struct sf_address address;
  sf_address_parse("127.0.0.1", 9, 0, &address);
  const sf_handle_t listener = sf_tcp_listen(&address, 4);
  if (listener < 0) return listener;
  return sf_tcp_accept(listener, NULL);
}

int32_t EXPORT(wait_signal)(int32_t kind) {
  struct sf_signal signal;
  int32_t error = sf_signal_watch(&signal, (uint32_t)kind);
  if (error < 0) return error;
  error = sf_signal_wait(&signal);
  sf_signal_unwatch(&signal);
  return error;
}
