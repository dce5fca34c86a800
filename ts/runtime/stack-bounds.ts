//! Stacks no larger than they must be: what the linker has found that each entry needs at most.

import { SHARED, SIZE_CLASSES, STACK_BYTES_MIN } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";
import type { LinkInfo } from "../link/section.ts";

/**
 * Tells the core, for tasks that are spawned without a size.
 *
 * @throws {StackfulError} SF_LIMIT when memory is used up.
 */
export function installStackBounds(guest: Guest, { stackBounds = [] }: LinkInfo): void {
  const known = stackBounds.filter(([, bytes]) => sizeClass(bytes) < SIZE_CLASSES);
  if (known.length === 0) return;
  const count = 1 + known.reduce((most, [place]) => Math.max(most, place), 0);
  const address = guest.allocate(count);
  guest.bytes.fill(0, address, address + count);
  for (const [place, bytes] of known) guest.bytes[address + place] = 1 + sizeClass(bytes);
  guest.setShared(SHARED.entryClassesCount, count);
  guest.setShared(SHARED.entryClasses, address);
}

/** The smallest that holds so many bytes. */
function sizeClass(bytes: number): number {
  return Math.max(0, Math.ceil(Math.log2(bytes / STACK_BYTES_MIN)));
}
