/* tcp-echo-load.c - the load of ../go/echo_load.go, for servers that are faster than a generator of plain system
 * calls. All sends of a turn are one trip to the kernel, and a receive is asked for once.
 *
 * Prints what that one prints, without latencies: a turn handles hundreds of messages. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "peer.h"
#include "uring/ring.h"

#define ENTRIES 4096
#define PATTERN_BYTES 256
#define WAIT_NS 10000000000

/* Buffers that the kernel receives into, for all connections: no more than that come in before it is looked. */
#define BUFFERS 2048

/* A send has the connection's number, a receive that and this. */
#define RECEIVE (1ull << 32)

struct client {
  int fd;
  uint32_t sent;
  uint32_t received;
  uint32_t filled; /* bytes of `in`: a part of a message */
  uint32_t to_send; /* bytes of `out` that the kernel has to send */
  uint32_t crc;
  uint8_t *in;
  uint8_t *out;
};

struct load {
  uint32_t connections, in_flight, bytes, messages;
  uint8_t *pattern;
  struct client *clients;
  struct sf_ring ring;
  struct io_uring_buf_ring *buffers;
  uint16_t buffers_tail;
  uint8_t *buffer_bytes;
};

static uint32_t crc_table[256];

static void crc_prepare(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0xEDB88320u : 0);
    crc_table[i] = value;
  }
}

static uint32_t crc_update(uint32_t crc, const uint8_t *bytes, size_t count) {
  crc = ~crc;
  for (size_t i = 0; i < count; i++) crc = crc_table[(crc ^ bytes[i]) & 255] ^ crc >> 8;
  return ~crc;
}

static void fail(const char *what, uint32_t connection, int err) {
  fprintf(stderr, "c peer: connection %u: %s: %s\n", connection, what, strerror(err));
  exit(1);
}

/* The same rule as in echo_load.go. */
static const uint8_t *message(const struct load *load, uint32_t connection, uint32_t number) {
  return load->pattern + ((connection * 131 + number * 31) & 255);
}

static struct io_uring_sqe *sqe_for(struct load *load, uint8_t opcode, uint32_t id, uint64_t kind) {
  struct io_uring_sqe *sqe = sf__ring_sqe(&load->ring);
  if (sqe == NULL) {
    const int err = sf__ring_enter(&load->ring, 0);
    sqe = sf__ring_sqe(&load->ring);
    if (sqe == NULL) fail("submit", id, -err);
  }
  sqe->opcode = opcode;
  sqe->fd = load->clients[id].fd;
  sqe->user_data = kind | id;
  return sqe;
}

/* As many messages as may be in flight, in one send. */
static void send_more(struct load *load, uint32_t id) {
  struct client *client = &load->clients[id];
  client->to_send = 0;
  while (client->sent < load->messages && client->sent - client->received < load->in_flight) {
    memcpy(client->out + client->to_send, message(load, id, client->sent++), load->bytes);
    client->to_send += load->bytes;
  }
  if (client->to_send == 0) return;
  struct io_uring_sqe *sqe = sqe_for(load, IORING_OP_SEND, id, 0);
  sqe->addr = (uint64_t)(uintptr_t)client->out;
  sqe->len = client->to_send;
  sqe->msg_flags = MSG_NOSIGNAL;
}

/* Until its last completion. */
static void receive(struct load *load, uint32_t id) {
  struct io_uring_sqe *sqe = sqe_for(load, IORING_OP_RECV, id, RECEIVE);
  sqe->ioprio = IORING_RECVSEND_POLL_FIRST | IORING_RECV_MULTISHOT;
  sqe->flags = IOSQE_BUFFER_SELECT;
}

/* One byte more than may come, so that too much shows. */
static uint32_t buffer_bytes(const struct load *load) {
  return load->in_flight * load->bytes + 1;
}

static uint8_t *buffer_of(const struct load *load, uint32_t number) {
  return load->buffer_bytes + (size_t)number * buffer_bytes(load);
}

static void give_buffer(struct load *load, uint32_t number) {
  struct io_uring_buf *buffer = &load->buffers->bufs[load->buffers_tail++ & (BUFFERS - 1)];
  buffer->addr = (uint64_t)(uintptr_t)buffer_of(load, number);
  buffer->len = buffer_bytes(load);
  buffer->bid = (uint16_t)number;
  __atomic_store_n(&load->buffers->tail, load->buffers_tail, __ATOMIC_RELEASE);
}

static void open_buffers(struct load *load) {
  load->buffer_bytes = malloc((size_t)BUFFERS * buffer_bytes(load));
  load->buffers = mmap(NULL, BUFFERS * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE,
                       MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (load->buffer_bytes == NULL || load->buffers == MAP_FAILED) fail("memory", 0, ENOMEM);
  struct io_uring_buf_reg ring = { .ring_addr = (uint64_t)(uintptr_t)load->buffers,
                                   .ring_entries = BUFFERS };
  if (syscall(__NR_io_uring_register, load->ring.fd, IORING_REGISTER_PBUF_RING, &ring, 1) < 0) {
    fail("buffers", 0, errno);
  }
  for (uint32_t number = 0; number < BUFFERS; number++) give_buffer(load, number);
}

/* Checks every message that is complete. */
static void check(struct load *load, uint32_t id, const uint8_t *bytes, uint32_t count) {
  struct client *client = &load->clients[id];
  uint32_t used = 0;
  if (count > buffer_bytes(load) - client->filled) fail("more came back than was sent", id, EPROTO);
  memcpy(client->in + client->filled, bytes, count);
  client->filled += count;
  for (; client->filled - used >= load->bytes; used += load->bytes) {
    if (client->received == client->sent) fail("more came back than was sent", id, EPROTO);
    if (memcmp(client->in + used, message(load, id, client->received), load->bytes) != 0) {
      fail("a message came back changed", id, EPROTO);
    }
    client->received++;
  }
  client->crc = crc_update(client->crc, client->in, used);
  memmove(client->in, client->in + used, client->filled - used);
  client->filled -= used;
}

/* Returns whether the connection has received all. */
static int completed(struct load *load, const struct io_uring_cqe *cqe) {
  const uint32_t id = (uint32_t)cqe->user_data;
  const struct client *client = &load->clients[id];
  if (cqe->user_data & RECEIVE && cqe->res == -ENOBUFS) {
    receive(load, id);
    return 0;
  }
  if (cqe->res < 0) fail(cqe->user_data & RECEIVE ? "receive" : "send", id, -cqe->res);
  if (!(cqe->user_data & RECEIVE)) {
    /* What is in flight always fits into the socket's buffer. */
    if ((uint32_t)cqe->res != client->to_send) fail("a short send", id, EMSGSIZE);
    return 0;
  }
  if (cqe->res == 0) fail("the server ended it", id, ECONNRESET);
  const uint32_t buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
  check(load, id, buffer_of(load, buffer), (uint32_t)cqe->res);
  give_buffer(load, buffer);
  if (client->received == load->messages) return 1;
  send_more(load, id);
  if (!(cqe->flags & IORING_CQE_F_MORE)) receive(load, id);
  return 0;
}

static void drive(struct load *load) {
  for (uint32_t id = 0; id < load->connections; id++) {
    send_more(load, id);
    receive(load, id);
  }
  for (uint32_t open = load->connections; open > 0;) {
    const int err = sf__ring_enter(&load->ring, WAIT_NS);
    if (err < 0 && err != -EINTR) fail("wait", 0, -err);
    const struct io_uring_cqe *next;
    while ((next = sf__ring_cqe(&load->ring)) != NULL) {
      const struct io_uring_cqe cqe = *next;
      sf__ring_seen(&load->ring);
      open -= (uint32_t)completed(load, &cqe);
    }
  }
}

static void connect_all(struct load *load, uint32_t port) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
  const int on = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (uint32_t id = 0; id < load->connections; id++) {
    struct client *client = &load->clients[id];
    client->in = malloc(buffer_bytes(load));
    client->out = malloc(buffer_bytes(load));
    if (client->in == NULL || client->out == NULL) fail("memory", id, ENOMEM);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0) {
      fail("connect", id, errno);
    }
  }
}

int tcp_echo_load(int argc, char **argv) {
  struct load load = {
    .connections = flag(argc, argv, "--connections="),
    .in_flight = flag(argc, argv, "--in-flight="),
    .bytes = flag(argc, argv, "--bytes="),
    .messages = flag(argc, argv, "--messages="),
  };
  if (load.connections == 0 || load.in_flight == 0 || load.bytes == 0 || load.messages == 0) {
    fprintf(stderr, "c peer: every size must be at least 1\n");
    return 2;
  }
  load.pattern = malloc(PATTERN_BYTES + load.bytes);
  load.clients = calloc(load.connections, sizeof(*load.clients));
  if (load.pattern == NULL || load.clients == NULL) fail("memory", 0, ENOMEM);
  for (uint32_t i = 0; i < PATTERN_BYTES + load.bytes; i++) load.pattern[i] = (uint8_t)(i * 7 + 3);
  crc_prepare();
  const int err = sf__ring_open(&load.ring, ENTRIES);
  if (err < 0) fail("io_uring", 0, -err);
  open_buffers(&load);
  connect_all(&load, flag(argc, argv, "--port="));

  const struct meter start = meter_start();
  drive(&load);
  const struct meter took = meter_end(&start);

  uint32_t sum = 0;
  for (uint32_t id = 0; id < load.connections; id++) {
    sum += load.clients[id].crc;
    close(load.clients[id].fd);
  }
  const double count = (double)load.connections * load.messages;
  printf("{\"metrics\":{\"messages/s\":%f},\"checksum\":\"%.0f:%08x\",\"notes\":{\"loadCpuShare\":%f},"
         "\"version\":\"io_uring\"}\n",
         count / took.us * 1e6, count * load.bytes, sum, took.cpu_us / took.us);
  return 0;
}
