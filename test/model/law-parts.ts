//! What several primitives' laws are made of.

import type { Call } from "./history.ts";

/**
 * Of calls that waited for the same, in the order in which they began to: nobody is served before one
 * that came earlier and waits still.
 */
export function inTurn(calls: readonly Call[]): string | undefined {
  for (let i = 0; i < calls.length; i++) {
    const first = calls[i]!;
    if (!first.waited) continue;
    for (let j = i + 1; j < calls.length; j++) {
      const second = calls[j]!;
      if (!second.ok || second.begin > first.woken) continue;
      if (second.wokenIn < first.wokenIn) return `${second}, before ${first}, which came earlier`;
    }
  }
  return undefined;
}
