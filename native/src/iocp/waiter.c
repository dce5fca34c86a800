#include <stdlib.h>

#include "iocp/iocp.h"

struct iocp_waiter {
  HANDLE port;
  HANDLE event; /* the port has something */
  HANDLE go;    /* the thread is to wait */
  HANDLE idle;  /* it does not any more */
  HANDLE thread;
  bool waits; /* of the owner alone: `idle` is to be awaited */
  bool ends;
  ULONG count; /* the thread's, until `idle` is set */
  OVERLAPPED_ENTRY entries[IOCP_ENTRIES];
};

static DWORD WINAPI work(void *argument) {
  struct iocp_waiter *waiter = argument;
  for (;;) {
    WaitForSingleObject(waiter->go, INFINITE);
    if (waiter->ends) return 0;
    if (!GetQueuedCompletionStatusEx(waiter->port, waiter->entries, IOCP_ENTRIES, &waiter->count,
                                     INFINITE, FALSE)) {
      waiter->count = 0;
    }
    /* Told that it is idle first: who hears of the event stops it. */
    SetEvent(waiter->idle);
    SetEvent(waiter->event);
  }
}

static void free_waiter(struct iocp_waiter *waiter) {
  if (waiter->go != NULL) CloseHandle(waiter->go);
  if (waiter->idle != NULL) CloseHandle(waiter->idle);
  free(waiter);
}

int32_t iocp__waiter_open(struct iocp_waiter **out, HANDLE port, HANDLE event) {
  struct iocp_waiter *waiter = calloc(1, sizeof(*waiter));
  if (waiter == NULL) return -SF_ENOMEM;
  waiter->port = port;
  waiter->event = event;
  waiter->go = CreateEventW(NULL, FALSE, FALSE, NULL);
  waiter->idle = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (waiter->go != NULL && waiter->idle != NULL) {
    waiter->thread = CreateThread(NULL, 0, work, waiter, 0, NULL);
  }
  if (waiter->thread == NULL) {
    free_waiter(waiter);
    return -SF_EAGAIN;
  }
  *out = waiter;
  return 0;
}

void iocp__waiter_start(struct iocp_waiter *waiter) {
  waiter->waits = true;
  waiter->count = 0;
  SetEvent(waiter->go);
}

void iocp__waiter_stop(struct iocp_waiter *waiter) {
  if (!waiter->waits) return;
  waiter->waits = false;
  if (WaitForSingleObject(waiter->idle, 0) == WAIT_OBJECT_0) return;
  PostQueuedCompletionStatus(waiter->port, 0, IOCP_KEY_STOP, NULL);
  WaitForSingleObject(waiter->idle, INFINITE);
}

uint32_t iocp__waiter_take(struct iocp_waiter *waiter, OVERLAPPED_ENTRY out[IOCP_ENTRIES]) {
  const uint32_t count = waiter->count;
  for (uint32_t i = 0; i < count; i++) out[i] = waiter->entries[i];
  waiter->count = 0;
  return count;
}

void iocp__waiter_close(struct iocp_waiter *waiter) {
  iocp__waiter_stop(waiter);
  waiter->ends = true;
  SetEvent(waiter->go);
  WaitForSingleObject(waiter->thread, INFINITE);
  CloseHandle(waiter->thread);
  free_waiter(waiter);
}
