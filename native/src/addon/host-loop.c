/* host-loop.c - Node's event loop, by libuv.
 *
 * Its functions are looked up in the process at run time, with prototypes of our own: there is
 * nothing to link against, and no header that could be of another version.
 */
#define _GNU_SOURCE
#include "addon/host-loop.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/os-errno.h"
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

struct uv_host_loop {
  struct sf_host_loop base; /* first: a struct sf_host_loop * is a struct uv_host_loop * */
  struct uv uv;
  void *loop;
  bool watching; /* libuv has the handle, until on_close */
  bool held;
  sf_host_loop_callback ready;
  sf_host_loop_callback closed;
  void *context;
  _Alignas(16) char handle[]; /* the uv_poll_t, whose size only libuv knows */
};

static struct uv_host_loop *of(void *handle) {
  return (struct uv_host_loop *)(void *)((char *)handle - offsetof(struct uv_host_loop, handle));
}

/* ISO C knows no conversion between the two kinds of pointer; POSIX says they look alike. */
static bool find(const char *name, void *function) {
  void *symbol = dlsym(RTLD_DEFAULT, name);
  memcpy(function, &symbol, sizeof(symbol));
  return symbol != NULL;
}

static void on_poll(void *handle, int status, int events) {
  const struct uv_host_loop *loop = of(handle);
  (void)status; /* what is watched has no errors */
  (void)events;
  loop->ready(loop->context);
}

static void on_close(void *handle) {
  struct uv_host_loop *loop = of(handle);
  loop->closed(loop->context);
  free(loop);
}

static int32_t uv_watch(struct sf_host_loop *base, int fd, sf_host_loop_callback ready,
                        void *context) {
  struct uv_host_loop *loop = (struct uv_host_loop *)base;
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

static void uv_hold(struct sf_host_loop *base, bool hold) {
  struct uv_host_loop *loop = (struct uv_host_loop *)base;
  if (hold == loop->held || !loop->watching) return;
  loop->held = hold;
  if (hold) {
    loop->uv.ref(loop->handle);
  } else {
    loop->uv.unref(loop->handle);
  }
}

static int uv_fd(const struct sf_host_loop *base) {
  const struct uv_host_loop *loop = (const struct uv_host_loop *)base;
  return loop->uv.backend_fd(loop->loop);
}

static int32_t uv_timeout_ms(struct sf_host_loop *base) {
  struct uv_host_loop *loop = (struct uv_host_loop *)base;
  /* The loop's clock stands still between its turns. */
  loop->uv.update_time(loop->loop);
  /* Of a loop that nothing keeps alive libuv says 0, as if it had work. */
  const bool held = loop->held;
  uv_hold(base, true);
  const int timeout_ms = loop->uv.backend_timeout(loop->loop);
  uv_hold(base, held);
  return timeout_ms;
}

static void uv_close(struct sf_host_loop *base, sf_host_loop_callback closed, void *context) {
  struct uv_host_loop *loop = (struct uv_host_loop *)base;
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

static const struct sf_host_loop_ops uv_ops = {
  .watch = uv_watch,
  .hold = uv_hold,
  .fd = uv_fd,
  .timeout_ms = uv_timeout_ms,
  .close = uv_close,
};

int32_t sf__host_loop_open(struct sf_host_loop **out, napi_env env) {
  struct uv_loop_s *uv_loop;
  if (napi_get_uv_event_loop(env, &uv_loop) != napi_ok) return -SF_ENOSYS;

  bool complete = true;
  struct uv uv;
#define X(result, name, parameters) complete = find("uv_" #name, &uv.name) && complete;
  UV_MAP(X)
#undef X
  if (!complete) return -SF_ENOSYS;

  struct uv_host_loop *loop = calloc(1, sizeof(*loop) + uv.handle_size(UV_POLL));
  if (loop == NULL) return -SF_ENOMEM;
  loop->base.ops = &uv_ops;
  loop->uv = uv;
  loop->loop = uv_loop;
  *out = &loop->base;
  return 0;
}
