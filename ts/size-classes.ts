//! Sizes of stacks: powers of two. As in wasm/core/arena.h.

import { SIZE_CLASSES, STACK_BYTES_MIN } from "./abi.gen.ts";

export function sizeClassBytes(sizeClass: number): number {
  return STACK_BYTES_MIN << sizeClass;
}

/** The smallest class that holds so many bytes; undefined when they are over 8 MiB. */
export function sizeClassFor(bytes: number): number | undefined {
  for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
    if (sizeClassBytes(sizeClass) >= bytes) return sizeClass;
  }
  return undefined;
}
