#define _GNU_SOURCE
#include "engine/released.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifndef __OpenBSD__ /* whose unistd.h has it */
#include <sys/random.h>
#endif

#include "engine/mechanism.h"
#include "engine/os-errno.h"
#include "stackful/abi.h"

#define BUCKETS 1024u

struct sf_released {
  struct sf_handle handle;
  struct sf_handle_token token;
  struct sf_engine *from;
  bool nonblocking;         /* its descriptor says EAGAIN instead of waiting */
  struct sf_released *next; /* in its bucket */
  struct sf_released *older; /* of the same engine */
  struct sf_released *newer;
};

/* Of the whole process: engines are on threads of it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* also of `released` in every engine */
static struct sf_released *buckets[BUCKETS];

/* The pointer that leads to what the token stands for, or to nothing. */
static struct sf_released **find(const struct sf_pool_key *pool,
                                 const struct sf_handle_token *token) {
  uint32_t hash;
  memcpy(&hash, token->bytes, sizeof(hash));
  struct sf_released **at = &buckets[hash % BUCKETS];
  for (; *at != NULL; at = &(*at)->next) {
    const struct sf_released *found = *at;
    if (memcmp(&found->token, token, sizeof(*token)) == 0 &&
        memcmp(&found->from->pool_key, pool, sizeof(*pool)) == 0) {
      break;
    }
  }
  return at;
}

static void take_out(struct sf_released **at) {
  struct sf_released *released = *at;
  struct sf_engine *from = released->from;
  *at = released->next;
  if (released->older != NULL) released->older->newer = released->newer;
  if (released->newer == NULL) {
    from->released = released->older;
  } else {
    released->newer->older = released->older;
  }
  from->released_count--;
}

static void add(struct sf_released *released) {
  struct sf_engine *from = released->from;
  *find(&from->pool_key, &released->token) = released; /* the last of its bucket */
  released->older = from->released;
  if (released->older != NULL) released->older->newer = released;
  from->released = released;
  from->released_count++;
}

/* Whether it can be another engine's. */
static int32_t check(const struct sf_engine *engine, const struct sf_handle *handle) {
  if (handle->kind == SF_HANDLE_PROCESS || handle->kind == SF_HANDLE_DESCRIPTOR ||
      handle->stdio != SF_STDIO_NONE) {
    return -SF_ENOTSUP;
  }
  if (handle->ops_first != SF_NONE) return -SF_EBUSY;
  return engine->released_count >= engine->base.handles.limit ? -SF_EMFILE : 0;
}

int32_t sf__released_add(struct sf_engine *engine, struct sf_handle *handle,
                         struct sf_handle_token *out) {
  struct sf_released *released = calloc(1, sizeof(*released));
  if (released == NULL) return -SF_ENOMEM;
  if (getentropy(&released->token, sizeof(released->token)) < 0) {
    free(released);
    return sf__error(errno);
  }
  pthread_mutex_lock(&lock);
  const int32_t err = check(engine, handle);
  if (err == 0) {
    const struct sf_mechanism *mechanism = engine->mechanism;
    if (mechanism->release != NULL) mechanism->release(engine, handle->fd);
    struct sf_handles *handles = &engine->base.handles;
    released->from = engine;
    released->nonblocking = mechanism->nonblocking || handle->polled;
    released->handle = sf__handles_take(handles, sf__handles_index(handles, handle));
    *out = released->token;
    add(released);
  }
  pthread_mutex_unlock(&lock);
  if (err < 0) free(released);
  return err;
}

/* What its mechanism expects of a descriptor. */
static void suit(const struct sf_engine *engine, struct sf_released *released) {
  struct sf_handle *handle = &released->handle;
  if (sf__is_file(handle->kind) || engine->mechanism->nonblocking == released->nonblocking) return;
  if (released->nonblocking) {
    handle->polled = true;
    return;
  }
  const int flags = fcntl(handle->fd, F_GETFL);
  if (flags >= 0) fcntl(handle->fd, F_SETFL, flags | O_NONBLOCK);
}

int32_t sf__released_adopt(struct sf_engine *engine, const struct sf_handle_token *token) {
  struct sf_handles *handles = &engine->base.handles;
  uint32_t place;
  const int32_t err = sf__handles_reserve(handles, &place);
  if (err < 0) return err;
  pthread_mutex_lock(&lock);
  struct sf_released **at = find(&engine->pool_key, token);
  struct sf_released *released = *at;
  if (released != NULL) take_out(at);
  pthread_mutex_unlock(&lock);
  if (released == NULL) {
    sf__handles_release(handles, place);
    return -SF_EBADF;
  }
  suit(engine, released);
  const int32_t handle = sf__handles_put(handles, place, &released->handle);
  free(released);
  return handle;
}

void sf__released_end(struct sf_engine *engine) {
  for (;;) {
    pthread_mutex_lock(&lock);
    struct sf_released *released = engine->released;
    if (released != NULL) take_out(find(&engine->pool_key, &released->token));
    pthread_mutex_unlock(&lock);
    if (released == NULL) return;
    sf__handle_end(&released->handle);
    free(released);
  }
}

int32_t sf__backend_release(struct sf_backend *backend, int32_t handle,
                            struct sf_handle_token *out) {
  struct sf_handle *found = sf__handles_get(&backend->handles, handle);
  return found == NULL ? -SF_EBADF : sf__released_add((struct sf_engine *)backend, found, out);
}

int32_t sf__backend_adopt_released(struct sf_backend *backend,
                                   const struct sf_handle_token *token) {
  return sf__released_adopt((struct sf_engine *)backend, token);
}
