/* embedded.c - a guest that an embedder tells what to do: an echo server, a client, and a file. Every
 * function returns what its last operation did: 0 or more, or a negated errno. */
#include <stackful.h>
#include "law.h"

static void loopback(struct sf_address *address, int32_t port) {
  sf_address_parse("127.0.0.1", 9, (uint32_t)port, address);
}

sf_handle_t EXPORT(listen_at)(int32_t port) {
  struct sf_address address;
  loopback(&address, port);
  return sf_tcp_listen(&address, 16);
}

int32_t EXPORT(port_of)(sf_handle_t handle) {
  struct sf_address address;
  int32_t result = sf_local_address(handle, &address);
  return result < 0 ? result : address.port;
}

/* One connection, to its end. Returns the bytes that went back. */
int32_t EXPORT(echo_one)(sf_handle_t listener) {
  char buffer[512];
  int32_t count, total = 0;
  sf_handle_t connection = sf_tcp_accept(listener, NULL);
  if (connection < 0) return connection;
  while ((count = sf_read(connection, buffer, sizeof buffer)) > 0) {
    int32_t result = sf_write_all(connection, buffer, (uint32_t)count);
    if (result < 0) return result;
    total += count;
  }
  sf_close(connection);
  return count < 0 ? count : total;
}

int32_t EXPORT(connect_to)(int32_t port) {
  struct sf_address address;
  loopback(&address, port);
  sf_handle_t connection = sf_tcp_connect(&address);
  return connection < 0 ? connection : sf_close(connection);
}

/* A datagram from any port of this machine's own. */
int32_t EXPORT(send_to_port)(int32_t port) {
  struct sf_address source, destination;
  loopback(&source, 0);
  loopback(&destination, port);
  sf_handle_t socket = sf_udp_bind(&source);
  if (socket < 0) return socket;
  int32_t result = sf_send_to(socket, "datagram", 8, &destination);
  sf_close(socket);
  return result;
}

static int32_t with_file(uint32_t flags) {
  char bytes[5] = "guest";
  sf_handle_t file = sf_open("/data/file", 10, flags, 0600);
  if (file < 0) return file;
  int32_t count = (flags & SF_OPEN_WRITE) != 0 ? sf_write(file, bytes, sizeof bytes)
                                               : sf_read(file, bytes, sizeof bytes);
  sf_close(file);
  return count;
}

int32_t EXPORT(write_file)(void) { return with_file(SF_OPEN_WRITE | SF_OPEN_CREATE); }

int32_t EXPORT(read_file)(void) { return with_file(SF_OPEN_READ); }
