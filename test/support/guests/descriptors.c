/* descriptors.c - what happens when no descriptor is left. */
#include "streams.h"

#define PAIRS 6
#define FILES_MAX 4096
#define STREAM_BYTES 50000

static sf_handle_t files[FILES_MAX];
static int32_t files_open;

static int32_t open_one(void) {
  return sf_open("/data/file", 10, SF_OPEN_READ, 0);
}

/* Opens files until there is no descriptor left. Returns how many, or another error. */
int32_t EXPORT(take_all)(void) {
  while (files_open < FILES_MAX) {
    const int32_t file = open_one();
    if (file == -SF_EMFILE) return files_open;
    if (file < 0) return file;
    files[files_open++] = file;
  }
  return -SF_ERANGE;
}

int32_t EXPORT(give_back)(int32_t count) {
  while (count-- > 0 && files_open > 0) {
    const int32_t error = sf_close(files[--files_open]);
    if (error < 0) return error;
  }
  return 0;
}

/* ── Connections that were there before ────────────────────────────────────────────────────────── */

struct pair {
  sf_handle_t client;
  sf_handle_t server;
};

static struct pair pairs[PAIRS];
static sf_handle_t listener;
static struct sf_address address;

static int32_t pair_open(struct pair *pair) {
  pair->client = sf_tcp_connect(&address);
  if (pair->client < 0) return pair->client;
  pair->server = sf_tcp_accept(listener, NULL);
  return pair->server < 0 ? pair->server : 0;
}

LAW(pairs_open)(void) {
  address = (struct sf_address){.family = SF_FAMILY_IPV4, .bytes = {127, 0, 0, 1}};
  listener = sf_tcp_listen(&address, 64);
  CHECK(listener >= 0);
  CHECK(sf_local_address(listener, &address) == 0);
  for (int32_t i = 0; i < PAIRS; i++) CHECK(pair_open(&pairs[i]) == 0);
  return 0;
}

static int32_t pair_send(void *argument) {
  struct sender sender = {pairs[(int32_t)argument].client,
                          {(uint32_t)argument, STREAM_BYTES}};
  return sender_run(&sender);
}

/* Each carries a stream to its end, and is closed. */
LAW(pairs_end)(void) {
  uint8_t *buffer = malloc(STREAM_BYTES + 1);
  CHECK(buffer != NULL);
  for (int32_t i = 0; i < PAIRS; i++) {
    sf_task_t task;
    struct stream_head head;
    CHECK(sf_spawn(pair_send, (void *)i, NULL, &task) == 0);
    CHECK(sf_read_full(pairs[i].server, &head, sizeof(head)) == (int32_t)sizeof(head));
    CHECK(head.number == (uint32_t)i && head.bytes == STREAM_BYTES);
    CHECK(sf_read_full(pairs[i].server, buffer, STREAM_BYTES + 1) == STREAM_BYTES);
    CHECK(numbered_mismatch(head.number, 0, buffer, STREAM_BYTES) == STREAM_BYTES);
    CHECK_JOIN(task, 0);
    CHECK(sf_close(pairs[i].client) == 0);
    CHECK(sf_close(pairs[i].server) == 0);
  }
  free(buffer);
  CHECK(sf_close(listener) == 0);
  return 0;
}

/* ── While there is none ───────────────────────────────────────────────────────────────────────── */

/* Whatever would need one more says so, and works once there is one again. */
LAW(none_left)(void) {
  int32_t ends[2];
  CHECK(sf_tcp_connect(&address) == -SF_EMFILE);
  CHECK(open_one() == -SF_EMFILE);
  const struct sf_address any = {.family = SF_FAMILY_IPV4, .bytes = {127, 0, 0, 1}};
  CHECK(sf_tcp_listen(&any, 1) == -SF_EMFILE);
  CHECK(sf_udp_bind(&any) == -SF_EMFILE);
  const int32_t piped = sf_pipe(ends);
  CHECK(piped == -SF_EMFILE || piped == -SF_ENOSYS);
  return 0;
}

/* There is one for the end that connects and none for the end that accepts. The connection waits for one,
 * or, with `drops`, is lost. */
LAW(one_left)(int32_t drops) {
  struct pair pair;
  CHECK(files_open > 1);
  CHECK(sf_close(files[--files_open]) == 0);
  pair.client = sf_tcp_connect(&address);
  CHECK(pair.client >= 0);
  if (drops) {
    char byte;
    const int32_t accepted =
        sf_tcp_accept_timeout(listener, NULL, sf_after(50 * SF_MILLISECOND));
    CHECK(accepted == -SF_ETIMEDOUT || accepted == -SF_EMFILE);
    const int32_t count = sf_read(pair.client, &byte, 1);
    CHECK(count == 0 || count == -SF_ECONNRESET);
    CHECK(sf_close(pair.client) == 0);
    files[files_open] = open_one();
    CHECK(files[files_open++] >= 0);
    return 0;
  }
  CHECK(sf_tcp_accept(listener, NULL) == -SF_EMFILE);
  CHECK(sf_tcp_accept(listener, NULL) == -SF_EMFILE);
  CHECK(sf_close(files[--files_open]) == 0);
  pair.server = sf_tcp_accept(listener, NULL);
  CHECK(pair.server >= 0);
  CHECK(sf_write_all(pair.client, "here", 4) == 0);
  char text[4];
  CHECK(sf_read_full(pair.server, text, 4) == 4 && memcmp(text, "here", 4) == 0);
  CHECK(sf_close(pair.client) == 0);
  CHECK(sf_close(pair.server) == 0);
  return 0;
}
