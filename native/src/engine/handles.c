#include "engine/handles.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/listing.h"
#include "engine/terminal.h"
#include "stackful/abi.h"

#define INDEX_BITS 20
#define INDEX_MASK (SF_HANDLES_MAX - 1)
#define GENERATION_MAX 2047u

_Static_assert(SF_HANDLES_MAX == 1u << INDEX_BITS, "an index fits its bits");

void sf__handles_init(struct sf_handles *handles, uint32_t limit) {
  *handles = (struct sf_handles){
    .limit = limit < SF_HANDLES_MAX ? limit : SF_HANDLES_MAX,
    .free_first = SF_NONE,
    .free_last = SF_NONE,
  };
}

static void add_free(struct sf_handles *handles, uint32_t index) {
  handles->items[index].next_free = SF_NONE;
  if (handles->free_first == SF_NONE) {
    handles->free_first = index;
  } else {
    handles->items[handles->free_last].next_free = index;
  }
  handles->free_last = index;
}

static struct sf_handle free_handle(uint16_t generation) {
  return (struct sf_handle){
    .fd = -1,
    .generation = generation,
    .ops_first = SF_NONE,
    .lanes = { { SF_NONE, SF_NONE }, { SF_NONE, SF_NONE } },
    .close_op = SF_NONE,
  };
}

static int32_t grow(struct sf_handles *handles) {
  uint32_t capacity = handles->capacity == 0 ? 64 : handles->capacity * 2;
  struct sf_handle *items = realloc(handles->items, (size_t)capacity * sizeof(*items));
  if (items == NULL) return -SF_ENOMEM;
  handles->items = items;
  for (uint32_t i = handles->capacity; i < capacity; i++) {
    items[i] = free_handle(1);
    add_free(handles, i);
  }
  handles->capacity = capacity;
  return 0;
}

bool sf__handles_full(const struct sf_handles *handles) {
  return handles->used >= handles->limit;
}

int32_t sf__handles_reserve(struct sf_handles *handles, uint32_t *out) {
  if (sf__handles_full(handles)) return -SF_EMFILE;
  if (handles->free_first == SF_NONE) {
    int32_t err = grow(handles);
    if (err < 0) return err;
  }
  uint32_t index = handles->free_first;
  struct sf_handle *handle = &handles->items[index];
  assert(handle->kind == SF_HANDLE_FREE);
  handles->free_first = handle->next_free;
  handle->kind = SF_HANDLE_RESERVED;
  handles->used++;
  *out = index;
  return 0;
}

int32_t sf__handles_reserve_for(struct sf_handles *handles, int fd, uint32_t *out) {
  const int32_t err = sf__handles_reserve(handles, out);
  if (err < 0) close(fd);
  return err;
}

int32_t sf__handles_open(struct sf_handles *handles, uint32_t index, enum sf_handle_kind kind,
                         int fd) {
  struct sf_handle *handle = &handles->items[index];
  assert(handle->kind == SF_HANDLE_RESERVED);
  handle->kind = (uint8_t)kind;
  handle->fd = fd;
  handles->open++;
  return (int32_t)((uint32_t)handle->generation << INDEX_BITS | index);
}

void sf__handles_release(struct sf_handles *handles, uint32_t index) {
  struct sf_handle *handle = &handles->items[index];
  assert(handle->kind != SF_HANDLE_FREE);
  assert(handle->ops_first == SF_NONE);
  if (handle->kind != SF_HANDLE_RESERVED) handles->open--;
  handles->used--;
  sf__listing_close(handle->listing);
  *handle = free_handle((uint16_t)(handle->generation % GENERATION_MAX + 1));
  add_free(handles, index);
}

struct sf_handle sf__handles_take(struct sf_handles *handles, uint32_t index) {
  const struct sf_handle taken = handles->items[index];
  handles->items[index].listing = NULL;
  sf__handles_release(handles, index);
  return taken;
}

int32_t sf__handles_put(struct sf_handles *handles, uint32_t index, const struct sf_handle *taken) {
  struct sf_handle *handle = &handles->items[index];
  const struct sf_handle place = *handle;
  *handle = *taken;
  handle->generation = place.generation;
  handle->kind = place.kind;
  return sf__handles_open(handles, index, (enum sf_handle_kind)taken->kind, taken->fd);
}

struct sf_handle *sf__handles_get(const struct sf_handles *handles, int32_t handle) {
  uint32_t index = (uint32_t)handle & INDEX_MASK;
  if (handle < 0 || index >= handles->capacity) return NULL;
  struct sf_handle *item = &handles->items[index];
  if (item->generation != (uint32_t)handle >> INDEX_BITS) return NULL;
  if (item->kind < SF_HANDLE_LISTENER || item->closing) return NULL;
  return item;
}

uint32_t sf__handles_index(const struct sf_handles *handles, const struct sf_handle *handle) {
  return (uint32_t)(handle - handles->items);
}

void sf__handle_end(const struct sf_handle *handle) {
  const struct linger off = { 0 };
  sf__listing_close(handle->listing);
  if (handle->fd < 0) return;
  if (handle->raw) sf__terminal_release(handle->fd);
  if (handle->lingers) setsockopt(handle->fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
  close(handle->fd);
}

void sf__handles_free(struct sf_handles *handles) {
  for (uint32_t i = 0; i < handles->capacity; i++) sf__handle_end(&handles->items[i]);
  free(handles->items);
  sf__handles_init(handles, 0);
}
