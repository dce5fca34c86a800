//! What a function's locals and __stack_pointer hold, as far as the linker follows it.

/** A constant, or an address between `low` and `high` bytes from where __stack_pointer stood on entry. */
export type Value =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "stack"; readonly low: number; readonly high: number };

/** Undefined: unknown. A local that is not in the map is unknown too. */
export interface State {
  pointer: Value | undefined;
  readonly locals: Map<number, Value>;
}

export const ON_ENTRY: Value = { kind: "stack", low: 0, high: 0 };

export function copyState(state: State): State {
  return { pointer: state.pointer, locals: new Map(state.locals) };
}

/** Forgets in `into` what differs in `other`; returns whether that was anything. */
export function joinState(into: State, other: State): boolean {
  let changed = false;
  if (into.pointer !== undefined && !same(into.pointer, other.pointer)) {
    into.pointer = undefined;
    changed = true;
  }
  for (const [local, value] of into.locals) {
    if (same(value, other.locals.get(local))) continue;
    into.locals.delete(local);
    changed = true;
  }
  return changed;
}

function same(a: Value, b: Value | undefined): boolean {
  if (a === b) return true;
  if (b === undefined) return false;
  if (a.kind === "constant") return b.kind === "constant" && a.value === b.value;
  return b.kind === "stack" && a.low === b.low && a.high === b.high;
}

export function add(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (a?.kind === "stack" && b?.kind === "constant") return moved(a, b.value);
  if (a?.kind === "constant" && b?.kind === "stack") return moved(b, a.value);
  return folded(a, b, (x, y) => x + y);
}

export function subtract(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (a?.kind === "stack" && b?.kind === "constant") return moved(a, -b.value);
  return folded(a, b, (x, y) => x - y);
}

/** An address and a mask such as -32 is that address rounded down. */
export function and(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (a?.kind === "stack" && b?.kind === "constant") return roundedDown(a, b.value);
  if (a?.kind === "constant" && b?.kind === "stack") return roundedDown(b, a.value);
  return folded(a, b, (x, y) => x & y);
}

function moved(address: Value & { kind: "stack" }, by: number): Value {
  return { kind: "stack", low: address.low + by, high: address.high + by };
}

function roundedDown(address: Value & { kind: "stack" }, mask: number): Value | undefined {
  const bytes = -mask;
  const isPowerOfTwo = bytes > 0 && (bytes & (bytes - 1)) === 0;
  return isPowerOfTwo ? { ...address, low: address.low - (bytes - 1) } : undefined;
}

function folded(
  a: Value | undefined,
  b: Value | undefined,
  compute: (x: number, y: number) => number,
): Value | undefined {
  if (a?.kind !== "constant" || b?.kind !== "constant") return undefined;
  return { kind: "constant", value: compute(a.value, b.value) | 0 };
}
