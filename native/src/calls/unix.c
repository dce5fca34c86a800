/* unix.c - Unix sockets that have a name: listen, connect, bind, send to.
 *
 * bind(2) and connect(2) take a path that may lead anywhere. So the directory, or the socket itself, is
 * opened beneath the granted directory first, and named to them by its descriptor.
 */
#define _GNU_SOURCE
#include "engine/platform.h"

#ifdef SF_LINUX /* elsewhere there is no such name */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "calls/calls.h"
#include "calls/place.h"
#include "engine/mechanism.h"
#include "engine/os-errno.h"

static int32_t open_beneath(int directory, const char *path, int flags) {
  const struct sf_place place = { .directory = directory, .text = path };
  return sf__place_open(&place, flags | O_PATH);
}

static int32_t unix_socket(int type) {
  const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return fd < 0 ? sf__error(errno) : fd;
}

/* A path that leads to what a descriptor has open, and from there to `name`. */
static socklen_t name_by_descriptor(struct sockaddr_un *out, int fd, const char *name) {
  const int bytes = snprintf(out->sun_path, sizeof(out->sun_path), "/proc/self/fd/%d%s%s", fd,
                             name[0] == '\0' ? "" : "/", name);
  out->sun_family = AF_UNIX;
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)bytes + 1);
}

/* Binds `fd` to a new name. Returns 0 or a negated sf_errno. */
static int32_t bind_beneath(int fd, const struct sf_path *path) {
  char directory[SF_PATH_MAX + 1] = ".";
  struct sockaddr_un address;
  const char *slash = strrchr(path->rest, '/');
  const char *name = slash == NULL ? path->rest : slash + 1;
  if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
    return -SF_EADDRINUSE; /* that is a directory, if it is anything */
  }
  if (strlen(name) > SF_UNIX_NAME_MAX) return -SF_ENAMETOOLONG;
  if (slash != NULL) {
    memcpy(directory, path->rest, (size_t)(slash - path->rest));
    directory[slash - path->rest] = '\0';
  }
  const int parent = open_beneath(path->directory, directory, O_DIRECTORY);
  if (parent < 0) return parent;
  const socklen_t bytes = name_by_descriptor(&address, parent, name);
  const int32_t err = bind(fd, (struct sockaddr *)&address, bytes) < 0 ? sf__error(errno) : 0;
  close(parent);
  return err;
}

/* Sets *out to the address of the socket at `path`, which is as long as *open_fd is open. Returns its
 * bytes or a negated sf_errno. */
static int32_t find_beneath(const struct sf_path *path, struct sockaddr_un *out, int *open_fd) {
  const int fd = open_beneath(path->directory, path->rest, 0);
  if (fd < 0) return fd;
  *open_fd = fd;
  return (int32_t)name_by_descriptor(out, fd, "");
}

/* Checks the path of what is to be made. */
static int32_t check_new(struct sf_engine *engine, const struct sf_submission *submission,
                         const struct sf_handle *handle, struct sf_draft *draft) {
  struct sf_path *path;
  const int32_t err =
    sf__read_path(engine, handle, submission->pointer, submission->length, &path);
  if (err < 0) return err;
  if (path->read_only) {
    free(path);
    return -SF_EROFS;
  }
  draft->kept = path;
  return SF_STARTED;
}

int32_t sf__check_unix_listen(struct sf_engine *engine, const struct sf_submission *submission,
                              const struct sf_handle *handle, struct sf_draft *draft) {
  return check_new(engine, submission, handle, draft);
}

int32_t sf__check_unix_bind(struct sf_engine *engine, const struct sf_submission *submission,
                            const struct sf_handle *handle, struct sf_draft *draft) {
  if (submission->length == 0 && handle == NULL) return SF_STARTED;
  return check_new(engine, submission, handle, draft);
}

int32_t sf__check_unix_connect(struct sf_engine *engine, const struct sf_submission *submission,
                               const struct sf_handle *handle, struct sf_draft *draft) {
  struct sf_path *path;
  if (submission->argument > SF_SOCKET_DATAGRAM) return -SF_EINVAL;
  const int32_t err =
    sf__read_path(engine, handle, submission->pointer, submission->length, &path);
  if (err < 0) return err;
  if (sf__handles_full(&engine->base.handles)) {
    free(path);
    return -SF_EMFILE;
  }
  draft->kept = path;
  return SF_STARTED;
}

/* Listening, or binding a socket of datagrams. */
static int32_t make_named(const struct sf_call *call, int type) {
  const int fd = unix_socket(type);
  if (fd < 0) return fd;
  int32_t err = call->kept == NULL ? 0 : bind_beneath(fd, call->kept);
  if (err == 0 && type == SOCK_STREAM) {
    if (listen(fd, sf__backlog(call->argument)) < 0) err = sf__error(errno);
  }
  if (err == 0) return fd;
  close(fd);
  return err;
}

int32_t sf__call_unix_listen(const struct sf_call *call) {
  return make_named(call, SOCK_STREAM);
}

int32_t sf__call_unix_bind(const struct sf_call *call) {
  return make_named(call, SOCK_DGRAM);
}

int32_t sf__call_unix_connect(const struct sf_call *call) {
  struct sockaddr_un address;
  int at;
  const int32_t bytes = find_beneath(call->kept, &address, &at);
  if (bytes < 0) return bytes;
  const int fd = unix_socket(call->argument == SF_SOCKET_STREAM ? SOCK_STREAM : SOCK_DGRAM);
  int32_t err = fd < 0 ? fd : 0;
  /* Never waits: EAGAIN when the listener's queue is full. */
  if (err == 0 && connect(fd, (struct sockaddr *)&address, (socklen_t)bytes) < 0) {
    err = sf__error(errno);
    close(fd);
  }
  close(at);
  return err < 0 ? err : fd;
}

/* Gives the socket the form that the mechanism wants. */
static int32_t adapt(const struct sf_engine *engine, int32_t fd) {
  if (fd >= 0 && !engine->mechanism->nonblocking) fcntl(fd, F_SETFL, 0);
  return fd;
}

int32_t sf__finish_unix_named(struct sf_engine *engine, const struct sf_op *op, int32_t result) {
  (void)op;
  return adapt(engine, result);
}

int32_t sf__finish_unix_connect(struct sf_engine *engine, const struct sf_op *op,
                                int32_t result) {
  uint32_t place;
  if (result < 0) return result;
  const int32_t err = sf__handles_reserve_for(&engine->base.handles, result, &place);
  if (err < 0) return err;
  engine->base.handles.items[place].connected = true;
  const bool stream = op->argument == SF_SOCKET_STREAM;
  return sf__handles_open(&engine->base.handles, place, stream ? SF_HANDLE_STREAM : SF_HANDLE_UDP,
                          adapt(engine, result));
}

int32_t sf__check_unix_send_to(struct sf_engine *engine, const struct sf_submission *submission,
                               const struct sf_handle *handle, struct sf_draft *draft) {
  struct sf_path *path;
  if (handle->family != 0) return -SF_EAFNOSUPPORT;
  if (!sf__guest_has(&engine->base.guest, submission->pointer, submission->length)) return -SF_EFAULT;
  const struct sf_handle *directory = NULL;
  if (submission->other_handle != -1) {
    directory = sf__handles_get(&engine->base.handles, submission->other_handle);
    if (directory == NULL) return -SF_EBADF;
  }
  const int32_t err = sf__read_path(engine, directory, submission->other_pointer,
                                    submission->other_length, &path);
  if (err < 0) return err;
  draft->kept = path;
  if (directory == NULL) return SF_STARTED;
  /* That handle may be closed before this is sent. */
  draft->other_fd = path->directory = fcntl(directory->fd, F_DUPFD_CLOEXEC, 0);
  if (draft->other_fd >= 0) return SF_STARTED;
  free(path);
  draft->kept = NULL;
  return sf__error(errno);
}

int32_t sf__call_unix_send_to(const struct sf_call *call) {
  struct sockaddr_un address;
  int at;
  const int32_t bytes = find_beneath(call->kept, &address, &at);
  if (bytes < 0) return bytes;
  const struct msghdr message = {
    .msg_name = &address,
    .msg_namelen = (socklen_t)bytes,
    .msg_iov = call->parts,
    .msg_iovlen = call->parts_count,
  };
  const ssize_t sent = sendmsg(call->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  const int32_t result = sent < 0 ? sf__error(errno) : (int32_t)sent;
  close(at);
  return result;
}

#endif
