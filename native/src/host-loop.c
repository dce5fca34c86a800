#define _GNU_SOURCE
#include "host-loop.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "os-errno.h"
#include "stackful/abi.h"

/* From uv.h; fixed for libuv 1.x. */
#define UV_POLL 8
#define UV_READABLE 1

/* Every function that is used: result, name, parameters. Handles and loops are opaque. */
#define UV_MAP(X) \
  X(int, poll_init, (void *loop, void *handle, int fd)) \
  X(int, poll_start, (void *handle, int events, void (*callback)(void *, int, int))) \
  X(int, poll_stop, (void *handle)) \
  X(void, close, (void *handle, void (*callback)(void *))) \
  X(void, ref, (void *handle)) \
  X(void, unref, (void *handle)) \
  X(size_t, handle_size, (int type)) \
  X(void, update_time, (void *loop)) \
  X(int, backend_fd, (const void *loop)) \
  X(int, backend_timeout, (const void *loop))

struct uv {
#define X(result, name, parameters) result(*name) parameters;
  UV_MAP(X)
#undef X
};

struct sf_host_loop {
  struct uv uv;
  void *loop;
  bool watching; /* libuv has the handle, until on_close */
  bool held;
  sf_host_loop_callback ready;
  sf_host_loop_callback closed;
  void *context;
  _Alignas(16) char handle[]; /* the uv_poll_t, whose size only libuv knows */
};

static struct sf_host_loop *of(void *handle) {
  return (struct sf_host_loop *)(void *)((char *)handle - offsetof(struct sf_host_loop, handle));
}

/* ISO C knows no conversion between the two kinds of pointer; POSIX says they look alike. */
static bool find(const char *name, void *function) {
  void *symbol = dlsym(RTLD_DEFAULT, name);
  memcpy(function, &symbol, sizeof(symbol));
  return symbol != NULL;
}

int32_t sf__host_loop_open(struct sf_host_loop **out, void *uv_loop) {
  bool complete = true;
  struct uv uv;
#define X(result, name, parameters) complete = find("uv_" #name, &uv.name) && complete;
  UV_MAP(X)
#undef X
  if (!complete) return -SF_ENOSYS;

  struct sf_host_loop *loop = calloc(1, sizeof(*loop) + uv.handle_size(UV_POLL));
  if (loop == NULL) return -SF_ENOMEM;
  loop->uv = uv;
  loop->loop = uv_loop;
  *out = loop;
  return 0;
}

static void on_poll(void *handle, int status, int events) {
  const struct sf_host_loop *loop = of(handle);
  (void)status; /* an eventfd has no errors */
  (void)events;
  loop->ready(loop->context);
}

static void on_close(void *handle) {
  struct sf_host_loop *loop = of(handle);
  loop->closed(loop->context);
  free(loop);
}

int32_t sf__host_loop_watch(struct sf_host_loop *loop, int fd, sf_host_loop_callback ready,
                            void *context) {
  /* libuv's errors are negated errnos here. */
  int err = loop->uv.poll_init(loop->loop, loop->handle, fd);
  if (err < 0) return sf__error(-err);
  loop->watching = true;
  loop->ready = ready;
  loop->context = context;
  loop->uv.unref(loop->handle);
  err = loop->uv.poll_start(loop->handle, UV_READABLE, on_poll);
  return err < 0 ? sf__error(-err) : 0;
}

void sf__host_loop_hold(struct sf_host_loop *loop, bool hold) {
  if (hold == loop->held || !loop->watching) return;
  loop->held = hold;
  if (hold) {
    loop->uv.ref(loop->handle);
  } else {
    loop->uv.unref(loop->handle);
  }
}

int sf__host_loop_fd(const struct sf_host_loop *loop) {
  return loop->uv.backend_fd(loop->loop);
}

int32_t sf__host_loop_timeout_ms(struct sf_host_loop *loop) {
  /* The loop's clock stands still between its turns. */
  loop->uv.update_time(loop->loop);
  /* Of a loop that nothing keeps alive libuv says 0, as if it had work. */
  const bool held = loop->held;
  sf__host_loop_hold(loop, true);
  const int timeout_ms = loop->uv.backend_timeout(loop->loop);
  sf__host_loop_hold(loop, held);
  return timeout_ms;
}

void sf__host_loop_close(struct sf_host_loop *loop, sf_host_loop_callback closed, void *context) {
  if (!loop->watching) {
    closed(context);
    free(loop);
    return;
  }
  loop->closed = closed;
  loop->context = context;
  loop->uv.poll_stop(loop->handle);
  loop->uv.close(loop->handle, on_close);
}
