//! Painted stacks: how much of them tasks have used at most, kept by the core for each entry.

import { SHARED, TASK } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";
import type { FunctionNames } from "./function-names.ts";

const MARK_BYTES = 4;

/**
 * From now on, for tasks that are not there yet.
 *
 * @throws {StackfulError} SF_LIMIT when memory is used up.
 */
export function paintStacks(guest: Guest): void {
  const count = guest.table.length;
  const address = guest.allocate(count * MARK_BYTES);
  guest.bytes.fill(0, address, address + count * MARK_BYTES);
  guest.setShared(SHARED.stackMarksCount, count);
  guest.setShared(SHARED.stackMarks, address);
}

/** Bytes by the name of the entry, of tasks that have ended and of those at `live`. */
export function readStackMarks(
  guest: Guest,
  names: FunctionNames,
  live: readonly number[],
): Record<string, number> {
  const marks: Record<string, number> = {};
  if (!guest.paintsStacks) return marks;
  const note = (place: number, bytes: number): void => {
    if (bytes === 0) return;
    const name = names.inTable(guest, place);
    marks[name] = Math.max(marks[name] ?? 0, bytes);
  };
  const address = guest.sharedU32(SHARED.stackMarks);
  for (let place = 0; place < guest.table.length; place++) {
    note(place, guest.u32(address + place * MARK_BYTES));
  }
  for (const task of live) {
    note(guest.u32(task + TASK.entry), guest.core.stackful_stack_used(task));
  }
  return marks;
}
