/* handles.h - what the guest holds instead of file descriptors.
 *
 * A handle is an index and a generation: a guest can name only what it was given, and a handle that
 * was closed stays invalid when its place is used again (until the generation comes round, after
 * 2047 uses of that place; places are reused oldest first, which makes that as rare as it can be).
 *
 *   bit 31   30 ... 20    19 ... 0
 *     0      generation    index       generation 0 is never given out, so neither is handle 0
 */
#ifndef SF_HANDLES_H
#define SF_HANDLES_H

#include <stdbool.h>
#include <stdint.h>

#define SF_HANDLES_MAX (1u << 20)
#define SF_NONE UINT32_MAX /* no index, in every table of this library */

enum sf_handle_kind {
  SF_HANDLE_FREE,
  SF_HANDLE_RESERVED, /* counts towards the limit, the guest does not know it yet */
  SF_HANDLE_LISTENER,
  SF_HANDLE_STREAM,
  SF_HANDLE_FILE,
  SF_HANDLE_DIRECTORY,
  SF_HANDLE_UDP, /* of datagrams: Unix ones too */
  SF_HANDLE_PROCESS,
  SF_HANDLE_DESCRIPTOR, /* the embedder's: to be polled, and nothing else */
  SF_HANDLE_KINDS,
};

/* Whether it has a place in a file system, so that its system calls never wait for readiness. */
static inline bool sf__is_file(uint8_t kind) {
  return kind == SF_HANDLE_FILE || kind == SF_HANDLE_DIRECTORY;
}

/* Which way one of the host's own streams goes. */
enum sf_stdio { SF_STDIO_NONE, SF_STDIO_INPUT, SF_STDIO_OUTPUT };

struct sf_process;
struct sf_listing;

#define SF_LANES 2

struct sf_lane { /* see lanes.h; operations, oldest first */
  uint32_t first;
  uint32_t last;
};

struct sf_handle {
  int fd; /* owned by the table once the handle is open; -1 without one */
  uint16_t generation;
  uint8_t kind;         /* enum sf_handle_kind */
  uint8_t becomes;      /* of a reserved one: the kind it will be of, if not the usual one; else 0 */
  bool closing;         /* a CLOSE was taken; no new operation may start */
  bool lingers;         /* closing it can take its time */
  bool read_only;       /* of files and directories: as the grant that it was opened in */
  uint8_t family;       /* enum sf_family; of listeners and datagram sockets. 0: Unix */
  bool connected;       /* of datagram sockets */
  bool pipe;            /* of streams: no socket, but a pipe, or something that works like one */
  bool polled;          /* its descriptor says EAGAIN instead of waiting, whatever the mechanism */
  uint8_t stdio;        /* enum sf_stdio */
  bool shared;          /* its descriptor blocks, and has to, because others use it too */
  bool raw;             /* it has its terminal raw: see terminal.h */
  struct sf_listing *listing; /* of directories, see listing.h; owned, or NULL */
  uint32_t ops_first;   /* operations in flight on it, linked through struct sf_op */
  struct sf_lane lanes[SF_LANES];
  uint32_t close_op;    /* the CLOSE that waits for them, or SF_NONE */
  uint32_t next_free;
  struct sf_process *process; /* the engine's, of processes */
};

struct sf_handles {
  struct sf_handle *items; /* owned; grows, so pointers into it are short-lived */
  uint32_t capacity;
  uint32_t limit;
  uint32_t used; /* reserved ones included */
  uint32_t open;
  uint32_t free_first;
  uint32_t free_last;
};

void sf__handles_init(struct sf_handles *handles, uint32_t limit);

/* Takes a place. Returns 0 and sets *out, or -SF_EMFILE, -SF_ENOMEM. */
int32_t sf__handles_reserve(struct sf_handles *handles, uint32_t *out);

/* The same for a descriptor that is there, and is closed when there is no place for it. */
int32_t sf__handles_reserve_for(struct sf_handles *handles, int fd, uint32_t *out);

/* Makes a reserved place an open handle that owns `fd`. Returns what the guest calls it. */
int32_t sf__handles_open(struct sf_handles *handles, uint32_t index, enum sf_handle_kind kind,
                         int fd);

/* Gives a place back, reserved or open. Does not close the fd. */
void sf__handles_release(struct sf_handles *handles, uint32_t index);

/* Takes an open handle out, whole: its descriptor is the caller's. No operation is in flight on it. */
struct sf_handle sf__handles_take(struct sf_handles *handles, uint32_t index);

/* Makes a reserved place what was taken out of a table, this one or another. Returns what the guest calls it. */
int32_t sf__handles_put(struct sf_handles *handles, uint32_t index, const struct sf_handle *taken);

/* Closes the descriptor of one that was taken out, or of one that is never used again. Waits for nothing. */
void sf__handle_end(const struct sf_handle *handle);

/* Whether one more place can be taken. */
bool sf__handles_full(const struct sf_handles *handles);

/* The open handle the guest names, or NULL: forged, stale or being closed. */
struct sf_handle *sf__handles_get(const struct sf_handles *handles, int32_t handle);

/* The index of an item of the table. */
uint32_t sf__handles_index(const struct sf_handles *handles, const struct sf_handle *handle);

/* Closes every fd and frees the table. */
void sf__handles_free(struct sf_handles *handles);

#endif
