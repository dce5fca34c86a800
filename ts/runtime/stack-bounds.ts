//! Stacks no larger than they must be: what the linker has found that each entry needs at most.

import { SHARED } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";
import type { LinkInfo } from "../link/section.ts";
import { sizeClassFor } from "../size-classes.ts";
import type { FunctionNames } from "./function-names.ts";

/**
 * Tells the core, for tasks that are spawned without a size.
 *
 * @throws {StackfulError} SF_LIMIT when memory is used up.
 */
export function installStackBounds(guest: Guest, { stackBounds = [] }: LinkInfo): void {
  if (stackBounds.length === 0) return;
  const count = 1 + stackBounds.reduce((most, [place]) => Math.max(most, place), 0);
  const address = guest.allocate(count);
  guest.bytes.fill(0, address, address + count);
  for (const [place, bytes] of stackBounds) {
    const sizeClass = sizeClassFor(bytes);
    if (sizeClass !== undefined) guest.bytes[address + place] = 1 + sizeClass;
  }
  guest.setShared(SHARED.entryClassesCount, count);
  guest.setShared(SHARED.entryClasses, address);
}

/** Bytes by the name of the entry. */
export function readStackBounds(
  guest: Guest,
  names: FunctionNames,
  { stackBounds = [] }: LinkInfo,
): Record<string, number> {
  return Object.fromEntries(
    stackBounds.map(([place, bytes]) => [names.inTable(guest, place), bytes]),
  );
}
