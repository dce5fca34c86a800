/* thread.h - threads of the addon's own. */
#ifndef SF_THREAD_H
#define SF_THREAD_H

#include <pthread.h>

/* As pthread_create(3), with every signal blocked but `signal`; 0: every one. They are for the threads that the
 * runtime knows. Returns 0 or an errno. */
int sf__thread_create(pthread_t *out, void *(*run)(void *), void *argument, int signal);

#endif
