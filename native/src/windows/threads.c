/* threads.c - threads, locks and the clock. */
#include <process.h>
#include <stdlib.h>

#include "windows/posix.h"

struct start {
  void *(*run)(void *);
  void *argument;
};

static unsigned __stdcall run_thread(void *argument) {
  struct start start = *(struct start *)argument;
  free(argument);
  start.run(start.argument);
  return 0;
}

int pthread_create(pthread_t *out, const void *attributes, void *(*run)(void *), void *argument) {
  (void)attributes;
  struct start *start = malloc(sizeof(*start));
  if (start == NULL) return ENOMEM;
  *start = (struct start){ .run = run, .argument = argument };
  const uintptr_t thread = _beginthreadex(NULL, 0, run_thread, start, 0, NULL);
  if (thread == 0) {
    free(start);
    return EAGAIN;
  }
  *out = (HANDLE)thread;
  return 0;
}

int pthread_join(pthread_t thread, void **result) {
  (void)result;
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  return 0;
}

int pthread_detach(pthread_t thread) {
  CloseHandle(thread);
  return 0;
}

int sf__win_thread_interrupt(pthread_t thread) {
  CancelSynchronousIo(thread);
  return 0;
}

static BOOL CALLBACK run_once(INIT_ONCE *once, void *parameter, void **context) {
  (void)once;
  (void)context;
  ((void (*)(void))(uintptr_t)parameter)();
  return TRUE;
}

int pthread_once(pthread_once_t *once, void (*run)(void)) {
  InitOnceExecuteOnce(once, run_once, (void *)(uintptr_t)run, NULL);
  return 0;
}

int pthread_mutex_init(pthread_mutex_t *mutex, const void *attributes) {
  (void)attributes;
  InitializeSRWLock(mutex);
  return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex) {
  (void)mutex;
  return 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
  AcquireSRWLockExclusive(mutex);
  return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
  ReleaseSRWLockExclusive(mutex);
  return 0;
}

int pthread_condattr_init(pthread_condattr_t *attributes) {
  attributes->clock = 0;
  return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attributes, int clock) {
  attributes->clock = clock;
  return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attributes) {
  (void)attributes;
  return 0;
}

int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attributes) {
  (void)attributes;
  InitializeConditionVariable(cond);
  return 0;
}

int pthread_cond_destroy(pthread_cond_t *cond) {
  (void)cond;
  return 0;
}

int pthread_cond_signal(pthread_cond_t *cond) {
  WakeConditionVariable(cond);
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t *cond) {
  WakeAllConditionVariable(cond);
  return 0;
}

int clock_gettime(int clock, struct timespec *out) {
  LARGE_INTEGER ticks;
  LARGE_INTEGER per_second;
  (void)clock;
  QueryPerformanceCounter(&ticks);
  QueryPerformanceFrequency(&per_second);
  const int64_t rest = ticks.QuadPart % per_second.QuadPart;
  out->tv_sec = (time_t)(ticks.QuadPart / per_second.QuadPart);
  out->tv_nsec = (long)(rest * 1000000000 / per_second.QuadPart);
  return 0;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *until) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t left_ms = (int64_t)(until->tv_sec - now.tv_sec) * 1000 +
                    (until->tv_nsec - now.tv_nsec + 999999) / 1000000;
  if (left_ms < 0) left_ms = 0;
  if (left_ms >= INFINITE) left_ms = INFINITE - 1;
  return SleepConditionVariableSRW(cond, mutex, (DWORD)left_ms, 0) ? 0 : ETIMEDOUT;
}

long sysconf(int what) {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return what == _SC_PAGESIZE ? (long)info.dwPageSize : (long)info.dwNumberOfProcessors;
}
