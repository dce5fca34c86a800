/* cpu.c - a CPU-bound guest that never parks but could: a small stack machine whose operations are
 * reached through a table, as interpreters do. The indirect calls make the linker instrument it all.
 */
#include <stackful.h>

#define EXPORT(name) __attribute__((export_name(#name)))

enum { PUSH, ADD, MULTIPLY, XOR_SHIFT, STORE, LOAD, BRANCH_NOT_ZERO, HALT };

struct machine {
  const int32_t *code;
  uint32_t pc;
  uint32_t top;
  uint32_t stack[64];
  uint32_t slots[8];
};

typedef int32_t (*operation_fn)(struct machine *machine);

static int32_t op_push(struct machine *m) {
  m->stack[m->top++] = (uint32_t)m->code[m->pc++];
  return 1;
}

static int32_t op_add(struct machine *m) {
  m->top--;
  m->stack[m->top - 1] += m->stack[m->top];
  return 1;
}

static int32_t op_multiply(struct machine *m) {
  m->top--;
  m->stack[m->top - 1] *= m->stack[m->top];
  return 1;
}

static int32_t op_xor_shift(struct machine *m) {
  uint32_t value = m->stack[m->top - 1];
  m->stack[m->top - 1] = value ^ (value >> 15);
  return 1;
}

static int32_t op_store(struct machine *m) {
  m->slots[m->code[m->pc++]] = m->stack[--m->top];
  return 1;
}

static int32_t op_load(struct machine *m) {
  m->stack[m->top++] = m->slots[m->code[m->pc++]];
  return 1;
}

static int32_t op_branch_not_zero(struct machine *m) {
  int32_t target = m->code[m->pc++];
  if (m->stack[--m->top] != 0) m->pc = (uint32_t)target;
  return 1;
}

static int32_t op_halt(struct machine *m) {
  (void)m;
  return 0;
}

/* Keeps parking possible below the table, so that no linker could leave the calls alone. */
static int32_t op_yield(struct machine *m) {
  (void)m;
  return sf_yield() == 0;
}

static operation_fn volatile operations[] = {
    op_push, op_add, op_multiply, op_xor_shift, op_store, op_load, op_branch_not_zero, op_halt,
    op_yield,
};

/* slot 0 counts down, slot 1 is mixed: slot1 = xorshift(slot1 * 2654435761 + slot0). */
static const int32_t program[] = {
    LOAD, 1, PUSH, (int32_t)2654435761u, MULTIPLY, LOAD, 0, ADD, XOR_SHIFT, STORE, 1,
    LOAD, 0, PUSH, -1, ADD, STORE, 0, LOAD, 0, BRANCH_NOT_ZERO, 0, HALT,
};

EXPORT(mix) uint32_t mix(uint32_t iterations) {
  struct machine machine = {.code = program};
  machine.slots[0] = iterations;
  while (operations[program[machine.pc++]](&machine)) continue;
  return machine.slots[1];
}
