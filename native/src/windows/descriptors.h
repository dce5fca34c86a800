/* descriptors.h - what POSIX knows of an open file, and Windows does not. */
#ifndef SF_DESCRIPTORS_H
#define SF_DESCRIPTORS_H

#include "windows/posix.h"

enum sf_win_kind {
  SF_WIN_SOCKET,
  SF_WIN_FILE,
  SF_WIN_DIRECTORY,
  SF_WIN_PIPE,
  SF_WIN_EVENT,
  SF_WIN_PROCESS,
  SF_WIN_STREAM, /* one of the host's own */
};

struct sf_win_open {
  uint8_t kind; /* enum sf_win_kind */
  int flags;    /* O_ACCMODE, O_APPEND */
  HANDLE port;  /* the completion port that it tells; NULL: none yet. There can be one in its life */
  int64_t position; /* of files */
  bool shut;        /* of sockets: nothing is read any more */
  bool reset;       /* by the peer, which was told */
  bool datagrams;   /* of sockets */
  bool paired;      /* of sockets: it has no address that anybody may know */
  void *behind;     /* of pipes: a write that the system is at, see iocp/pipe.c; NULL: none */
  uint32_t users;   /* descriptors; of the table */
};

/* SIO_UDP_CONNRESET: whether a socket of datagrams is told that nobody listens. */
#define SF_WIN_UDP_REFUSALS _WSAIOW(IOC_VENDOR, 12)

/* A result of a socket's transfer as other systems have it: that nobody listened to a datagram has a name of its
 * own, and that the peer has reset a connection is told once. `err`: an errno. Returns 0 for the end of what is
 * read, or an errno. */
int sf__win_fault(int fd, bool sends, int err);

/* A pipe: what is read comes from ends[0], what is written goes into ends[1]. `waits`: which of them a program may
 * use that knows nothing of overlapped calls, or -1. Returns 0, or -1 and sets errno. */
int sf__win_pipe(int ends[2], int waits);

/* Another process uses what a port of ours is told of: whatever it does there may be told to us. */
extern bool sf__win_shared;

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
