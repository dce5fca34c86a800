/* servers.h - one question, to each server until one settles it; and one name, in each domain that it can
 * be searched in. */
#ifndef NET_SERVERS_H
#define NET_SERVERS_H

#include "configuration.h"
#include "exchange.h"

static void add_question(struct space *space, uint32_t type) {
  struct question *question = &space->questions[space->questions_count++];
  question->type = type;
  question->answered = 0;
  question->verdict = VERDICT_OTHER;
}

static void open_questions(struct space *space, uint32_t kinds) {
  space->questions_count = 0;
  if ((kinds & KIND_IPV6) != 0) add_question(space, RECORD_AAAA);
  if ((kinds & KIND_IPV4) != 0) add_question(space, RECORD_A);
  if ((kinds & KIND_NAME) != 0) add_question(space, RECORD_PTR);
}

static bool is_any_found(const struct found *found) {
  return found->ipv4_count + found->ipv6_count + found->name_bytes != 0;
}

/* What the questions came to: 0, -SF_ENOENT, or `error`. */
static int32_t outcome(const struct space *space, struct found *found, int32_t error) {
  bool settled = true;
  for (uint32_t i = 0; i < space->questions_count; i++) {
    const struct question *question = &space->questions[i];
    if (!is_settled(question)) settled = false;
    else if (question->verdict == VERDICT_NO_NAME && !is_any_found(found)) return -SF_ENOENT;
  }
  if (!settled) {
    /* Half an answer is one, but not for long. */
    found->ttl_s = 0;
    return is_any_found(found) ? 0 : error;
  }
  return is_any_found(found) ? 0 : -SF_ENOENT;
}

/* No other server would help. */
static bool is_own_fault(int32_t error) {
  return error == -SF_ECANCELED || error == -SF_EMFILE || error == -SF_ENFILE ||
         error == -SF_ENOMEM || error == -SF_ENOSYS;
}

static bool all_settled(const struct space *space) {
  for (uint32_t i = 0; i < space->questions_count; i++)
    if (!is_settled(&space->questions[i])) return false;
  return true;
}

/* Asks for space->name. */
SF_PARKS static int32_t ask_servers(struct resolver *resolver, struct space *space, uint32_t kinds,
                                    struct found *found) {
  const struct configuration *configuration = &resolver->configuration;
  const uint32_t count = configuration->servers_count;
  const uint32_t first = configuration->rotate ? resolver->next_server++ : 0;
  int32_t error = -SF_ETIMEDOUT;
  if (count == 0) return -SF_ENOTCAPABLE;
  open_questions(space, kinds);
  for (uint32_t attempt = 0; attempt < configuration->attempts; attempt++) {
    for (uint32_t i = 0; i < count; i++) {
      const struct sf_address *server = &configuration->servers[(first + i) % count];
      const int32_t asked = ask_server(space, server, configuration->timeout_s, found);
      if (is_own_fault(asked)) return asked;
      if (all_settled(space)) return outcome(space, found, 0);
      error = asked == 0 ? -SF_EIO : asked;
    }
  }
  return outcome(space, found, error);
}

/* Puts "name" or "name.domain" into space->name. False: it is too long, or no name. */
static bool compose(struct space *space, const struct entry *entry,
                    const struct configuration *configuration, uint32_t domain) {
  uint32_t bytes = entry->name_bytes;
  __builtin_memcpy(space->candidate, entry->name, bytes);
  if (domain < SEARCH_MAX) {
    space->candidate[bytes++] = '.';
    __builtin_memcpy(space->candidate + bytes, configuration->search[domain],
                     configuration->search_bytes[domain]);
    bytes += configuration->search_bytes[domain];
  }
  return wire_from_text((struct text){space->candidate, space->candidate + bytes}, &space->name);
}

/* The name itself, as a domain. */
#define NO_DOMAIN SEARCH_MAX

/* Asks for the entry's name, in the order that resolv.conf(5) gives, until somebody knows it. */
SF_PARKS static int32_t ask_domains(struct resolver *resolver, struct space *space,
                                    const struct entry *entry, struct found *found) {
  const struct configuration *configuration = &resolver->configuration;
  const bool absolute = entry->name[entry->name_bytes - 1] == '.' || entry->kinds == KIND_NAME;
  const uint32_t domains = absolute ? 0 : configuration->search_count;
  uint32_t dots = 0;
  for (uint32_t i = 0; i < entry->name_bytes; i++) dots += entry->name[i] == '.';
  const bool itself_first = absolute || dots >= configuration->dots;

  if (!compose(space, entry, configuration, NO_DOMAIN)) return -SF_EINVAL;
  for (uint32_t i = 0; i <= domains; i++) {
    const uint32_t domain = itself_first ? (i == 0 ? NO_DOMAIN : i - 1)
                                         : (i == domains ? NO_DOMAIN : i);
    if (!compose(space, entry, configuration, domain)) continue;
    const int32_t error = ask_servers(resolver, space, entry->kinds, found);
    if (error != -SF_ENOENT) return error;
  }
  return -SF_ENOENT;
}

#endif
