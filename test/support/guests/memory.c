/* memory.c - the guest's own memory beside the runtime's regions. */
#include "law.h"

static int32_t hold_task(void *argument) {
  volatile uint8_t array[512];
  for (int32_t i = 0; i < 512; i++) array[i] = (uint8_t)(i ^ (int32_t)argument);
  if (sf_park() != 0) return __LINE__;
  for (int32_t i = 0; i < 512; i++)
    if (array[i] != (uint8_t)(i ^ (int32_t)argument)) return __LINE__;
  return 0;
}

static uint8_t *blocks[4096];

/* Blocks and stacks grow by turns; none may overlap another. */
LAW(malloc_beside_tasks)(int32_t block_bytes, int32_t count) {
  static sf_task_t tasks[4096];
  for (int32_t i = 0; i < count; i++) {
    CHECK(sf_spawn(hold_task, (void *)i, NULL, &tasks[i]) == 0);
    blocks[i] = malloc((size_t)block_bytes);
    CHECK(blocks[i] != NULL);
    memset(blocks[i], i & 0xff, (size_t)block_bytes);
    if (i % 7 == 0) CHECK(sf_yield() == 0);
  }
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < count; i++) {
    for (int32_t at = 0; at < block_bytes; at += 61) CHECK(blocks[i][at] == (i & 0xff));
    int32_t line;
    CHECK(sf_unpark(tasks[i]) == 0);
    CHECK(sf_join(tasks[i], &line) == 0);
    if (line != 0) return line;
    free(blocks[i]);
  }
  return 0;
}

LAW(large_malloc)(int32_t bytes) {
  sf_task_t task;
  int32_t line;
  CHECK(sf_spawn(hold_task, NULL, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  uint8_t *block = malloc((size_t)bytes);
  CHECK(block != NULL);
  CHECK(sf_yield() == 0);
  block[0] = block[bytes - 1] = 1;
  memset(block, 0xaa, (size_t)bytes);
  CHECK(sf_unpark(task) == 0);
  CHECK(sf_join(task, &line) == 0);
  free(block);
  return line;
}

LAW(malloc_at_the_limit)(void) {
  /* Volatile: the compiler may take an allocation that nobody looks at for a success. */
  void *volatile block = malloc(64 << 20);
  CHECK(block == NULL);
  int32_t count = 0;
  void *last = NULL;
  for (; count < 10000; count++) {
    void **small = malloc(64 << 10);
    if (small == NULL) break;
    *small = last;
    last = small;
  }
  CHECK(count > 0 && count < 10000);
  /* Tasks have memory of their own. */
  sf_task_t task;
  int32_t line;
  CHECK(sf_spawn(hold_task, NULL, NULL, &task) == 0);
  CHECK(sf_yield() == 0);
  CHECK(sf_unpark(task) == 0);
  CHECK(sf_join(task, &line) == 0);
  while (last != NULL) {
    void *next = *(void **)last;
    free(last);
    last = next;
  }
  return line;
}

/* What an allocator may assume that was there before us: memory.size is the end of what it owns, and
 * memory.grow continues there. */
LAW(grow_is_contiguous)(int32_t steps) {
  for (int32_t i = 0; i < steps; i++) {
    uint32_t before = __builtin_wasm_memory_size(0);
    sf_task_t task;
    CHECK(sf_spawn(hold_task, NULL, &(struct sf_spawn_options){.stack_bytes = 1 << 20}, &task) == 0);
    CHECK(__builtin_wasm_memory_size(0) == before);
    uint32_t pages = 1 + (uint32_t)i % 3;
    CHECK(__builtin_wasm_memory_grow(0, pages) == before);
    CHECK(__builtin_wasm_memory_size(0) == before + pages);
    uint8_t *fresh = (uint8_t *)(before * 65536);
    for (uint32_t at = 0; at < pages * 65536; at += 64) CHECK(fresh[at] == 0);
    memset(fresh, 0xee, pages * 65536);
    CHECK(sf_yield() == 0);
    CHECK(sf_unpark(task) == 0);
    int32_t line;
    CHECK(sf_join(task, &line) == 0);
    if (line != 0) return line;
  }
  return 0;
}

LAW(grow_past_the_limit)(int32_t limit_pages) {
  uint32_t size = __builtin_wasm_memory_size(0);
  CHECK(size < (uint32_t)limit_pages);
  CHECK((int32_t)__builtin_wasm_memory_grow(0, (uint32_t)limit_pages - size + 1) == -1);
  CHECK((int32_t)__builtin_wasm_memory_grow(0, 0xffffffff) == -1);
  CHECK(__builtin_wasm_memory_grow(0, 0) == size);
  CHECK(__builtin_wasm_memory_grow(0, (uint32_t)limit_pages - size) == size);
  CHECK(__builtin_wasm_memory_size(0) == (uint32_t)limit_pages);
  CHECK((int32_t)__builtin_wasm_memory_grow(0, 1) == -1);
  *(uint8_t *)(limit_pages * 65536 - 1) = 1;
  return 0;
}

LAW(regions_run_out)(void) {
  /* 8 MiB stacks until the 4 GiB of the address space are used up. */
  sf_task_t *tasks = malloc(1024 * sizeof(*tasks));
  struct sf_spawn_options options = {.stack_bytes = 8 << 20};
  int32_t count = 0, error = 0;
  while (count < 1024 && (error = sf_spawn(hold_task, NULL, &options, &tasks[count])) == 0) count++;
  CHECK(error == -SF_ENOMEM);
  CHECK(sf_yield() == 0);
  for (int32_t i = 0; i < count; i++) CHECK(sf_unpark(tasks[i]) == 0);
  for (int32_t i = 0; i < count; i++) {
    int32_t line;
    CHECK(sf_join(tasks[i], &line) == 0);
    if (line != 0) return line;
  }
  CHECK(sf_spawn(hold_task, NULL, &options, &tasks[0]) == 0);
  CHECK(sf_unpark(tasks[0]) == 0);
  CHECK(sf_join(tasks[0], NULL) == 0);
  free(tasks);
  return 0;
}

/* ── Addresses ─────────────────────────────────────────────────────────────────────────────────── */

static char text[256];
static struct sf_address parsed;

char *EXPORT(text_address)(void) { return text; }
struct sf_address *EXPORT(parsed_address)(void) { return &parsed; }
int32_t EXPORT(parse)(int32_t bytes, int32_t port) {
  memset(&parsed, 0xcc, sizeof(parsed));
  return sf_address_parse(text, (uint32_t)bytes, (uint32_t)port, &parsed);
}
