//! What a burst of tasks leaves behind, given back: free regions that lie side by side become spans,
//! whose pages the system gets.
//!
//!   | task | free | free | task | free | span | free | free | task |   ──▶
//!   | task |     span    | task |            span           | task |
//!
//! All free regions and spans are taken out of the core, sorted, and merged, whatever their sizes. A
//! run that is worth it becomes a span, the others go back to where they came from.

import { SHARED, SIZE_CLASSES, SPAN, TASK } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import type { Backend } from "../host/backend.ts";
import { sizeClassBytes } from "../size-classes.ts";

/** What `Runtime.trim` achieved. */
export interface Trimmed {
  /** Bytes the system got. */
  readonly bytes: number;
  /** Why it could not get any. */
  readonly reason?: string;
}

/**
 * Shortest run that becomes a span. A page at each end of a run stays, and every span is one call of
 * the system and one more place to look for memory: below 16 pages that is not worth it.
 */
const SPAN_BYTES_MIN = 65_536;

/** In place of a size class: free pieces are sorted as address | class, addresses are multiples of 16. */
const SPAN_CLASS = 15;

/**
 * Gives free regions back to the system.
 *
 * @param backend - knows the memory as it is now.
 * @throws {StackfulError} SF_TRAP when the guest has damaged its core.
 */
export function trim(guest: Guest, backend: Backend): Trimmed {
  if (!backend.canDiscard) {
    return { bytes: 0, reason: `the ${backend.name} backend cannot give memory back` };
  }
  const free = takeFree(guest);
  const spans: number[] = [];
  const ranges: number[] = [];
  let regionBytes = 0;
  eachRun(guest, free, (first, last, bytes, newBytes) => {
    if (bytes < SPAN_BYTES_MIN) {
      returnPieces(guest, free, first, last);
      return;
    }
    const start = addressOf(free[first]!);
    spans.push(start, bytes);
    if (newBytes === 0) return;
    // The page where the span's header goes is not whole: it stays.
    ranges.push(start + SPAN.size, bytes - SPAN.size);
    regionBytes += newBytes;
  });
  const trimmed = discard(backend, ranges, regionBytes);
  for (let index = 0; index < spans.length; index += 2) {
    guest.core.stackful_span_give(spans[index]!, spans[index + 1]!);
  }
  return trimmed;
}

function discard(backend: Backend, ranges: readonly number[], regionBytes: number): Trimmed {
  try {
    // What lay in spans was discarded before, and does not count again.
    return { bytes: Math.min(backend.discard(Uint32Array.from(ranges)), regionBytes) };
  } catch (error) {
    if (!(error instanceof StackfulError)) throw error;
    return { bytes: 0, reason: error.message };
  }
}

/** Every free piece, sorted. */
function takeFree(guest: Guest): Uint32Array {
  const { core } = guest;
  // Regions of one size at least, but for few; the guest can have written anything there.
  const expected = guest.sharedU32(SHARED.regionsFreeBytes) / regionBytesOf(0);
  let pieces = new Uint32Array(Math.min(expected, guest.bytes.length / regionBytesOf(0)) + 16);
  let count = 0;
  let bytesLeft = guest.bytes.length;
  const add = (address: number, sizeClass: number): void => {
    if (count === pieces.length) {
      const longer = new Uint32Array(2 * count);
      longer.set(pieces);
      pieces = longer;
    }
    const bytes = pieceBytes(guest, address | sizeClass);
    bytesLeft -= bytes;
    // No room for more of them: a list is a circle.
    if (address % 16 !== 0 || bytes === 0 || bytesLeft < 0) throw damaged(guest);
    pieces[count++] = address | sizeClass;
  };
  for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
    for (let address: number; (address = core.stackful_pool_take(sizeClass) >>> 0) !== 0; ) {
      add(address, sizeClass);
    }
  }
  for (let address: number; (address = core.stackful_span_take() >>> 0) !== 0; ) {
    add(address, SPAN_CLASS);
  }
  return pieces.subarray(0, count).sort();
}

/**
 * Visits the runs of adjacent pieces, free[first] to free[last]. The highest comes first, because the
 * core uses first what it got last, and memory is best used from below. `newBytes`: without what
 * was a span already.
 */
function eachRun(
  guest: Guest,
  free: Uint32Array,
  visit: (first: number, last: number, bytes: number, newBytes: number) => void,
): void {
  let limit = guest.bytes.length;
  for (let last = free.length - 1; last >= 0; ) {
    let first = last;
    let bytes = pieceBytes(guest, free[first]!);
    let newBytes = isSpan(free[first]!) ? 0 : bytes;
    if (addressOf(free[first]!) + bytes > limit) throw damaged(guest);
    while (first > 0) {
      const below = free[first - 1]!;
      const belowBytes = pieceBytes(guest, below);
      const gap = addressOf(free[first]!) - addressOf(below) - belowBytes;
      if (gap < 0) throw damaged(guest);
      if (gap > 0) break;
      first--;
      bytes += belowBytes;
      if (!isSpan(below)) newBytes += belowBytes;
    }
    limit = addressOf(free[first]!);
    visit(first, last, bytes, newBytes);
    last = first - 1;
  }
}

function returnPieces(guest: Guest, free: Uint32Array, first: number, last: number): void {
  for (let index = last; index >= first; index--) {
    const piece = free[index]!;
    const address = addressOf(piece);
    if (isSpan(piece)) guest.core.stackful_span_give(address, pieceBytes(guest, piece));
    else guest.core.stackful_release(address + TASK.size);
  }
}

const addressOf = (piece: number): number => (piece & ~15) >>> 0;
const isSpan = (piece: number): boolean => (piece & 15) === SPAN_CLASS;
const regionBytesOf = (sizeClass: number): number => TASK.size + sizeClassBytes(sizeClass);

function pieceBytes(guest: Guest, piece: number): number {
  return isSpan(piece) ? guest.u32(addressOf(piece) + SPAN.bytes) : regionBytesOf(piece & 15);
}

function damaged(guest: Guest): StackfulError {
  const error = new StackfulError(
    "SF_TRAP",
    "the guest's coroutine core lost count of its free regions: its memory is corrupt",
  );
  guest.onCorrupt(error);
  return error;
}
