//! Whether a history of one register could have happened one operation at a time.
//!
//! Every value is written at most once, so it is known which write each read has seen, and the question
//! is easy (Gibbons and Korach, Testing Shared Memories, 1997). The operations of one value must lie
//! together in the order. Of those, let `f` be the earliest end and `s` the latest start. If f < s, the
//! register held the value from f to s at least: its zone is forward. Otherwise all of them overlap at
//! some instant, and they can all happen at any one instant from s to f: its zone is backward. There is
//! an order if and only if no two forward zones overlap, and no backward zone lies within a forward one.

/** What a register holds before anything was written. */
export const NOTHING = 0;

export interface Operation {
  readonly kind: "write" | "read";
  /** What was written, which no other write has; or what was read. */
  readonly value: number;
  readonly startNs: number;
  /** Infinity: nobody knows whether it happened. */
  readonly endNs: number;
}

interface Zone {
  readonly value: number;
  readonly forward: boolean;
  readonly lowNs: number;
  readonly highNs: number;
}

/** Why there is no such order; undefined when there is one. Operations that touch may overlap. */
export function whyNotLinearizable(history: readonly Operation[]): string | undefined {
  const writes = new Map<number, Operation>();
  writes.set(NOTHING, {
    kind: "write",
    value: NOTHING,
    startNs: Number.NEGATIVE_INFINITY,
    endNs: Number.NEGATIVE_INFINITY,
  });
  for (const operation of history) {
    if (operation.kind === "write") writes.set(operation.value, operation);
  }
  const reads = new Map<number, Operation[]>();
  for (const read of history) {
    if (read.kind !== "read" || read.endNs === Number.POSITIVE_INFINITY) continue;
    const write = writes.get(read.value);
    if (write === undefined) return `${text(read)}, which nobody has written`;
    if (read.endNs < write.startNs) return `${text(read)} before the ${text(write)} began`;
    const same = reads.get(read.value);
    if (same === undefined) reads.set(read.value, [read]);
    else same.push(read);
  }
  const zones = [...writes.values()].flatMap((write) => {
    const own = reads.get(write.value) ?? [];
    // It may never have happened.
    if (own.length === 0 && write.endNs === Number.POSITIVE_INFINITY) return [];
    return [zoneOf(write, own)];
  });
  return conflictOf(zones);
}

function zoneOf(write: Operation, reads: readonly Operation[]): Zone {
  let first = write.endNs;
  let last = write.startNs;
  for (const { startNs, endNs } of reads) {
    first = Math.min(first, endNs);
    last = Math.max(last, startNs);
  }
  const forward = first < last;
  return {
    value: write.value,
    forward,
    lowNs: forward ? first : last,
    highNs: forward ? last : first,
  };
}

function conflictOf(zones: readonly Zone[]): string | undefined {
  const forward = zones.filter((zone) => zone.forward).sort((a, b) => a.lowNs - b.lowNs);
  for (let index = 1; index < forward.length; index++) {
    const [before, after] = [forward[index - 1]!, forward[index]!];
    if (after.lowNs < before.highNs) {
      return `it held ${held(before)} and ${held(after)} at the same time`;
    }
  }
  for (const zone of zones) {
    if (zone.forward) continue;
    const around = forward.find(({ lowNs, highNs }) => lowNs < zone.lowNs && zone.highNs < highNs);
    if (around === undefined) continue;
    const when = `from ${zone.lowNs} to ${zone.highNs}`;
    return `${zone.value} was written ${when}, while it held ${held(around)}`;
  }
  return undefined;
}

function held({ value, lowNs, highNs }: Zone): string {
  return `${value} (from ${lowNs} to ${highNs})`;
}

function text({ kind, value, startNs, endNs }: Operation): string {
  return `${kind} of ${value} (from ${startNs} to ${endNs})`;
}
