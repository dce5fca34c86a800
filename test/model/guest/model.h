/* model.h - the scripts that the harness writes and the log that it reads; see ../machine.ts. */
#ifndef MODEL_H
#define MODEL_H

#include <stackful.h>
#include <string.h>

#define TASKS 8
#define OPS_MAX 12
#define SETUP_MAX 16
#define EVENTS_MAX 512
#define STACK_BYTES 4096
#define SCOPES 3

enum op_flags {
  OP_SHIELDED = 1,
  OP_AFTER_0 = 2, /* only when the task's operation before gave 0 */
  OP_AFTER_1 = 4, /* only when it gave 1 */
};

struct op {
  uint32_t code;
  int32_t a, b, c;
  uint32_t until; /* 0: waits as long as it takes; else an instant */
  uint32_t flags; /* enum op_flags */
};

struct script {
  uint32_t count;
  int32_t result; /* what the task returns */
  struct op ops[OPS_MAX];
};

enum event_kind { EVENT_BEGIN = 0, EVENT_END = 1, EVENT_ITEM = 2, EVENT_RETURN = 3 };

struct event {
  uint32_t kind; /* enum event_kind; the harness adds kinds of its own */
  uint32_t task;
  uint32_t index;
  int32_t result;
  int32_t value;
  uint32_t step; /* of the harness */
};

/* Its layout is known to ../machine.ts. */
struct model {
  uint32_t tasks_started; /* scripts from this one on are started by others */
  uint32_t setup_count;
  uint32_t stopping; /* tasks return at once */
  uint32_t events_count;
  uint32_t step;
  uint32_t reserved;
  uint64_t tasks[TASKS];
  struct op setup[SETUP_MAX];
  struct script scripts[TASKS];
  struct event events[EVENTS_MAX];
};

#endif
