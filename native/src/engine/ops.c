#include "engine/ops.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

/* Fibonacci hashing: tokens are often consecutive or multiples of a block size. A guest that looks
 * for collisions slows only itself down. */
static uint32_t *chain(const struct sf_ops *ops, uint32_t token) {
  uint64_t mixed = (uint64_t)token * 0x9E3779B97F4A7C15u;
  return &ops->chains[(uint32_t)(mixed >> 32) & (ops->capacity - 1)];
}

static void chain_add(struct sf_ops *ops, uint32_t index) {
  struct sf_op *op = &ops->items[index];
  uint32_t *first = chain(ops, op->token);
  op->token_next = *first;
  op->token_previous = SF_NONE;
  if (*first != SF_NONE) ops->items[*first].token_previous = index;
  *first = index;
}

static void chain_remove(struct sf_ops *ops, uint32_t index) {
  const struct sf_op *op = &ops->items[index];
  if (op->token_previous == SF_NONE) {
    *chain(ops, op->token) = op->token_next;
  } else {
    ops->items[op->token_previous].token_next = op->token_next;
  }
  if (op->token_next != SF_NONE) ops->items[op->token_next].token_previous = op->token_previous;
}

static int32_t grow(struct sf_ops *ops) {
  uint32_t capacity = ops->capacity == 0 ? 64 : ops->capacity * 2;

  uint32_t *chains = malloc((size_t)capacity * sizeof(*chains));
  if (chains == NULL) return -SF_ENOMEM;
  struct sf_op *items = realloc(ops->items, (size_t)capacity * sizeof(*items));
  if (items == NULL) {
    free(chains);
    return -SF_ENOMEM;
  }

  for (uint32_t i = 0; i < capacity; i++) chains[i] = SF_NONE;
  for (uint32_t i = ops->capacity; i < capacity; i++) {
    items[i] = (struct sf_op){ .token_next = i + 1 < capacity ? i + 1 : SF_NONE, .fd = -1, .other_fd = -1 };
  }
  free(ops->chains);
  uint32_t before = ops->capacity;
  ops->chains = chains;
  ops->items = items;
  ops->capacity = capacity;
  ops->free_first = before;
  for (uint32_t i = 0; i < before; i++) {
    if (!items[i].canceled) chain_add(ops, i);
  }
  return 0;
}

int32_t sf__ops_add(struct sf_ops *ops, const struct sf_submission *submission, uint32_t *out) {
  if (ops->live == ops->capacity) {
    int32_t err = grow(ops);
    if (err < 0) return err;
  }
  uint32_t index = ops->free_first;
  struct sf_op *op = &ops->items[index];
  assert(!op->live);
  ops->free_first = op->token_next;
  ops->live++;
  *op = (struct sf_op){
    .token = submission->token,
    .generation = op->generation,
    .handle = SF_NONE,
    .opens = SF_NONE,
    .pointer = submission->pointer,
    .length = submission->length,
    .argument = submission->argument,
    .offset = submission->offset,
    .other_offset = submission->other_offset,
    .handle_next = SF_NONE,
    .handle_previous = SF_NONE,
    .fd = -1,
    .other_fd = -1,
    .lane = SF_LANES,
    .opcode = (uint8_t)submission->op,
    .live = true,
  };
  chain_add(ops, index);
  *out = index;
  return 0;
}

void sf__ops_link(struct sf_ops *ops, uint32_t index, struct sf_handles *handles,
                  uint32_t handle) {
  struct sf_op *op = &ops->items[index];
  uint32_t *first = &handles->items[handle].ops_first;
  op->handle = handle;
  op->linked = true;
  op->handle_next = *first;
  if (*first != SF_NONE) ops->items[*first].handle_previous = index;
  *first = index;
}

static void free_owned(const struct sf_op *op) {
  if (op->other_fd >= 0) close(op->other_fd);
  free(op->kept);
  free(op->bounce);
}

void sf__ops_remove(struct sf_ops *ops, uint32_t index, struct sf_handles *handles) {
  struct sf_op *op = &ops->items[index];
  assert(op->live);
  if (!op->canceled) chain_remove(ops, index);
  if (op->linked) {
    if (op->handle_previous == SF_NONE) {
      handles->items[op->handle].ops_first = op->handle_next;
    } else {
      ops->items[op->handle_previous].handle_next = op->handle_next;
    }
    if (op->handle_next != SF_NONE) {
      ops->items[op->handle_next].handle_previous = op->handle_previous;
    }
  }
  free_owned(op);
  *op = (struct sf_op){
    .generation = op->generation + 1,
    .token_next = ops->free_first,
    .fd = -1,
    .other_fd = -1,
  };
  ops->free_first = index;
  ops->live--;
}

uint64_t sf__ops_key(const struct sf_ops *ops, uint32_t index) {
  return (uint64_t)ops->items[index].generation << 32 | index;
}

uint32_t sf__ops_index(const struct sf_ops *ops, uint64_t key) {
  uint32_t index = (uint32_t)key;
  if (index >= ops->capacity || !ops->items[index].live) return SF_NONE;
  return ops->items[index].generation == (uint32_t)(key >> 32) ? index : SF_NONE;
}

uint32_t sf__ops_find(const struct sf_ops *ops, uint32_t token) {
  if (ops->capacity == 0) return SF_NONE;
  uint32_t index = *chain(ops, token);
  while (index != SF_NONE && (ops->items[index].token != token || ops->items[index].silent)) {
    index = ops->items[index].token_next;
  }
  return index;
}

bool sf__ops_cancel(struct sf_ops *ops, uint32_t index) {
  if (ops->items[index].canceled) return false;
  chain_remove(ops, index);
  ops->items[index].canceled = true;
  return true;
}

void sf__ops_free(struct sf_ops *ops) {
  for (uint32_t i = 0; i < ops->capacity; i++) {
    /* Of one that never began, or never ended. */
    if (ops->items[i].fd >= 0) close(ops->items[i].fd);
    free_owned(&ops->items[i]);
  }
  free(ops->items);
  free(ops->chains);
  *ops = (struct sf_ops){ 0 };
}
