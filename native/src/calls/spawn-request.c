/* spawn-request.c - SPAWN: what the guest asks for, copied out and checked. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls/spawn.h"

/* Of arguments and environment together: what Linux takes by default. */
#define BYTES_MAX (2u << 20)

static void close_streams(struct sf_engine *engine, struct sf_spawn *spawn) {
  for (int i = 0; i < SF_STREAMS; i++) {
    struct sf_stream_request *stream = &spawn->streams[i];
    if (stream->given >= 0) close(stream->given);
    if (stream->place != SF_NONE) sf__handles_release(&engine->base.handles, stream->place);
    *stream = (struct sf_stream_request){ .place = SF_NONE, .given = -1 };
  }
}

void sf__spawn_free(struct sf_engine *engine, struct sf_spawn *spawn) {
  close_streams(engine, spawn);
  free(spawn->process);
  free(spawn->programs.text);
  free(spawn->directory);
  spawn->process = NULL;
  spawn->programs = (struct sf_strings){ 0 };
  spawn->directory = NULL;
}

/* How many strings there are, each with a zero at its end; or a negated sf_errno. */
static int64_t count_strings(const struct sf_guest *guest, uint32_t pointer, uint32_t bytes) {
  const char *text = sf__guest_range(guest, pointer, bytes);
  if (bytes == 0) return 0;
  if (text == NULL) return -SF_EFAULT;
  if (bytes > BYTES_MAX) return -SF_E2BIG;
  int64_t count = 0;
  for (uint32_t i = 0; i < bytes; i++) count += text[i] == '\0';
  return count;
}

/* Copies `bytes` of strings to `text`, and lists at most `count` of them. Returns 0, or -SF_EINVAL for an
 * end without a zero. */
static int32_t copy_strings(const struct sf_guest *guest, uint32_t pointer, uint32_t bytes,
                            char *text, char **list, int64_t count) {
  if (bytes > 0) memcpy(text, sf__guest_range(guest, pointer, bytes), bytes);
  if (bytes > 0 && text[bytes - 1] != '\0') return -SF_EINVAL;
  uint32_t at = 0;
  for (int64_t i = 0; i < count && at < bytes; i++) {
    *list++ = text + at;
    at += (uint32_t)strlen(text + at) + 1;
  }
  *list = NULL;
  return 0;
}

static int32_t read_program(const struct sf_engine *engine, const struct sf_process_request *request,
                            struct sf_strings *out) {
  char name[SF_PATH_MAX + 1];
  if (sf__guest_range(&engine->base.guest, request->path, request->path_bytes) == NULL)
    return -SF_EFAULT;
  if (request->path_bytes == 0) return -SF_ENOENT;
  if (request->path_bytes > SF_PATH_MAX) return -SF_ENAMETOOLONG;
  const int32_t err = sf__copy_text(engine, request->path, request->path_bytes, name);
  return err < 0 ? err : sf__grants_find_program(&engine->base.grants, name, out);
}

static int32_t check_environment(const struct sf_engine *engine, char *const *environment) {
  for (; *environment != NULL; environment++) {
    const char *equals = strchr(*environment, '=');
    if (equals == NULL || equals == *environment) return -SF_EINVAL;
    if (!sf__grants_allow_variable(&engine->base.grants, *environment)) return -SF_ENOTCAPABLE;
  }
  return 0;
}

/* What the child gets of a handle of the guest's. */
static int32_t give(struct sf_engine *engine, int32_t number, struct sf_stream_request *out) {
  struct sf_handle *handle = sf__handles_get(&engine->base.handles, number);
  bool shared = false;
  if (handle == NULL) return -SF_EBADF;
  if (handle->kind != SF_HANDLE_FILE && handle->kind != SF_HANDLE_STREAM) return -SF_ENOTSUP;
  /* What waits for a pipe to be ready would wait inside the system then. */
  const bool may = !handle->pipe || handle->ops_first == SF_NONE;
  const int32_t fd = sf__child_descriptor(handle->fd, may, &shared);
  if (fd < 0) return fd;
  out->given = fd;
  if (shared) {
    handle->shared = true;
    handle->polled = false;
  }
  return 0;
}

/* What it gets of one of the host's own streams. */
static int32_t inherit(const struct sf_engine *engine, int number, struct sf_stream_request *out) {
  const struct sf_stream *stream = &engine->base.grants.stdio[number];
  if (!stream->granted) return -SF_ENOTCAPABLE;
  const int32_t fd = sf__inherited_descriptor(stream->fd);
  if (fd < 0) return fd;
  out->given = fd;
  return 0;
}

static int32_t prepare_stream(struct sf_engine *engine, const struct sf_process_stream *wanted,
                              int number, struct sf_stream_request *out) {
  out->kind = wanted->kind;
  switch (wanted->kind) {
    case SF_PROCESS_NULL:
      return 0;
    case SF_PROCESS_INHERIT:
      return inherit(engine, number, out);
    case SF_PROCESS_PIPE:
      return sf__handles_reserve(&engine->base.handles, &out->place);
    case SF_PROCESS_HANDLE:
      return give(engine, wanted->handle, out);
    default:
      return -SF_EINVAL;
  }
}

/* Room for the lists and their strings. Returns 0 and sets *out, or a negated sf_errno. */
static int32_t allocate(const struct sf_engine *engine, const struct sf_process_request *request,
                        struct sf_spawn **out) {
  const struct sf_guest *guest = &engine->base.guest;
  const int64_t arguments = count_strings(guest, request->arguments, request->arguments_bytes);
  if (arguments < 0) return (int32_t)arguments;
  if (arguments == 0) return -SF_EINVAL;
  const int64_t environment = count_strings(guest, request->environment, request->environment_bytes);
  if (environment < 0) return (int32_t)environment;
  const size_t pointers = (size_t)(arguments + environment + 2);
  const size_t bytes = (size_t)request->arguments_bytes + request->environment_bytes;
  struct sf_spawn *spawn = malloc(sizeof(*spawn) + pointers * sizeof(void *) + bytes);
  if (spawn == NULL) return -SF_ENOMEM;
  *spawn = (struct sf_spawn){ .arguments = (char **)spawn->room };
  spawn->environment = spawn->arguments + arguments + 1;
  spawn->text = (char *)(spawn->room + pointers);
  for (int i = 0; i < SF_STREAMS; i++) {
    spawn->streams[i] = (struct sf_stream_request){ .place = SF_NONE, .given = -1 };
  }
  *out = spawn;
  int32_t err = copy_strings(guest, request->arguments, request->arguments_bytes, spawn->text,
                             spawn->arguments, arguments);
  if (err < 0) return err;
  return copy_strings(guest, request->environment, request->environment_bytes,
                      spawn->text + request->arguments_bytes, spawn->environment, environment);
}

int32_t sf__check_spawn(struct sf_engine *engine, const struct sf_submission *submission,
                        const struct sf_handle *handle, struct sf_draft *draft) {
  struct sf_process_request request;
  struct sf_spawn *spawn = NULL;
  (void)handle;
  const void *at = sf__guest_range(&engine->base.guest, submission->pointer, sizeof(request));
  if (at == NULL) return -SF_EFAULT;
  memcpy(&request, at, sizeof(request));

  struct sf_strings programs = { 0 };
  int32_t err = read_program(engine, &request, &programs);
  if (err < 0) return err;
  err = allocate(engine, &request, &spawn);
  if (spawn == NULL) {
    free(programs.text);
    return err;
  }
  spawn->programs = programs;
  spawn->request = submission->pointer;
  if (err == 0) err = check_environment(engine, spawn->environment);
  if (err == 0 && request.directory_bytes > 0) {
    err = sf__read_path(engine, NULL, request.directory, request.directory_bytes, &spawn->directory);
  }
  if (err == 0 && sf__processes_full(engine)) err = -SF_EAGAIN;
  if (err == 0 && sf__handles_full(&engine->base.handles)) err = -SF_EMFILE;
  /* What a handle loses by being given it loses last. */
  for (int i = 0; i < SF_STREAMS && err == 0; i++) {
    err = prepare_stream(engine, &request.stdio[i], i, &spawn->streams[i]);
  }
  if (err == 0) {
    spawn->process = calloc(1, sizeof(*spawn->process));
    if (spawn->process == NULL) err = -SF_ENOMEM;
  }
  if (err == 0) {
    draft->kept = spawn;
    return SF_STARTED;
  }
  sf__spawn_free(engine, spawn);
  free(spawn);
  return err;
}

void sf__drop_spawn(struct sf_engine *engine, const struct sf_draft *draft) {
  sf__spawn_free(engine, draft->kept);
}
