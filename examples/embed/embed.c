/* embed.c - a guest for a TypeScript program: blocking calls of a host function that is async.
 *
 * Shows:
 *   - a host import, example.fetch, that looks like any blocking function from here. The task parks
 *     until the host's promise settles; other tasks run meanwhile, and park in it too;
 *   - results through a channel that the host iterates over;
 *   - a reactor: no main, the host starts `fetch_page` as often as it likes.
 */
#include <stackful.h>
#include <stdio.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/* Fetches `path` of the host's server and puts at most `bytes_max` bytes of the body into
 * `body_out`. Returns the number of bytes, or a negated HTTP status. */
SF_PARKS __attribute__((import_module("example"), import_name("fetch")))
int32_t host_fetch(const char *path, uint32_t path_bytes, char *body_out, uint32_t bytes_max);

/* What the host reads from the channel: 16 bytes. */
struct page {
  uint32_t number;
  int32_t result; /* bytes, or a negated HTTP status */
  uint64_t sum;   /* of the body's bytes */
};
_Static_assert(sizeof(struct page) == 16, "embed.ts reads this layout");

/* Fetches page `number` and reports it. The body is on the task's own stack all the while. */
EXPORT(fetch_page) int32_t fetch_page(struct sf_channel *pages, uint32_t number) {
  char path[32];
  char body[1024];
  int path_bytes = snprintf(path, sizeof(path), "/page/%u", (unsigned)number);

  struct page page = { .number = number };
  page.result = host_fetch(path, (uint32_t)path_bytes, body, sizeof(body));
  for (int32_t i = 0; i < page.result; i++) page.sum += (uint8_t)body[i];
  return sf_channel_send(pages, &page);
}
