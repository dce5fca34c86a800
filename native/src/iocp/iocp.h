/* iocp.h - what the files of the completion port share.
 *
 *   iocp.c     open, drain, free; cancel
 *   turn.c     the parts of a turn, and the wake-up of the host's event loop
 *   request.c  what the system has of an operation
 *   issue.c    an operation becomes a request
 *   socket.c   those of sockets
 *   file.c     those of files, and reads of pipes
 *   pipe.c     writes to pipes
 *   process.c  the ends of child processes
 *   waiter.c   a thread that waits for the port, so that an event tells of it
 */
#ifndef SF_IOCP_H
#define SF_IOCP_H

#include "windows/descriptors.h"
/* After that. */
#include <mswsock.h>

#include "calls/calls.h"
#include "engine/mechanism.h"

/* Keys of packets that are no request. */
#define IOCP_KEY_REQUEST 0
#define IOCP_KEY_STOP 1
#define IOCP_KEY_JOBS 2

/* What is taken from the port at once. */
#define IOCP_ENTRIES 64

/* What AcceptEx writes: two addresses, and what it needs itself. */
#define IOCP_ADDRESS_BYTES (sizeof(struct sockaddr_storage) + 16)

/* What a request is. */
enum iocp_role {
  IOCP_OPERATION, /* of its own operation */
  IOCP_BEHIND,    /* a write to a pipe that the guest was told of */
};

/* Lives until its packet was taken, whatever became of the operation. */
struct iocp_request {
  OVERLAPPED overlapped; /* first: what a packet names */
  uint64_t key;          /* sf__ops_key */
  int fd;                /* what it works on */
  uint8_t role;          /* enum iocp_role */
  volatile bool told;    /* WAIT: the child's end, by a packet */
  HANDLE port;           /* WAIT: that is told */
  HANDLE wait;           /* WAIT: by a thread of the system's. NULL: none */
  int accepted;          /* ACCEPT: the socket that it connects; owned. Else -1 */
  DWORD flags;           /* of Winsock, which writes to it */
  uint8_t addresses[2 * IOCP_ADDRESS_BYTES];
  struct iocp_request *next; /* among the free ones */
};

struct iocp_waiter;
struct iocp_behind;

struct iocp {
  struct sf_engine engine; /* first: a struct sf_engine * is a struct iocp * */
  HANDLE port;
  LPFN_CONNECTEX connect_ex;
  struct iocp_waiter *waiter;
  struct iocp_request **requests; /* by operation; owned */
  uint32_t requests_capacity;
  struct iocp_request *free;
  struct iocp_behind *behind; /* see pipe.c; owned */
  uint32_t in_kernel; /* requests whose packet was not taken */
  uint32_t moved;     /* those of them that use guest memory which is not the guest's any more */
  bool wake_armed;
  HANDLE jobs_event;  /* a duplicate of the pool's; NULL: it is not watched yet */
  HANDLE jobs_wait;
};

static inline struct iocp *iocp__of(struct sf_engine *engine) {
  return (struct iocp *)engine;
}

/* request.c */

/* A request for an operation on `fd`, which tells the port from now on. Returns 0 and sets *out, or a
 * negated sf_errno. */
int32_t iocp__request(struct iocp *iocp, uint32_t index, int fd, struct iocp_request **out);

/* The same, of what tells no port. */
int32_t iocp__request_of(struct iocp *iocp, uint32_t index, int fd, struct iocp_request **out);

/* Has what happens on `fd` told to our port. Returns 0 or a negated sf_errno. */
int32_t iocp__associate(const struct iocp *iocp, int fd);

/* What to return from `issue`: the system has the request, or `error` of the call that should have given it to
 * it, in which case there is no request any more. */
int32_t iocp__issued(struct iocp *iocp, uint32_t index, struct iocp_request *request, bool began,
                     uint32_t error);

/* A packet was taken: ends the operation. */
void iocp__finish(struct iocp *iocp, struct iocp_request *request, uint32_t bytes);
void iocp__requests_free(struct iocp *iocp);

/* issue.c */
bool iocp__has(uint16_t opcode);
int32_t iocp__issue(struct sf_engine *engine, uint32_t index);

/* socket.c */
int32_t iocp__accept(struct iocp *iocp, uint32_t index);
int32_t iocp__connect(struct iocp *iocp, uint32_t index);
int32_t iocp__transfer_socket(struct iocp *iocp, uint32_t index, const struct sf_call *call);
/* Whether an operation on a handle of this kind waits for a datagram: it is attempted again when there is one,
 * and until then no datagram is cut, and no memory of the guest's used. */
bool iocp__awaits_datagram(const struct sf_op *op, uint8_t kind);
int32_t iocp__await_datagram(struct iocp *iocp, uint32_t index, int fd);
int32_t iocp__accepted(struct iocp *iocp, uint32_t index, struct iocp_request *request);
int32_t iocp__connected(const struct iocp_request *request);

/* file.c */
int32_t iocp__transfer_file(struct iocp *iocp, uint32_t index, const struct sf_call *call);
void iocp__transferred_file(const struct sf_op *op, const struct iocp_request *request,
                            uint32_t bytes);

/* pipe.c */
int32_t iocp__write_pipe(struct iocp *iocp, uint32_t index, const struct sf_call *call);
/* The packet of a write that the guest was told of. */
void iocp__wrote(struct iocp *iocp, struct iocp_request *request);
/* Ends an operation that waits for one. */
void iocp__leave_pipe(struct iocp *iocp, uint32_t index);
/* Closes it, behind what was written. */
void iocp__close_pipe(int fd);
void iocp__cancel_behind(struct iocp *iocp);
bool iocp__is_behind(const struct iocp *iocp, const OVERLAPPED *overlapped);

/* process.c */
int32_t iocp__wait(struct iocp *iocp, uint32_t index);
void iocp__cancel_wait(struct iocp_request *request);
void iocp__waited(struct iocp_request *request);

/* turn.c: entries of struct sf_mechanism */
void iocp__begin(struct sf_engine *engine);
int32_t iocp__run(struct sf_engine *engine, int64_t wait_ns);
int32_t iocp__arm(struct sf_engine *engine);
bool iocp__woken(struct sf_engine *engine);
void iocp__poke(struct sf_engine *engine);

/* Takes what is in the port, after waiting up to `wait_ms` for it. Returns how many packets. */
uint32_t iocp__reap(struct iocp *iocp, uint32_t wait_ms);

/* waiter.c */

/* `event` is set when the port has something, or `iocp__waiter_stop` has it. Returns 0 or a negated
 * sf_errno. */
int32_t iocp__waiter_open(struct iocp_waiter **out, HANDLE port, HANDLE event);
void iocp__waiter_start(struct iocp_waiter *waiter);
/* Afterwards the thread takes nothing any more. */
void iocp__waiter_stop(struct iocp_waiter *waiter);
/* What the thread has taken, once it was stopped. */
uint32_t iocp__waiter_take(struct iocp_waiter *waiter, OVERLAPPED_ENTRY out[IOCP_ENTRIES]);
void iocp__waiter_close(struct iocp_waiter *waiter);

#endif
