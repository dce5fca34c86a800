/* exchange.h - questions to one name server: datagrams, and a connection for what does not fit one. */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include "hosts.h"

/* Settled questions are not asked again. */
static bool is_settled(const struct question *question) {
  return question->answered && (question->verdict == VERDICT_FOUND ||
                                question->verdict == VERDICT_NO_NAME);
}

/* Answered means here: by the server that is being asked now. */
static bool all_answered(const struct space *space) {
  for (uint32_t i = 0; i < space->questions_count; i++)
    if (!space->questions[i].answered) return false;
  return true;
}

static void answer(struct space *space, struct question *question, struct message message,
                   struct found *found) {
  const struct message query = {question->query, question->bytes};
  const enum verdict verdict =
      read_answer(message, query, question->type, &space->reading, found);
  if (verdict == VERDICT_OTHER) return;
  question->verdict = verdict;
  question->answered = 1;
}

SF_PARKS static int32_t send_questions(struct space *space, sf_handle_t handle,
                                       const struct sf_address *server) {
  const uint64_t ids = random_u64();
  for (uint32_t i = 0; i < space->questions_count; i++) {
    struct question *question = &space->questions[i];
    if (is_settled(question)) continue;
    question->answered = 0;
    question->bytes = write_query(question->query, (uint32_t)(ids >> 16 * i) & 0xffff,
                                  &space->name, question->type);
    const int32_t sent = sf_send_to(handle, question->query, question->bytes, server);
    if (sent < 0) return sent;
  }
  return 0;
}

SF_PARKS static int32_t receive_answers(struct space *space, sf_handle_t handle,
                                        const struct sf_address *server, uint64_t deadline_ns,
                                        struct found *found) {
  struct sf_address source;
  while (!all_answered(space)) {
    /* Whoever floods us must not keep us. */
    if (sf_now() >= deadline_ns) return -SF_ETIMEDOUT;
    const int32_t bytes = sf_receive_from_timeout(handle, space->datagram, DATAGRAM_BYTES, &source,
                                                  sf_at(deadline_ns));
    if (bytes < 0) return bytes;
    if (source.port != server->port || !same_address(&source, server)) continue;
    const struct message message = {space->datagram, (uint32_t)bytes};
    for (uint32_t i = 0; i < space->questions_count; i++)
      if (!space->questions[i].answered) answer(space, &space->questions[i], message, found);
  }
  return 0;
}

SF_PARKS static int32_t ask_by_datagram(struct space *space, const struct sf_address *server,
                                        uint64_t deadline_ns, struct found *found) {
  const struct sf_address anywhere = {.family = server->family};
  /* A socket for each, and so a port that nobody can guess. */
  const sf_handle_t handle = sf_udp_bind(&anywhere);
  if (handle < 0) return handle;
  space->handle = handle;
  int32_t error = send_questions(space, handle, server);
  if (error == 0) error = receive_answers(space, handle, server, deadline_ns, found);
  space_close(space);
  return error;
}

SF_PARKS static int32_t transfer(struct space *space, sf_handle_t handle,
                                 struct question *question, struct found *found) {
  uint8_t length[2];
  put16(length, question->bytes);
  int32_t result = sf_write_all(handle, length, 2);
  if (result == 0) result = sf_write_all(handle, question->query, question->bytes);
  if (result == 0) result = sf_read_full(handle, length, 2);
  if (result < 0) return result;
  if (result < 2) return -SF_EIO;
  const uint32_t bytes = get16(length);
  result = sf_read_full(handle, space->large, bytes);
  if (result < 0) return result;
  question->verdict = VERDICT_FAILED;
  if ((uint32_t)result == bytes)
    answer(space, question, (struct message){space->large, bytes}, found);
  return 0;
}

SF_PARKS static int32_t ask_by_connection(struct space *space, const struct sf_address *server,
                                          uint64_t deadline_ns, struct question *question,
                                          struct found *found) {
  struct sf_timeout scope;
  if (space->large == NULL) space->large = sf_reserve(LARGE_BYTES);
  if (space->large == NULL) return -SF_ENOMEM;
  sf_timeout_begin(&scope, sf_at(deadline_ns));
  int32_t error = sf_tcp_connect(server);
  if (error >= 0) {
    space->handle = error;
    error = transfer(space, space->handle, question, found);
    space_close(space);
  }
  return sf_timeout_end(&scope, error);
}

/* Asks what is not settled. Returns 0 when the server answered all of it, or a negated sf_errno. */
SF_PARKS static int32_t ask_server(struct space *space, const struct sf_address *server,
                                   uint32_t timeout_s, struct found *found) {
  const uint64_t timeout_ns = timeout_s * SF_SECOND;
  int32_t error = ask_by_datagram(space, server, sf_now() + timeout_ns, found);
  for (uint32_t i = 0; error == 0 && i < space->questions_count; i++) {
    struct question *question = &space->questions[i];
    if (question->verdict != VERDICT_TRUNCATED) continue;
    error = ask_by_connection(space, server, sf_now() + timeout_ns, question, found);
  }
  return error;
}

#endif
