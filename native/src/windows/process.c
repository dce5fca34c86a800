/* process.c - how children end. There are no signals: those that end a process do so at once, and it is told
 * afterwards that they have. */
#include "engine/platform.h"
#include "windows/descriptors.h"
#include "windows/status.h"

/* What it exits with then, as a shell would say it. */
#define ENDED_BY(signal) (128u + (uint32_t)(signal))

static HANDLE handle_of(int64_t pid) {
  return (HANDLE)(intptr_t)pid;
}

/* What the system says of one that it has ended itself. */
static int signal_of(DWORD code) {
  switch (code) {
    case 0x80000003: /* breakpoint */
      return 5;
    case 0xC0000005: /* access violation */
    case 0xC0000006: /* in-page error */
    case 0xC00000FD: /* stack overflow */
      return 11;
    case 0xC000001D: /* illegal instruction */
    case 0xC0000096: /* privileged instruction */
      return 4;
    case 0xC000008E: /* a float, or an integer, divided by zero */
    case 0xC0000094:
    case 0xC0000095: /* integer overflow */
      return 8;
    case 0xC000013A: /* control-C */
      return SIGINT;
    case 0xC0000409: /* abort, or an overrun of the stack */
      return 6;
    case ENDED_BY(SIGHUP):
    case ENDED_BY(SIGINT):
    case ENDED_BY(SIGQUIT):
    case ENDED_BY(SIGKILL):
    case ENDED_BY(SIGTERM):
      return (int)(code - 128);
    default:
      return 0;
  }
}

int waitid(int which, id_t id, siginfo_t *out, int flags) {
  const HANDLE process = handle_of((int64_t)id);
  DWORD code;
  (void)which;
  out->si_pid = 0;
  if (WaitForSingleObject(process, (flags & WNOHANG) != 0 ? 0 : INFINITE) != WAIT_OBJECT_0) return 0;
  if (!GetExitCodeProcess(process, &code)) return sf__win_fail(GetLastError());
  const int signal = signal_of(code);
  /* The lowest eight bits are told, and must not make a failure a success. */
  const int told = (code & 0xFF) == 0 && code != 0 ? 0xFF : (int)(code & 0xFF);
  out->si_pid = (pid_t)id;
  out->si_code = signal != 0 ? CLD_KILLED : CLD_EXITED;
  out->si_status = signal != 0 ? signal : told;
  CloseHandle(process);
  return 0;
}

int kill(pid_t pid, int signal) {
  switch (signal) {
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGKILL:
    case SIGTERM:
      break;
    default:
      errno = ENOTSUP;
      return -1;
  }
  if (TerminateProcess(handle_of(pid), ENDED_BY(signal))) return 0;
  /* It has just ended. */
  if (WaitForSingleObject(handle_of(pid), 0) == WAIT_OBJECT_0) {
    errno = ESRCH;
    return -1;
  }
  return sf__win_fail(GetLastError());
}

int sf__os_exit_descriptor(pid_t pid) {
  HANDLE handle;
  const HANDLE self = GetCurrentProcess();
  if (!DuplicateHandle(self, handle_of(pid), self, &handle, SYNCHRONIZE, FALSE, 0)) {
    return sf__win_fail(GetLastError());
  }
  return sf__win_add(handle, SF_WIN_PROCESS, O_RDONLY);
}
