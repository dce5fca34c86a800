#define _GNU_SOURCE
#include "engine/thread.h"

#include <signal.h>

int sf__thread_create(pthread_t *out, void *(*run)(void *), void *argument, int signal) {
  sigset_t blocked;
  sigset_t before;
  sigfillset(&blocked);
  if (signal != 0) sigdelset(&blocked, signal);
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  const int err = pthread_create(out, NULL, run, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return err;
}
