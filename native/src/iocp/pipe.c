/* pipe.c - writes to pipes. Nothing tells of room in a pipe of Windows, and one that is canceled does not tell how
 * much of a write was read. So a write is a copy, which the guest is told of at once and which the system is then at
 * for as long as it takes; and the next write waits for that, without having moved anything. */
#include <stdlib.h>
#include <string.h>

#include "engine/os-errno.h"
#include "iocp/iocp.h"
#include "windows/status.h"

/* Of one such copy. */
#define COPY_BYTES_MAX 65536

/* A write that the guest was told of. */
struct iocp_behind {
  struct iocp_request request; /* first: what a packet names */
  struct sf_win_open *open;
  struct iocp_behind *next; /* of those that the system is at */
  struct iocp_behind *previous;
  uint64_t waiter; /* sf__ops_key of the operation that waits for it */
  bool awaited;    /* there is one */
  bool closes;     /* the descriptor is ours, and closed behind it */
  uint8_t data[];
};

static void link_behind(struct iocp *iocp, struct iocp_behind *behind) {
  behind->previous = NULL;
  behind->next = iocp->behind;
  if (behind->next != NULL) behind->next->previous = behind;
  iocp->behind = behind;
  behind->open->behind = behind;
}

static void unlink_behind(struct iocp *iocp, struct iocp_behind *behind) {
  *(behind->previous == NULL ? &iocp->behind : &behind->previous->next) = behind->next;
  if (behind->next != NULL) behind->next->previous = behind->previous;
  behind->open->behind = NULL;
}

/* A copy of what is to be written; NULL when there is no memory. */
static struct iocp_behind *copy(const struct sf_call *call, uint32_t *bytes) {
  struct iocp_behind *behind = malloc(sizeof(*behind) + COPY_BYTES_MAX);
  if (behind == NULL) return NULL;
  memset(behind, 0, sizeof(*behind));
  *bytes = 0;
  for (uint32_t i = 0; i < call->parts_count && *bytes < COPY_BYTES_MAX; i++) {
    const size_t room = COPY_BYTES_MAX - *bytes;
    const size_t taken = call->parts[i].iov_len < room ? call->parts[i].iov_len : room;
    if (taken > 0) memcpy(behind->data + *bytes, call->parts[i].iov_base, taken);
    *bytes += (uint32_t)taken;
  }
  return behind;
}

int32_t iocp__write_pipe(struct iocp *iocp, uint32_t index, const struct sf_call *call) {
  struct sf_win_open *open = sf__win_open_of(call->fd);
  struct iocp_behind *behind = open->behind;
  uint32_t bytes;
  if ((open->flags & O_ACCMODE) == O_RDONLY) return -SF_EBADF;
  if (behind != NULL) {
    behind->waiter = sf__ops_key(&iocp->engine.ops, index);
    behind->awaited = true;
    return SF_STARTED;
  }
  const int32_t err = iocp__associate(iocp, call->fd);
  if (err < 0) return err;
  behind = copy(call, &bytes);
  if (behind == NULL) return -SF_ENOMEM;
  behind->request.role = IOCP_BEHIND;
  behind->request.fd = call->fd;
  behind->open = open;
  iocp->engine.base.system_calls++;
  if (!WriteFile(sf__win_handle(call->fd), behind->data, bytes, NULL, &behind->request.overlapped)) {
    const DWORD error = GetLastError();
    if (error != ERROR_IO_PENDING) {
      free(behind);
      return sf__error(sf__win_errno(error));
    }
  }
  iocp->in_kernel++;
  link_behind(iocp, behind);
  return (int32_t)bytes;
}

void iocp__wrote(struct iocp *iocp, struct iocp_request *request) {
  struct iocp_behind *behind = (struct iocp_behind *)request;
  iocp->in_kernel--;
  unlink_behind(iocp, behind);
  if (behind->closes) close(request->fd);
  /* If it has failed, so does the next. */
  const bool awaited = behind->awaited && !iocp->engine.closing;
  const uint64_t waiter = behind->waiter;
  free(behind);
  if (!awaited) return;
  const uint32_t index = sf__ops_index(&iocp->engine.ops, waiter);
  const int32_t result = iocp__issue(&iocp->engine, index);
  if (result != SF_STARTED) sf__engine_finish(&iocp->engine, index, result);
}

void iocp__leave_pipe(struct iocp *iocp, uint32_t index) {
  const struct sf_op *op = &iocp->engine.ops.items[index];
  const struct sf_win_open *open = sf__win_open_of(iocp->engine.base.handles.items[op->handle].fd);
  struct iocp_behind *behind = open->behind;
  behind->awaited = false;
  sf__engine_finish(&iocp->engine, index, -SF_ECANCELED);
}

void iocp__close_pipe(int fd) {
  struct sf_win_open *open = sf__win_open_of(fd);
  struct iocp_behind *behind = open == NULL ? NULL : open->behind;
  if (behind == NULL) {
    close(fd);
  } else {
    behind->closes = true; /* what was written is read first */
  }
}

void iocp__cancel_behind(struct iocp *iocp) {
  for (struct iocp_behind *at = iocp->behind; at != NULL; at = at->next) {
    CancelIoEx(sf__win_handle(at->request.fd), &at->request.overlapped);
  }
}

bool iocp__is_behind(const struct iocp *iocp, const OVERLAPPED *overlapped) {
  const struct iocp_behind *at = iocp->behind;
  while (at != NULL && &at->request.overlapped != overlapped) at = at->next;
  return at != NULL;
}
