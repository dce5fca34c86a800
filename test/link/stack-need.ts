//! What a parked task really has on its stack.

import { SIZE_CLASSES, STACK_BYTES_MIN, STATE, TASK } from "../../ts/abi.gen.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";

export interface StackNeed {
  readonly address: number;
  /** Saved by Asyncify, in whole words. */
  readonly frameBytes: number;
  /** From the end of the region down to __stack_pointer: arguments, name and C stack. */
  readonly cStackBytes: number;
  /** One past the region's last byte. */
  readonly end: number;
}

/** Options of a runtime with little below its regions. */
export const SMALL = { limits: { guestMemoryBytes: 1 << 20 } };

/** A name that takes all the room that a bound counts for it. */
export const LONGEST_NAME = "x".repeat(64);

/** As in wasm/core: task.h, arena.h; regions lie above the four slots of slots.h. */
const RED_ZONE_BYTES = 128;
const REGION_ALIGN = 16;
const REGIONS_START = 4 * (8 << 20);

/**
 * Every parked task whose entry is at `tableIndex`. Found by what its header holds: two fields that
 * follow from its address and size.
 */
export function parkedNeeds(runtime: Runtime, tableIndex: number): StackNeed[] {
  const words = new Uint32Array(runtime.memory.buffer);
  const u32 = (address: number): number => words[address >> 2]!;
  const needs: StackNeed[] = [];
  for (
    let address = REGIONS_START;
    address + TASK.size < words.byteLength;
    address += REGION_ALIGN
  ) {
    if (u32(address + TASK.framesEnd) !== 0xffff_ffff) continue;
    if (u32(address + TASK.entry) !== tableIndex) continue;
    const base = address + TASK.size;
    if (u32(address + TASK.stackLimit) !== base + RED_ZONE_BYTES) continue;
    const bytes = new Uint8Array(runtime.memory.buffer, address, TASK.size);
    const sizeClass = bytes[TASK.sizeClass]!;
    if (sizeClass >= SIZE_CLASSES || bytes[TASK.state] !== STATE.PARKED) continue;
    const slot = u32(address + TASK.slot);
    // A slot begins with the position, and holds its base behind its end.
    const saved = slot === 0 ? u32(address) - base : u32(slot) - u32(slot + 8);
    const end = base + STACK_BYTES_MIN * 2 ** sizeClass;
    needs.push({
      address,
      frameBytes: (saved + 7) & ~7,
      cStackBytes: end - u32(address + TASK.stackPointer),
      end,
    });
  }
  return needs;
}
