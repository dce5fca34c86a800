/* hosts-io.c - what a host with sockets and files must do for a guest. */
#include "law.h"

static void loopback(struct sf_address *address) { sf_address_parse("127.0.0.1", 9, 0, address); }

/* ── TCP ───────────────────────────────────────────────────────────────────────────────────────── */

#define CLIENTS 20
#define MESSAGE_BYTES 100000

static struct sf_address server_address;

/* Sends everything back, and its own end after the peer's. */
static int32_t echo_task(void *argument) {
  sf_handle_t connection = (sf_handle_t)argument;
  char buffer[4096];
  int32_t count;
  while ((count = sf_read(connection, buffer, sizeof buffer)) > 0)
    CHECK(sf_write_all(connection, buffer, (uint32_t)count) == 0);
  CHECK(count == 0);
  CHECK(sf_shutdown(connection, SF_SHUTDOWN_WRITE) == 0);
  return sf_close(connection);
}

static int32_t accept_task(void *argument) {
  sf_task_t echoes[CLIENTS];
  for (int32_t i = 0; i < CLIENTS; i++) {
    sf_handle_t connection = sf_tcp_accept((sf_handle_t)argument, NULL);
    CHECK(connection >= 0);
    CHECK(sf_spawn(echo_task, (void *)connection, NULL, &echoes[i]) == 0);
  }
  for (int32_t i = 0; i < CLIENTS; i++) CHECK_JOIN(echoes[i], 0);
  return 0;
}

static char byte_at(int32_t client, int32_t position) { return (char)(client * 31 + position * 7); }

struct client {
  int32_t number;
  sf_handle_t connection;
};

static int32_t write_task(void *argument) {
  struct client *self = argument;
  char buffer[1000];
  for (int32_t sent = 0; sent < MESSAGE_BYTES; sent += (int32_t)sizeof buffer) {
    for (int32_t i = 0; i < (int32_t)sizeof buffer; i++) buffer[i] = byte_at(self->number, sent + i);
    CHECK(sf_write_all(self->connection, buffer, sizeof buffer) == 0);
  }
  return sf_shutdown(self->connection, SF_SHUTDOWN_WRITE);
}

static int32_t client_task(void *argument) {
  struct client self = {(int32_t)argument, sf_tcp_connect(&server_address)};
  int32_t count, received = 0;
  char buffer[4096];
  sf_task_t writer;
  CHECK(self.connection >= 0);
  CHECK(sf_spawn(write_task, &self, NULL, &writer) == 0);
  while ((count = sf_read(self.connection, buffer, sizeof buffer)) > 0)
    for (int32_t i = 0; i < count; i++) CHECK(buffer[i] == byte_at(self.number, received++));
  CHECK(count == 0);
  CHECK(received == MESSAGE_BYTES);
  CHECK_JOIN(writer, 0);
  return sf_close(self.connection);
}

/* Clients that end their side first, and read to the end of what comes back. */
LAW(tcp_echo)(void) {
  sf_task_t acceptor, clients[CLIENTS];
  loopback(&server_address);
  sf_handle_t listener = sf_tcp_listen(&server_address, 64);
  CHECK(listener >= 0);
  CHECK(sf_local_address(listener, &server_address) == 0);
  CHECK(sf_spawn(accept_task, (void *)listener, NULL, &acceptor) == 0);
  for (int32_t i = 0; i < CLIENTS; i++) CHECK(sf_spawn(client_task, (void *)i, NULL, &clients[i]) == 0);
  for (int32_t i = 0; i < CLIENTS; i++) CHECK_JOIN(clients[i], 0);
  CHECK_JOIN(acceptor, 0);
  CHECK(sf_close(listener) == 0);
  return 0;
}

/* A read whose time is up took nothing, and the connection is as good as before. */
LAW(tcp_timeouts)(void) {
  char byte = 0;
  loopback(&server_address);
  sf_handle_t listener = sf_tcp_listen(&server_address, 1);
  CHECK(listener >= 0);
  CHECK(sf_local_address(listener, &server_address) == 0);
  CHECK(sf_tcp_accept_timeout(listener, NULL, sf_after(2 * SF_MILLISECOND)) == -SF_ETIMEDOUT);
  sf_handle_t near = sf_tcp_connect_timeout(&server_address, sf_after(LONG));
  CHECK(near >= 0);
  sf_handle_t far = sf_tcp_accept(listener, NULL);
  CHECK(far >= 0);
  CHECK(sf_read_timeout(far, &byte, 1, sf_after(2 * SF_MILLISECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_write_all(near, "x", 1) == 0);
  CHECK(sf_read_timeout(far, &byte, 1, sf_after(LONG)) == 1);
  CHECK(byte == 'x');
  CHECK(sf_close(near) == 0);
  CHECK(sf_read(far, &byte, 1) == 0);
  CHECK(sf_close(far) == 0);
  CHECK(sf_close(listener) == 0);
  /* Nothing listens there any more. */
  CHECK(sf_tcp_connect(&server_address) == -SF_ECONNREFUSED);
  return 0;
}

static int32_t read_task(void *argument) {
  char byte;
  return sf_read((sf_handle_t)argument, &byte, 1);
}

LAW(tcp_cancel)(void) {
  sf_task_t reader;
  int32_t result = 0;
  loopback(&server_address);
  sf_handle_t listener = sf_tcp_listen(&server_address, 1);
  CHECK(listener >= 0);
  CHECK(sf_local_address(listener, &server_address) == 0);
  sf_handle_t near = sf_tcp_connect(&server_address), far = sf_tcp_accept(listener, NULL);
  CHECK(near >= 0 && far >= 0);
  CHECK(sf_spawn(read_task, (void *)far, NULL, &reader) == 0);
  CHECK(sf_sleep(SF_MILLISECOND) == 0);
  CHECK(sf_cancel_wait(reader, &result) == 0);
  CHECK(result == -SF_ECANCELED);
  CHECK(sf_close(far) == 0);
  CHECK(sf_close(near) == 0);
  return sf_close(listener);
}

/* What connecting says, for an embedder that granted nothing, or a backend that has no sockets. */
int32_t EXPORT(connect_anywhere)(void) {
  struct sf_address address;
  sf_address_parse("127.0.0.1", 9, 9, &address);
  return sf_tcp_connect(&address);
}

/* ── UDP ───────────────────────────────────────────────────────────────────────────────────────── */

static int32_t answer_task(void *argument) {
  char datagram[2048];
  struct sf_address source;
  for (;;) {
    int32_t bytes = sf_receive_from((sf_handle_t)argument, datagram, sizeof datagram, &source);
    if (bytes < 0) return bytes;
    CHECK(sf_send_to((sf_handle_t)argument, datagram, (uint32_t)bytes, &source) == bytes);
  }
}

/* One datagram at a time: none is lost on the way. */
LAW(udp_answers)(void) {
  char sent[1200], received[1201];
  struct sf_address far_address, near_address, source;
  sf_task_t answers;
  int32_t result = 0;
  loopback(&far_address);
  loopback(&near_address);
  sf_handle_t far = sf_udp_bind(&far_address), near = sf_udp_bind(&near_address);
  CHECK(far >= 0 && near >= 0);
  CHECK(sf_local_address(far, &far_address) == 0);
  CHECK(sf_spawn(answer_task, (void *)far, NULL, &answers) == 0);
  for (int32_t bytes = 0; bytes <= (int32_t)sizeof sent; bytes += 300) {
    memset(sent, 'a' + bytes / 300, sizeof sent);
    CHECK(sf_send_to(near, sent, (uint32_t)bytes, &far_address) == bytes);
    CHECK(sf_receive_from_timeout(near, received, sizeof received, &source, sf_after(LONG)) == bytes);
    CHECK(memcmp(sent, received, (size_t)bytes) == 0);
    CHECK(source.port == far_address.port);
  }
  CHECK(sf_receive_from_timeout(near, received, 1, NULL, sf_after(2 * SF_MILLISECOND)) == -SF_ETIMEDOUT);
  CHECK(sf_cancel_wait(answers, &result) == 0);
  CHECK(result == -SF_ECANCELED);
  CHECK(sf_close(far) == 0);
  return sf_close(near);
}

/* ── Files ─────────────────────────────────────────────────────────────────────────────────────── */

LAW(file_written)(void) {
  static char text[10000], back[10001];
  for (size_t i = 0; i < sizeof text; i++) text[i] = (char)('a' + i % 26);
  sf_handle_t file = sf_open("/data/file", 10, SF_OPEN_WRITE | SF_OPEN_CREATE, 0644);
  CHECK(file >= 0);
  CHECK(sf_write_all(file, text, sizeof text) == 0);
  CHECK(sf_pwrite(file, "HERE", 4, 5000) == 4);
  CHECK(sf_fsync(file) == 0);
  CHECK(sf_close(file) == 0);
  file = sf_open("/data/file", 10, SF_OPEN_READ, 0);
  CHECK(file >= 0);
  CHECK(sf_read_full(file, back, sizeof back) == (int32_t)sizeof text);
  memcpy(text + 5000, "HERE", 4);
  CHECK(memcmp(text, back, sizeof text) == 0);
  CHECK(sf_pread(file, back, 4, 5000) == 4);
  CHECK(memcmp(back, "HERE", 4) == 0);
  return sf_close(file);
}

/* Nothing but the directory that is granted. */
LAW(file_refused)(void) {
  CHECK(sf_open("/other/file", 11, SF_OPEN_READ, 0) == -SF_ENOTCAPABLE);
  CHECK(sf_open("/data/../file", 13, SF_OPEN_READ, 0) == -SF_ENOTCAPABLE);
  CHECK(sf_open("/data/none", 10, SF_OPEN_READ, 0) == -SF_ENOENT);
  return 0;
}

struct progress {
  int32_t calls;
  int64_t bytes;
};

static void note_progress(void *context, int64_t bytes_copied) {
  struct progress *progress = context;
  progress->calls++;
  progress->bytes = bytes_copied;
}

/* Through memory that the engine may move: a file is copied, read whole, and found in its directory. */
LAW(file_copied)(void) {
  static char text[300000], back[300000];
  struct progress progress = {0, 0};
  for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 7 + i / 1000);
  sf_handle_t directory = sf_open("/data", 5, SF_OPEN_READ | SF_OPEN_DIRECTORY, 0);
  CHECK(directory >= 0);
  sf_handle_t from = sf_open_temporary(directory, "", 0);
  CHECK(from >= 0);
  CHECK(sf_write_all(from, text, sizeof text) == 0);
  sf_handle_t to =
      sf_open_at(directory, "copy", 4, SF_OPEN_READ | SF_OPEN_WRITE | SF_OPEN_CREATE, 0644);
  CHECK(to >= 0);
  CHECK(sf_copy_file(from, to, note_progress, &progress) == (int64_t)sizeof text);
  CHECK(progress.calls > 0 && progress.bytes == (int64_t)sizeof text);
  CHECK(sf_read_file(to, back, sizeof back) == (int32_t)sizeof back);
  CHECK(memcmp(text, back, sizeof text) == 0);
  CHECK(sf_read_file(to, back, sizeof back - 1) == -SF_EFBIG);
  int64_t position = -1;
  CHECK(sf_seek(to, -4, SF_SEEK_END, &position) == 0);
  CHECK(position == (int64_t)sizeof text - 4);
  CHECK(sf_read(to, back, 10) == 4);

  _Alignas(struct sf_directory_entry) char entries[SF_DIRECTORY_ENTRY_BYTES_MAX];
  int32_t found = 0;
  int32_t bytes;
  while ((bytes = sf_read_directory(directory, entries, sizeof entries, 0)) > 0) {
    const struct sf_directory_entry *entry = (const struct sf_directory_entry *)entries;
    while ((const char *)entry < entries + bytes) {
      if (entry->name_bytes == 4 && memcmp(sf_directory_entry_name(entry), "copy", 4) == 0) found++;
      entry = sf_directory_entry_next(entry);
    }
  }
  CHECK(bytes == 0 && found == 1);
  for (int i = 0; i < 3; i++) CHECK(sf_close((sf_handle_t[]){directory, from, to}[i]) == 0);
  return 0;
}

static int32_t wait_for_lock(void *argument) {
  return sf_lock((sf_handle_t)argument, SF_LOCK_EXCLUSIVE);
}

/* Where the backend has no locks, it says so. */
LAW(file_locked)(void) {
  sf_task_t waiter;
  sf_handle_t one = sf_open("/data/lock", 10, SF_OPEN_WRITE | SF_OPEN_CREATE, 0644);
  sf_handle_t two = sf_open("/data/lock", 10, SF_OPEN_WRITE, 0);
  CHECK(one >= 0 && two >= 0);
  int32_t locked = sf_lock(one, SF_LOCK_EXCLUSIVE);
  if (locked != -SF_ENOSYS) {
    CHECK(locked == 0);
    CHECK(sf_lock(two, SF_LOCK_SHARED | SF_LOCK_TRY) == -SF_EAGAIN);
    CHECK(sf_lock_timeout(two, SF_LOCK_SHARED, sf_after(5 * SF_MILLISECOND)) == -SF_ETIMEDOUT);
    CHECK(sf_spawn(wait_for_lock, (void *)two, NULL, &waiter) == 0);
    CHECK(sf_sleep(5 * SF_MILLISECOND) == 0);
    CHECK(sf_lock(one, SF_LOCK_NONE) == 0);
    CHECK_JOIN(waiter, 0);
    CHECK(sf_lock(one, SF_LOCK_SHARED | SF_LOCK_TRY) == -SF_EAGAIN);
  }
  CHECK(sf_close(one) == 0);
  return sf_close(two);
}
