//! The guest's exports as the embedder may call them: from outside a turn, or from a host import.
//! There a JavaScript frame lies on the stack, which cannot be saved, so the call must not park.

import { FAULT, SHARED } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";

/** @returns what the guest exports, with functions wrapped so that parking is a named error. */
export function nestedExports(guest: Guest): Readonly<Record<string, unknown>> {
  const exports: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(guest.exports)) {
    if (name.startsWith("stackful_") || name.startsWith("sf_")) continue;
    exports[name] =
      typeof value === "function" ? nested(guest, name, value as NestedFunction) : value;
  }
  return exports;
}

type NestedFunction = (...args: unknown[]) => unknown;

function nested(guest: Guest, name: string, fn: NestedFunction): NestedFunction {
  return (...args) => {
    const phase = guest.core.stackful_nested_begin();
    const stackPointer = guest.stackPointer.value;
    try {
      return fn(...args);
    } catch (cause) {
      if (guest.sharedU32(SHARED.fault) !== FAULT.NESTED_SUSPEND) throw cause;
      throw new StackfulError("SF_IMPORT", `calling ${name}: it wants to park, and cannot here`, {
        hint: `use runtime.spawn("${name}")`,
        cause,
      });
    } finally {
      guest.stackPointer.value = stackPointer;
      guest.core.stackful_nested_end(phase);
    }
  };
}
