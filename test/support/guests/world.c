/* world.c - programs of the laws about simulated worlds. */
#include <stackful.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

/* Of the host; an async function. */
__attribute__((import_module("env"), import_name("note"))) SF_PARKS int32_t note(int32_t value);

static struct sf_address address_of(uint32_t ipv4, uint32_t port) {
  struct sf_address address = { .family = SF_FAMILY_IPV4, .port = (uint16_t)port };
  for (int at = 0; at < 4; at++) address.bytes[at] = (uint8_t)(ipv4 >> (24 - 8 * at));
  return address;
}

static int32_t echo(void *argument) {
  sf_handle_t connection = (sf_handle_t)(intptr_t)argument;
  char buffer[256];
  int32_t count;
  while ((count = sf_read(connection, buffer, sizeof buffer)) > 0) {
    if (sf_write_all(connection, buffer, (uint32_t)count) < 0) break;
  }
  sf_close(connection);
  return count;
}

/* Accepts until it is canceled; returns the error that ended it. */
int32_t EXPORT(serve)(uint32_t port) {
  struct sf_address address = address_of(0, port);
  sf_handle_t listener = sf_tcp_listen(&address, 128);
  if (listener < 0) return listener;
  sf_handle_t connection;
  while ((connection = sf_tcp_accept(listener, NULL)) >= 0) {
    if (sf_spawn(echo, (void *)(intptr_t)connection, NULL, NULL) < 0) sf_close(connection);
  }
  sf_close(listener);
  return connection;
}

static int32_t exchange(sf_handle_t connection, uint32_t messages) {
  char sent[100], received[100];
  for (uint32_t i = 0; i < messages; i++) {
    memset(sent, 'a' + (int)(i % 26), sizeof sent);
    int32_t result = sf_write_all(connection, sent, sizeof sent);
    if (result < 0) return result;
    result = sf_read_full(connection, received, sizeof received);
    if (result < 0) return result;
    if (result != sizeof received) return -SF_EPIPE;
    if (memcmp(sent, received, sizeof sent) != 0) return -SF_EBADMSG;
    result = note((int32_t)i);
    if (result != (int32_t)i) return -SF_EPROTO;
    result = sf_sleep(SF_MILLISECOND);
    if (result < 0) return result;
  }
  return 0;
}

/* Sends messages to an echo server, and checks each answer. Returns 0, or the first error. */
int32_t EXPORT(ask)(uint32_t ipv4, uint32_t port, uint32_t messages) {
  struct sf_address address = address_of(ipv4, port);
  sf_handle_t connection = sf_tcp_connect(&address);
  if (connection < 0) return connection;
  int32_t result = exchange(connection, messages);
  sf_close(connection);
  return result;
}

int32_t EXPORT(sleep_ms)(uint32_t ms) { return sf_sleep(ms * SF_MILLISECOND); }

/* Writes text to /data/log and syncs it; keeps the file open for ever. */
int32_t EXPORT(log_forever)(void) {
  static const char path[] = "/data/log";
  sf_handle_t file = sf_open(path, sizeof path - 1, SF_OPEN_WRITE | SF_OPEN_CREATE | SF_OPEN_APPEND,
                             0644);
  if (file < 0) return file;
  for (;;) {
    int32_t result = sf_write_all(file, "entry\n", 6);
    if (result == 0) result = sf_fsync(file);
    if (result == 0) result = sf_sleep(SF_MILLISECOND);
    if (result < 0) return result;
  }
}
