/* mechanism.h - what io_uring, epoll, … do each in their own way: hand an operation to the system,
 * wait, and tell how it ended. Everything else is the engine's (engine.h).
 *
 * Results are the guest's: >= 0, or a negated sf_errno. A mechanism translates the system's.
 */
#ifndef SF_MECHANISM_H
#define SF_MECHANISM_H

#include "engine/engine.h"
#include "engine/platform.h"

struct sf_mechanism {
  const char *name;
  /* Sockets do not block: attempts at them say EAGAIN. */
  bool nonblocking;

  /* Allocates an engine, in a struct of the mechanism's own that starts with it, zeroed, and sets
   * base.wake_fd. Returns as sf__backend_open does. */
  int32_t (*open)(struct sf_engine **out, const struct sf_options *options);
  /* Frees what `open` made, the struct too. Every operation has ended, or never will. */
  void (*free)(struct sf_engine *engine);
  /* Ends all that the system has, and waits for it: it uses no memory of the guest's afterwards.
   * NULL: what is on the pool is all that it has. */
  void (*drain)(struct sf_engine *engine);

  /* Whether it has a form of its own for an operation; else the operation runs on the pool. NULL: for
   * those that wait for a descriptor. */
  bool (*has)(uint16_t opcode);
  /* Hands over an operation of the table. Returns SF_STARTED, and calls sf__engine_finish later; or
   * its result when it has ended already, or cannot begin. For those that it has no form for,
   * sf__job_start does that. */
  int32_t (*issue)(struct sf_engine *engine, uint32_t index);
  /* Has an operation that was issued end as soon as it can; sf__engine_finish tells how it did. */
  void (*cancel)(struct sf_engine *engine, uint32_t index);
  /* What was issued has reached the system when this returns. NULL: it always has. */
  void (*flush)(struct sf_engine *engine);
  /* A stream was shut down for reading: ends what waits to read from it, with 0. NULL: the system does. */
  void (*shut)(struct sf_engine *engine, const struct sf_handle *handle);
  /* The guest's memory is at another address: ends what works on the old one and marks it `moved`.
   * Returns 0 or a negated sf_errno. NULL: no operation but those on the pool works on it later. */
  int32_t (*moved)(struct sf_engine *engine);

  /* The descriptor is about to be closed; nothing waits for it. NULL: that is all the same. */
  void (*forget)(struct sf_engine *engine, int fd);
  /* The descriptor goes to another engine, open as it is; nothing waits for it. NULL: that is all the same. */
  void (*release)(struct sf_engine *engine, int fd);

  /* The three parts of a turn: `begin`, then the engine takes submissions, then `run`, which waits
   * up to wait_ns while nothing was delivered, and with an event loop around it `arm`. They return 0
   * or a negated sf_errno: the mechanism itself failed. */
  void (*begin)(struct sf_engine *engine);
  int32_t (*run)(struct sf_engine *engine, int64_t wait_ns);
  int32_t (*arm)(struct sf_engine *engine);
  /* See sf__backend_woken and sf__backend_poke. */
  bool (*woken)(struct sf_engine *engine);
  void (*poke)(struct sf_engine *engine);
};

/* Those there are. */
#ifdef SF_LINUX
extern const struct sf_mechanism sf__uring;
extern const struct sf_mechanism sf__epoll;
#elif defined(SF_WINDOWS)
extern const struct sf_mechanism sf__iocp;
#else
extern const struct sf_mechanism sf__kqueue;
#endif
extern const struct sf_mechanism sf__poll; /* not on Windows */

#endif
