#include "engine/guest.h"

#include <stddef.h>
#include <string.h>

/* Keeps the work of one turn bounded, whatever the guest asks for. */
#define RING_CAPACITY_MAX (1u << 20)

static uint32_t *field(const struct sf_guest *guest, size_t offset) {
  /* Aligned: bind checks `shared`, and a wasm memory starts at a page. */
  return (uint32_t *)(void *)(guest->base + guest->shared + offset);
}

#define FIELD(guest, name) field((guest), offsetof(struct sf_shared, name))

static int32_t check_ring(const struct sf_guest *guest, uint32_t address, uint32_t capacity,
                          uint64_t record_bytes) {
  if (capacity == 0 || (capacity & (capacity - 1)) != 0) return -SF_EINVAL;
  if (capacity > RING_CAPACITY_MAX) return -SF_EINVAL;
  if (sf__guest_range(guest, address, capacity * record_bytes) == NULL) return -SF_EFAULT;
  return 0;
}

int32_t sf__guest_bind(struct sf_guest *out, uint8_t *base, uint64_t bytes, uint32_t shared,
                       bool moves) {
  struct sf_shared block;
  struct sf_guest guest = { .base = base, .bytes = bytes, .shared = shared, .moves = moves };
  int32_t err;

  const void *source = sf__guest_range(&guest, shared, sizeof(block));
  if (source == NULL || shared % 4 != 0) return -SF_EFAULT;
  memcpy(&block, source, sizeof(block));

  guest.submissions = block.submissions;
  guest.submissions_capacity = block.submissions_capacity;
  err = check_ring(&guest, guest.submissions, guest.submissions_capacity,
                   sizeof(struct sf_submission));
  if (err < 0) return err;

  guest.completions = block.completions;
  guest.completions_capacity = block.completions_capacity;
  err = check_ring(&guest, guest.completions, guest.completions_capacity,
                   sizeof(struct sf_completion));
  if (err < 0) return err;

  *out = guest;
  return 0;
}

/* However many there are, nobody looks at more. */
#define LOOKED_AT_MAX 32

static const uint8_t *submission_at(const struct sf_guest *guest, uint32_t position) {
  const uint64_t index = position & (guest->submissions_capacity - 1);
  return guest->base + guest->submissions + index * sizeof(struct sf_submission);
}

uint32_t sf__guest_waiting(const struct sf_guest *guest) {
  uint32_t head = __atomic_load_n(FIELD(guest, submissions_head), __ATOMIC_RELAXED);
  uint32_t tail = __atomic_load_n(FIELD(guest, submissions_tail), __ATOMIC_ACQUIRE);
  uint32_t count = tail - head;
  return count < guest->submissions_capacity ? count : guest->submissions_capacity;
}

void sf__guest_take(const struct sf_guest *guest, struct sf_submission *out) {
  uint32_t *head = FIELD(guest, submissions_head);
  uint32_t position = __atomic_load_n(head, __ATOMIC_RELAXED);
  memcpy(out, submission_at(guest, position), sizeof(*out));
  __atomic_store_n(head, position + 1, __ATOMIC_RELEASE);
}

void sf__guest_next(const struct sf_guest *guest, struct sf_submission *out) {
  const uint32_t tail = __atomic_load_n(FIELD(guest, submissions_tail), __ATOMIC_ACQUIRE);
  memcpy(out, submission_at(guest, tail), sizeof(*out));
}

bool sf__guest_submitted(const struct sf_guest *guest, int32_t handle) {
  const uint32_t tail = __atomic_load_n(FIELD(guest, submissions_tail), __ATOMIC_ACQUIRE);
  const uint32_t waiting = sf__guest_waiting(guest);
  if (waiting > LOOKED_AT_MAX) return true;
  for (uint32_t back = 1; back <= waiting; back++) {
    struct sf_submission submission;
    memcpy(&submission, submission_at(guest, tail - back), sizeof(submission));
    if (submission.handle == handle || submission.other_handle == handle) return true;
  }
  return false;
}

bool sf__guest_complete(const struct sf_guest *guest, const struct sf_completion *completion) {
  uint32_t *tail = FIELD(guest, completions_tail);
  uint32_t head = __atomic_load_n(FIELD(guest, completions_head), __ATOMIC_ACQUIRE);
  uint32_t position = __atomic_load_n(tail, __ATOMIC_RELAXED);
  uint64_t index = position & (guest->completions_capacity - 1);
  if (position - head >= guest->completions_capacity) return false;
  memcpy(guest->base + guest->completions + index * sizeof(*completion), completion,
         sizeof(*completion));
  __atomic_store_n(tail, position + 1, __ATOMIC_RELEASE);
  return true;
}
