//! What a function's locals and __stack_pointer hold, as far as the linker follows it.

/**
 * A constant, a multiple of 16, or an address between `low` and `high` bytes from where __stack_pointer
 * stood on entry.
 */
export type Value =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "multiple" }
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

/** What holds where two ways meet, put into `into`. */
export function joinState(into: State, other: State): void {
  into.pointer = joined(into.pointer, other.pointer);
  for (const [local, value] of into.locals) {
    const both = joined(value, other.locals.get(local));
    if (both === undefined) into.locals.delete(local);
    else into.locals.set(local, both);
  }
}

function joined(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (same(a, b)) return a;
  if (a?.kind !== "stack" || b?.kind !== "stack") return undefined;
  return { kind: "stack", low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
}

/**
 * Forgets in `into` what differs in `other`, so that a loop comes to an end; returns whether that was
 * anything.
 */
export function forgetDifferences(into: State, other: State): boolean {
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

function same(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || a.kind !== b?.kind) return false;
  if (a.kind === "constant") return a.value === (b as typeof a).value;
  if (a.kind === "multiple") return true;
  return a.low === (b as typeof a).low && a.high === (b as typeof a).high;
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
  if (isMultiple(a) || isMultiple(b)) return folded(a, b, (x, y) => x & y) ?? MULTIPLE;
  return folded(a, b, (x, y) => x & y);
}

export function shiftLeft(a: Value | undefined, b: Value | undefined): Value | undefined {
  const result = folded(a, b, (x, y) => x << y);
  if (result !== undefined || b?.kind !== "constant") return result;
  return (b.value & 31) >= 4 || isMultiple(a) ? MULTIPLE : undefined;
}

export function multiply(a: Value | undefined, b: Value | undefined): Value | undefined {
  return folded(a, b, Math.imul) ?? (isMultiple(a) || isMultiple(b) ? MULTIPLE : undefined);
}

const MULTIPLE: Value = { kind: "multiple" };

function isMultiple(value: Value | undefined): boolean {
  return value?.kind === "multiple" || (value?.kind === "constant" && value.value % 16 === 0);
}

/**
 * Whether `a - b` is an allocation: compilers round an array's size to whole 16 bytes. An address minus
 * another is no such thing.
 */
export function allocates(a: Value | undefined, b: Value | undefined): boolean {
  if (a?.kind !== "stack" || b?.kind === "constant") return false;
  return b?.kind === "multiple" || same(a, ON_ENTRY);
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
