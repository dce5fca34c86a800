/* descriptors.h - what POSIX knows of an open file, and Windows does not. */
#ifndef SF_DESCRIPTORS_H
#define SF_DESCRIPTORS_H

#include "windows/posix.h"

enum sf_win_kind { SF_WIN_SOCKET, SF_WIN_FILE, SF_WIN_DIRECTORY, SF_WIN_PIPE, SF_WIN_EVENT };

struct sf_win_open {
  uint8_t kind; /* enum sf_win_kind */
  int flags;    /* O_ACCMODE, O_APPEND */
  HANDLE port;  /* the completion port that it tells; NULL: none yet. There can be one in its life */
  int64_t position; /* of files */
  bool shut;        /* of sockets: nothing is read any more */
  bool reset;       /* by the peer, which was told */
  uint32_t users;   /* descriptors; of the table */
};

/* SIO_UDP_CONNRESET: whether a socket of datagrams is told that nobody listens. */
#define SF_WIN_UDP_REFUSALS _WSAIOW(IOC_VENDOR, 12)

/* The handle behind a descriptor. */
static inline HANDLE sf__win_handle(int fd) {
  return (HANDLE)(intptr_t)fd;
}

/* Makes a handle a descriptor, which owns it; without memory for it it is closed. Returns it, or -1 and
 * sets errno. */
int sf__win_add(HANDLE handle, enum sf_win_kind kind, int flags);

/* Valid until the last descriptor of it is closed; NULL: it is none. */
struct sf_win_open *sf__win_open_of(int fd);

#endif
