//! A runtime's figures as a table.

import type { RuntimeStats } from "../runtime/stats.ts";
import { table } from "../table.ts";

export function formatStats(stats: RuntimeStats): string {
  const perTurn = stats.turns === 0 ? 0 : stats.submissions / stats.turns;
  return table([
    ["backend", stats.backend],
    ...stats.reasons.map(({ name, reason }): [string, string] => [`  not ${name}`, reason]),
    ["switches", grouped(stats.switches)],
    ["scheduler turns", grouped(stats.schedulerTurns)],
    ["longest turn", `${stats.longestTurnMs.toFixed(2)} ms`],
    ["native calls", grouped(stats.nativeCalls)],
    ["system calls", grouped(stats.systemCalls)],
    ["operations", `${grouped(stats.submissions)} (${perTurn.toFixed(1)} a turn)`],
    ["regions", `${grouped(stats.regionsBytes)} bytes, ${grouped(stats.regionsFreeBytes)} free`],
  ]);
}

export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
