/* net.h - addresses, TCP, UDP, Unix sockets, options. */
#ifndef STACKFUL_NET_H
#define STACKFUL_NET_H

#include "io.h"

/* ── Addresses ─────────────────────────────────────────────────────────────────────────────────── */

/* Reads numeric IPv4 or IPv6 text; `port` 0 to 65535, in host order. Does not park; names are for dns.h.
 * Errors: EINVAL. */
SF_IMPORT(sf_address_parse)
int32_t sf_address_parse(const char *text, uint32_t text_bytes, uint32_t port,
                         struct sf_address *address_out);

/* ── TCP ───────────────────────────────────────────────────────────────────────────────────────── */

/* Returns a listener, the caller's to close: connections that nobody has accepted then end. `backlog`: how
 * many of those may wait; the system lowers it to its own limit. Port 0: any free one, see sf_local_address.
 * Errors: ENOTCAPABLE when the embedder did not grant it; EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EMFILE. */
SF_PARKS SF_IMPORT(sf_tcp_listen)
sf_handle_t sf_tcp_listen(const struct sf_address *address, uint32_t backlog);
SF_TIMED(sf_tcp_listen, (const struct sf_address *address, uint32_t backlog, sf_timeout_t timeout), (address, backlog))

/* Waits for a connection, and returns it, the caller's to close. `peer_out`, which may be NULL, gets the
 * address of its other end. Several tasks that wait are served in their order. A cancel takes no connection
 * with it. Errors: ECONNABORTED when the peer has left already: accept the next; EMFILE, ENFILE, ENOBUFS,
 * ENOMEM, with which the connection stays in the backlog: try again when others have been closed; EINVAL on
 * what is no listener, ENOTSUP on UDP. */
SF_PARKS SF_IMPORT(sf_tcp_accept)
sf_handle_t sf_tcp_accept(sf_handle_t listener, struct sf_address *peer_out);
SF_TIMED(sf_tcp_accept, (sf_handle_t listener, struct sf_address *peer_out, sf_timeout_t timeout), (listener, peer_out))

/* Connects, and returns the connection, the caller's to close. A cancel ends the attempt, and leaves nothing
 * open; how long it may take is the system's choice, minutes, so give it a timeout. Errors: ENOTCAPABLE when
 * the embedder did not grant it; ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL,
 * EAFNOSUPPORT, EMFILE. */
SF_PARKS SF_IMPORT(sf_tcp_connect) sf_handle_t sf_tcp_connect(const struct sf_address *address);
SF_TIMED(sf_tcp_connect, (const struct sf_address *address, sf_timeout_t timeout), (address))

/* Ends one direction of a connection, or both: the peer reads to the end of what was written, and reads
 * here, those that wait too, are at an end. The handle stays open. `how`: enum sf_shutdown. Errors: ENOTCONN
 * on a listener and UDP; EINVAL for another `how`; ENOTSOCK. */
SF_PARKS SF_IMPORT(sf_shutdown) int32_t sf_shutdown(sf_handle_t handle, uint32_t how);
SF_TIMED(sf_shutdown, (sf_handle_t handle, uint32_t how, sf_timeout_t timeout), (handle, how))

/* The address of this end, and of the other; of a Unix socket one of family 0. Errors: ENOTCONN for the
 * other end of what has none; ENOTSOCK. */
SF_PARKS SF_IMPORT(sf_local_address)
int32_t sf_local_address(sf_handle_t handle, struct sf_address *address_out);
SF_PARKS SF_IMPORT(sf_peer_address)
int32_t sf_peer_address(sf_handle_t handle, struct sf_address *address_out);

/* ── UDP ───────────────────────────────────────────────────────────────────────────────────────── */

/* Returns a socket of the address's family. Port 0: any free one, see sf_local_address; a client binds
 * "0.0.0.0" or "127.0.0.1" with port 0. An IPv6 socket has nothing of IPv4. Needs the grant to listen
 * there. Until sf_udp_connect, sf_write gives EDESTADDRREQ, sf_read and sf_peer_address ENOTCONN;
 * sf_shutdown always gives ENOTCONN, and sf_tcp_accept ENOTSUP. Errors:
 * ENOTCAPABLE, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EMFILE. */
SF_PARKS SF_IMPORT(sf_udp_bind) sf_handle_t sf_udp_bind(const struct sf_address *address);
SF_TIMED(sf_udp_bind, (const struct sf_address *address, sf_timeout_t timeout), (address))

/* Sends one datagram, of 0 to SF_DATAGRAM_MAX bytes, and returns `bytes`. Whether it arrives nobody
 * says: an address where nothing listens is no error. Needs the grant to connect to `destination`, also
 * for an answer. Errors: ENOTCAPABLE; EMSGSIZE; EAFNOSUPPORT when `destination` is not of the socket's
 * family; EINVAL for port 0; EISCONN once it is connected; EACCES for a broadcast address without
 * SF_OPTION_BROADCAST; ENETUNREACH, EHOSTUNREACH; ENOTSUP on TCP,
 * ENOTSOCK on a file. */
SF_PARKS SF_IMPORT(sf_send_to)
int32_t sf_send_to(sf_handle_t handle, const void *buffer, uint32_t bytes,
                   const struct sf_address *destination);
SF_TIMED(sf_send_to, (sf_handle_t handle, const void *buffer, uint32_t bytes, const struct sf_address *destination, sf_timeout_t timeout), (handle, buffer, bytes, destination))

/* Receives one datagram, and who sent it; `source_out` may be NULL. Returns its bytes: 0 is an empty
 * datagram, not an end. Of a longer one the rest is lost; SF_DATAGRAM_MAX bytes hold any. What comes while
 * nobody receives waits in a queue of bounded length, and is lost when that is full. Several tasks that
 * wait are served in their order. Errors: ENOTSUP on TCP, ENOTSOCK on a file. */
SF_PARKS SF_IMPORT(sf_receive_from)
int32_t sf_receive_from(sf_handle_t handle, void *buffer, uint32_t bytes_max,
                        struct sf_address *source_out);
SF_TIMED(sf_receive_from, (sf_handle_t handle, void *buffer, uint32_t bytes_max, struct sf_address *source_out, sf_timeout_t timeout), (handle, buffer, bytes_max, source_out))

/* As sf_tcp_listen and sf_udp_bind, with `flags` of enum sf_bind. Also: EINVAL for a flag that there is
 * not, ENOTSUP for SF_BIND_REUSE_PORT where the host cannot (Node before 22.12, Deno and Bun without native
 * code). */
SF_PARKS static inline sf_handle_t sf_tcp_listen_with(const struct sf_address *address,
                                                      uint32_t backlog, uint32_t flags) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_LISTEN, .handle = -1, .pointer = sf_address_of(address), .argument = backlog,
      .mode = flags});
}
SF_PARKS static inline sf_handle_t sf_udp_bind_with(const struct sf_address *address,
                                                    uint32_t flags) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_UDP_BIND, .handle = -1, .pointer = sf_address_of(address), .mode = flags});
}

/* Has the socket talk to `address` alone, in place of whom it talked to before: sf_write and sf_writev
 * send it one datagram each, an empty one too; sf_read, sf_readv and sf_receive_from get one that came from
 * there. NULL: it talks to nobody in particular again, and keeps its own address. sf_send_to gives EISCONN
 * meanwhile. When nobody listens there the next to send or receive gets ECONNREFUSED, once (nobody does
 * in Deno without native code, which has no way to know). Needs the grant to connect. Errors: ENOTCAPABLE;
 * EAFNOSUPPORT; EINVAL for port 0; ENETUNREACH; ENOTSUP on TCP, ENOTSOCK on a file. */
SF_PARKS static inline int32_t sf_udp_connect(sf_handle_t handle,
                                              const struct sf_address *address) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_UDP_CONNECT, .handle = handle, .pointer = sf_address_of(address)});
}

/* Sends up to SF_IOVEC_MAX datagrams in order. Returns how many were handed over, at least one, and tells
 * the bytes of each in its `result`; or the error of the first. It stops before a datagram that cannot be
 * sent, or for which the system has no room now: to go on from there tells why, or waits. Each `address` is
 * where to; one of family 0 means where the socket is connected to, and any other is EISCONN then. Errors:
 * those of sf_send_to; EDESTADDRREQ; EINVAL for more than SF_IOVEC_MAX. */
SF_PARKS static inline int32_t sf_send_batch(sf_handle_t handle, struct sf_datagram *datagrams,
                                             uint32_t count) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_SEND_BATCH, .handle = handle, .pointer = sf_address_of(datagrams),
      .length = count});
}
SF_TIMED(sf_send_batch, (sf_handle_t handle, struct sf_datagram *datagrams, uint32_t count, sf_timeout_t timeout), (handle, datagrams, count))

/* Waits for a datagram, and takes what else is there, up to `count`, at most SF_IOVEC_MAX. Returns how many.
 * Of each it tells the bytes in `result`, who sent it in `address`, and whether there were more in
 * `truncated`; `pointer` and `length` are the buffer. Served in one order with sf_receive_from and sf_read.
 * Errors: as sf_receive_from; ECONNREFUSED when it is connected; EINVAL for more than SF_IOVEC_MAX. */
SF_PARKS static inline int32_t sf_receive_batch(sf_handle_t handle, struct sf_datagram *datagrams,
                                                uint32_t count) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_RECEIVE_BATCH, .handle = handle, .pointer = sf_address_of(datagrams),
      .length = count});
}
SF_TIMED(sf_receive_batch, (sf_handle_t handle, struct sf_datagram *datagrams, uint32_t count, sf_timeout_t timeout), (handle, datagrams, count))

/* Joins or leaves a multicast group; `group->scope` is the number of an interface, 0: the system's choice
 * (on Linux and in a simulated world 1 is the loopback interface); its port is not read. The socket gets
 * what comes over that interface to the group and its own port, if it is bound to any address or to the
 * group's; several that share a port (SF_BIND_REUSE_ADDRESS) get a copy each. (In Node and Deno without
 * native code it also gets, on Linux, what is for groups that other sockets joined.) What is sent to a group
 * leaves by the interface of the address that the socket is bound to, or over IPv6 of the destination's
 * scope, or else by the system's choice. Needs the grant to listen at the group's address and the socket's
 * port. Errors: ENOTCAPABLE; EADDRINUSE for a member, EADDRNOTAVAIL for none; EINVAL when it is no multicast
 * address; EAFNOSUPPORT; ENODEV for an interface that there is not; ENOTSUP on TCP, ENOTSOCK on a
 * file. */
SF_PARKS static inline int32_t sf_multicast_join(sf_handle_t handle,
                                                 const struct sf_address *group) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_MEMBERSHIP, .handle = handle, .pointer = sf_address_of(group), .argument = 1});
}
SF_PARKS static inline int32_t sf_multicast_leave(sf_handle_t handle,
                                                  const struct sf_address *group) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_MEMBERSHIP, .handle = handle, .pointer = sf_address_of(group)});
}

/* ── Options ───────────────────────────────────────────────────────────────────────────────────── */

/* Sets and tells an option. `option`: enum sf_option, which has units and ranges. A connection that is
 * accepted has what its listener was set to. A buffer can be larger or smaller than what was asked for;
 * sf_option_get tells what the system has set aside. Errors: ENOPROTOOPT where the socket has no such
 * option, or the host no way to set it; EINVAL for a value out of range; ENOTSOCK. Without native code Node
 * has no way to set SF_OPTION_HOPS and the buffers of TCP, nor to linger for more than 0 seconds; Deno for
 * TCP has SF_OPTION_NO_DELAY alone. */
SF_PARKS static inline int32_t sf_option_set(sf_handle_t handle, uint32_t option, int64_t value) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_SET_OPTION, .handle = handle, .argument = option, .offset = value});
}
SF_PARKS static inline int32_t sf_option_get(sf_handle_t handle, uint32_t option,
                                             int64_t *value_out) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_GET_OPTION, .handle = handle, .argument = option,
      .other_pointer = sf_address_of(value_out)});
}

/* ── Unix sockets ──────────────────────────────────────────────────────────────────────────────── */

/* Returns a listener, as sf_tcp_listen does, for sf_tcp_accept. Only on this machine.
 *
 * Names of Unix sockets are paths, below the directories that the embedder granted (fs.h); listening and
 * binding make the name, and nothing removes it but sf_unlink_at (where the host is Node without native
 * code, closing does). They need a directory that may be changed, else EROFS; connecting and sending do not.
 * Errors: those of fs.h; EADDRINUSE when there is something of that name, a link too; ENAMETOOLONG for a
 * name of more than SF_UNIX_NAME_MAX bytes; EMFILE. */
SF_PARKS static inline sf_handle_t sf_unix_listen(const char *path, uint32_t path_bytes,
                                                  uint32_t backlog) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_UNIX_LISTEN, .handle = -1, .pointer = sf_address_of(path),
      .length = path_bytes, .argument = backlog});
}

/* Returns a connection to a listener, or for SF_SOCKET_DATAGRAM a socket that sends to that of sf_unix_bind;
 * the caller's to close. `type`: enum sf_socket_type. Errors: those of fs.h; ECONNREFUSED when nobody
 * listens there, or it is no socket; EPROTOTYPE when it is one of the other type; EAGAIN when its queue of
 * connections is full: it does not wait; EINVAL for another type; EMFILE. */
SF_PARKS static inline sf_handle_t sf_unix_connect(const char *path, uint32_t path_bytes,
                                                   uint32_t type) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_UNIX_CONNECT, .handle = -1, .pointer = sf_address_of(path),
      .length = path_bytes, .argument = type});
}
SF_TIMED(sf_unix_connect, (const char *path, uint32_t path_bytes, uint32_t type, sf_timeout_t timeout), (path, path_bytes, type))

/* Returns a socket of datagrams, the caller's to close; with no path (0 bytes) it has no name, and nobody
 * can answer it. What it receives (sf_receive_from) tells no address. Errors: as sf_unix_listen. */
SF_PARKS static inline sf_handle_t sf_unix_bind(const char *path, uint32_t path_bytes) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_UNIX_BIND, .handle = -1, .pointer = sf_address_of(path), .length = path_bytes});
}

/* Sends one datagram to the socket of that path, and returns `bytes`. Errors: as sf_unix_connect; EAGAIN
 * when the receiver has no room: it does not wait; EMSGSIZE; ENOTSUP, EAFNOSUPPORT or ENOTSOCK on what is no
 * Unix socket of datagrams. */
SF_PARKS static inline int32_t sf_unix_send_to(sf_handle_t handle, const void *buffer,
                                               uint32_t bytes, const char *path,
                                               uint32_t path_bytes) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_UNIX_SEND_TO, .handle = handle, .pointer = sf_address_of(buffer),
      .length = bytes, .other_handle = -1, .other_pointer = sf_address_of(path),
      .other_length = path_bytes});
}
SF_TIMED(sf_unix_send_to, (sf_handle_t handle, const void *buffer, uint32_t bytes, const char *path, uint32_t path_bytes, sf_timeout_t timeout), (handle, buffer, bytes, path, path_bytes))

/* Makes two sockets that are connected to each other, both the caller's to close; `type`: enum
 * sf_socket_type. Those of datagrams read and write one with each call. Errors: EINVAL for another type;
 * ENOTSUP for datagrams on Windows; EMFILE, with which neither is open. */
SF_PARKS static inline int32_t sf_socket_pair(uint32_t type, sf_handle_t pair[2]) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_SOCKET_PAIR, .handle = -1, .pointer = sf_address_of(pair), .argument = type});
}

/* Sends bytes over a Unix stream, at least one, and with the first of them a duplicate of `passed`, which
 * stays the caller's and may be closed at once. Returns how many bytes it has sent, with which the handle
 * is. Whoever receives it can use it whatever its own grants are. Errors: those of sf_write; EINVAL for 0
 * bytes; EBADF for `passed`, too; ENOTSUP when that is none that can be passed, and on what is no Unix
 * stream; ENOTSOCK on a file. */
SF_PARKS static inline int32_t sf_send_handle(sf_handle_t handle, const void *buffer,
                                              uint32_t bytes, sf_handle_t passed) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_SEND_HANDLE, .handle = handle, .pointer = sf_address_of(buffer),
      .length = bytes, .other_handle = passed});
}
SF_TIMED(sf_send_handle, (sf_handle_t handle, const void *buffer, uint32_t bytes, sf_handle_t passed, sf_timeout_t timeout), (handle, buffer, bytes, passed))

/* Reads bytes from a Unix stream, at most to the next handle, and tells the handle that came with them, the
 * caller's to close, or -1. Sockets, pipes and files can be passed; anything else is closed, and -1. sf_read
 * takes the bytes alone, and lets go of the handle. Errors: those of sf_read; EINVAL for 0 bytes; EMFILE,
 * with which nothing was taken. */
SF_PARKS static inline int32_t sf_receive_handle(sf_handle_t handle, void *buffer,
                                                 uint32_t bytes_max, sf_handle_t *passed_out) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_RECEIVE_HANDLE, .handle = handle, .pointer = sf_address_of(buffer),
      .length = bytes_max, .other_pointer = sf_address_of(passed_out)});
}
SF_TIMED(sf_receive_handle, (sf_handle_t handle, void *buffer, uint32_t bytes_max, sf_handle_t *passed_out, sf_timeout_t timeout), (handle, buffer, bytes_max, passed_out))

#endif
