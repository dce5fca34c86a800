/* As much of kqueue as native/src/ uses, for Linux: see ../kqueue.c. */
#ifndef KQUEUE_SHIM_H
#define KQUEUE_SHIM_H

#include <stdint.h>
#include <time.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_PROC (-5)

#define NOTE_EXIT 0x80000000u

#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

struct kevent {
  uintptr_t ident;
  short filter;
  unsigned short flags;
  unsigned int fflags;
  intptr_t data;
  void *udata;
};

#define EV_SET(event, ident_, filter_, flags_, fflags_, data_, udata_) \
  (*(event) = (struct kevent){ .ident = (uintptr_t)(ident_), .filter = (filter_), \
                               .flags = (flags_), .fflags = (fflags_), .data = (data_), \
                               .udata = (udata_) })

int kqueue(void);
int kevent(int kq, const struct kevent *changes, int changes_count, struct kevent *events,
           int events_count, const struct timespec *timeout);

#endif
