#define _GNU_SOURCE
#include "engine/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "engine/engine.h"
#include "engine/os-errno.h"

static struct sf_descriptor socket_descriptor(int fd) {
  struct sf_descriptor out = { .kind = SF_HANDLE_FREE };
  struct sockaddr_storage address;
  socklen_t bytes = sizeof(address);
  int type;
  int listens = 0;
  if (getsockname(fd, (struct sockaddr *)&address, &bytes) < 0) return out;
  switch (address.ss_family) {
    case AF_INET:
      out.family = SF_FAMILY_IPV4;
      break;
    case AF_INET6:
      out.family = SF_FAMILY_IPV6;
      break;
    case AF_UNIX:
      break;
    default:
      return out;
  }
  bytes = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) < 0) return out;
  bytes = sizeof(listens);
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) < 0) listens = 0;
  if (type == SOCK_STREAM) out.kind = listens != 0 ? SF_HANDLE_LISTENER : SF_HANDLE_STREAM;
  if (type != SOCK_DGRAM) return out;
  out.kind = SF_HANDLE_UDP;
  bytes = sizeof(address);
  out.connected = getpeername(fd, (struct sockaddr *)&address, &bytes) == 0;
  return out;
}

struct sf_descriptor sf__descriptor(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0) return (struct sf_descriptor){ .kind = SF_HANDLE_FREE };
  if (S_ISREG(status.st_mode)) return (struct sf_descriptor){ .kind = SF_HANDLE_FILE };
  if (S_ISSOCK(status.st_mode)) return socket_descriptor(fd);
  if (S_ISFIFO(status.st_mode)) {
    return (struct sf_descriptor){ .kind = SF_HANDLE_STREAM, .pipe = true };
  }
  return (struct sf_descriptor){ .kind = SF_HANDLE_FREE };
}

int32_t sf__descriptor_open(struct sf_engine *engine, uint32_t place, int fd,
                            struct sf_descriptor descriptor) {
  struct sf_handle *handle = &engine->base.handles.items[place];
  handle->family = descriptor.family;
  handle->connected = descriptor.connected;
  handle->pipe = descriptor.pipe;
  handle->polled = descriptor.kind != SF_HANDLE_FILE;
  if (handle->polled && descriptor.kind != SF_HANDLE_DESCRIPTOR) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  }
  return sf__handles_open(&engine->base.handles, place, descriptor.kind, fd);
}

/* What an adopted descriptor becomes. Returns 0 or a negated sf_errno. */
static int32_t adopted(int fd, bool transfers, struct sf_descriptor *out) {
  struct stat status;
  if (fstat(fd, &status) < 0) return sf__error(errno);
  const bool file =
    S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode);
  *out = (struct sf_descriptor){ .kind = SF_HANDLE_DESCRIPTOR };
  if (!transfers) return file ? -SF_EPERM : 0;
  if (S_ISDIR(status.st_mode)) return -SF_EISDIR;
  *out = sf__descriptor(fd);
  if (out->kind != SF_HANDLE_FREE) return 0;
  /* A device, or what Linux makes a descriptor of: it reads and writes as a pipe does. */
  *out = file ? (struct sf_descriptor){ .kind = SF_HANDLE_FILE }
              : (struct sf_descriptor){ .kind = SF_HANDLE_STREAM, .pipe = true };
  return 0;
}

int32_t sf__backend_adopt(struct sf_backend *backend, int fd, bool transfers, bool owned) {
  struct sf_descriptor descriptor;
  uint32_t place;
  int32_t err = adopted(fd, transfers, &descriptor);
  if (err < 0) return err;
  err = sf__handles_reserve(&backend->handles, &place);
  if (err < 0) return err;
  const int own = owned ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) {
    err = sf__error(errno);
    sf__handles_release(&backend->handles, place);
    return err;
  }
  return sf__descriptor_open((struct sf_engine *)backend, place, own, descriptor);
}
