/* lines.h - the texts that the embedder grants, line by line. */
#ifndef NET_LINES_H
#define NET_LINES_H

#include "resolver.h"

static void lines_open(struct lines *lines, uint32_t which) {
  lines->which = which;
  lines->offset = 0;
  lines->start = lines->end = lines->cut = 0;
}

/* Moves what is left to the front and reads more behind it. Returns bytes, 0 at the end, or a negated
 * sf_errno. */
SF_PARKS static int32_t lines_fill(struct lines *lines) {
  const uint32_t left = lines->end - lines->start;
  __builtin_memmove(lines->text, lines->text + lines->start, left);
  lines->start = 0;
  lines->end = left;
  const int32_t bytes = sf_perform_request((struct sf_submission){
      .op = SF_OP_RESOLVER, .handle = -1, .argument = lines->which,
      .pointer = sf_address_of(lines->text + left), .length = LINE_BYTES_MAX - left,
      .offset = lines->offset});
  if (bytes > 0) {
    lines->offset += bytes;
    lines->end += (uint32_t)bytes;
  }
  return bytes;
}

/* The next line, without its comment; of one longer than LINE_BYTES_MAX the beginning. Returns 1; 0 at the
 * end; or a negated sf_errno. */
SF_PARKS static int32_t lines_next(struct lines *lines, struct text *line) {
  uint32_t at = lines->start;
  for (;;) {
    while (at < lines->end && lines->text[at] != '\n') at++;
    const bool ended = at < lines->end;
    const bool full = !ended && lines->end - lines->start == LINE_BYTES_MAX;
    if (ended || full) {
      *line = (struct text){lines->text + lines->start, lines->text + at};
      const bool is_rest = lines->cut;
      lines->cut = full;
      lines->start = at + ended;
      if (!is_rest) break;
      at = lines->start;
      if (ended) continue;
    }
    at -= lines->start;
    const int32_t bytes = lines_fill(lines);
    if (bytes < 0) return bytes;
    if (bytes > 0) continue;
    *line = (struct text){lines->text, lines->text + lines->end};
    lines->start = lines->end;
    if (text_bytes(*line) == 0 || lines->cut) return 0;
    break;
  }
  for (const char *letter = line->at; letter < line->end; letter++)
    if (*letter == '#') line->end = letter;
  return 1;
}

#endif
