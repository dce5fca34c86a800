/* file.c - requests of files and pipes. A file that can be read while something else goes on has no position
 * of its own in Windows: it is ours, and moves when a transfer has ended; lanes let one at a time do that. */
#include "iocp/iocp.h"

static void set_offset(OVERLAPPED *overlapped, uint64_t offset) {
  overlapped->Offset = (DWORD)offset;
  overlapped->OffsetHigh = (DWORD)(offset >> 32);
}

int32_t iocp__transfer_file(struct iocp *iocp, uint32_t index, const struct sf_call *call) {
  const bool sends = sf__operation(call->opcode)->borrows == SF_BORROWS_TO_SEND;
  const struct sf_win_open *open = sf__win_open_of(call->fd);
  const int refused = sends ? O_RDONLY : O_WRONLY;
  struct iocp_request *request;
  if ((open->flags & O_ACCMODE) == refused) return -SF_EBADF;
  const int32_t err = iocp__request(iocp, index, call->fd, &request);
  if (err < 0) return err;
  if (!call->pipe) {
    const int64_t offset = sf__is_positioned(call->opcode) ? call->offset : open->position;
    set_offset(&request->overlapped, (uint64_t)offset);
  }
  const HANDLE handle = sf__win_handle(call->fd);
  const struct iovec *part = &call->parts[0];
  const bool began =
    sends ? WriteFile(handle, part->iov_base, (DWORD)part->iov_len, NULL, &request->overlapped)
          : ReadFile(handle, part->iov_base, (DWORD)part->iov_len, NULL, &request->overlapped);
  return iocp__issued(iocp, index, request, began, began ? 0 : GetLastError());
}

void iocp__transferred_file(const struct sf_op *op, const struct iocp_request *request,
                            uint32_t bytes) {
  struct sf_win_open *open = sf__win_open_of(request->fd);
  if (open == NULL || open->kind != SF_WIN_FILE || sf__is_positioned(op->opcode)) return;
  const bool sends = sf__operation(op->opcode)->borrows == SF_BORROWS_TO_SEND;
  LARGE_INTEGER size;
  if (sends && (open->flags & O_APPEND) != 0) {
    if (GetFileSizeEx(sf__win_handle(request->fd), &size)) open->position = size.QuadPart;
  } else {
    open->position += bytes;
  }
}
