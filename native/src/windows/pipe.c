/* pipe.c - pipes: those of Windows that are waited for have names, which nobody else gets to know in time. */
#include <stdio.h>

#include "engine/platform.h"
#include "windows/descriptors.h"
#include "windows/status.h"

/* What a pipe holds, as Linux's do. */
#define PIPE_BYTES 65536

#define NAME_UNITS 64

BOOLEAN NTAPI SystemFunction036(void *out, ULONG bytes);

static int name_pipe(WCHAR out[NAME_UNITS]) {
  uint64_t random[2];
  if (!SystemFunction036(random, sizeof(random))) {
    errno = EIO;
    return -1;
  }
  swprintf(out, NAME_UNITS, L"\\\\.\\pipe\\stackful-%016llx%016llx", (unsigned long long)random[0],
           (unsigned long long)random[1]);
  return 0;
}

int sf__win_pipe(int ends[2], int waits) {
  WCHAR name[NAME_UNITS];
  if (name_pipe(name) < 0) return -1;
  const DWORD overlapped[2] = {
    waits == 0 ? 0 : FILE_FLAG_OVERLAPPED,
    waits == 1 ? 0 : FILE_FLAG_OVERLAPPED,
  };
  const HANDLE output = CreateNamedPipeW(
    name, PIPE_ACCESS_INBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE | overlapped[0],
    PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, PIPE_BYTES,
    PIPE_BYTES, 0, NULL);
  if (output == INVALID_HANDLE_VALUE) return sf__win_fail(GetLastError());
  const HANDLE input = CreateFileW(name, GENERIC_WRITE | FILE_READ_ATTRIBUTES, 0, NULL, OPEN_EXISTING,
                                   overlapped[1], NULL);
  if (input == INVALID_HANDLE_VALUE) {
    const DWORD error = GetLastError();
    CloseHandle(output);
    return sf__win_fail(error);
  }
  ends[0] = sf__win_add(output, SF_WIN_PIPE, O_RDONLY);
  ends[1] = sf__win_add(input, SF_WIN_PIPE, O_WRONLY);
  if (ends[0] >= 0 && ends[1] >= 0) return 0;
  for (int i = 0; i < 2; i++) {
    if (ends[i] >= 0) close(ends[i]);
  }
  errno = ENOMEM;
  return -1;
}

int sf__os_pipe(int ends[2], bool nonblocking) {
  (void)nonblocking;
  return sf__win_pipe(ends, -1);
}
