//! A runtime's figures.

import { SHARED } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";
import type { Backend, BackendName, BackendStats } from "../host/backend.ts";
import type { BackendReason } from "../host/open-backend.ts";
import type { TurnStats } from "../sched/loop.ts";

export interface RuntimeStats extends Readonly<BackendStats> {
  readonly backend: BackendName;
  /** Why a better backend is not in use, and what permissions operations have lacked in this one. */
  readonly reasons: readonly BackendReason[];
  /** Turns of the scheduler; `turns` counts calls of the backend. */
  readonly schedulerTurns: number;
  readonly longestTurnMs: number;
  /** Calls from the host into the guest's scheduler. */
  readonly runs: number;
  /** Calls from the guest to host imports, WASI's included. Switches make none. */
  readonly hostCalls: number;
  /** Coroutines entered. */
  readonly switches: number;
  readonly tasksLive: number;
  readonly handlesOpen: number;
  /** Memory taken for stacks and control blocks, pooled ones included. */
  readonly regionsBytes: number;
  /** Those of them that are pooled: free for the next tasks, or to be given back. */
  readonly regionsFreeBytes: number;
  /** The guest's whole memory, what is set aside but untouched included. */
  readonly memoryBytes: number;
}

export function readStats(
  guest: Guest,
  backend: Backend,
  reasons: readonly BackendReason[],
  turns: TurnStats,
  hostCalls: number,
): RuntimeStats {
  return {
    ...backend.stats,
    backend: backend.name,
    reasons: [...reasons, ...refusals(backend)],
    schedulerTurns: turns.turns,
    longestTurnMs: turns.longestTurnMs,
    runs: turns.runs,
    hostCalls,
    switches: guest.sharedU64(SHARED.switches),
    tasksLive: guest.sharedU32(SHARED.tasksLive),
    handlesOpen: backend.handlesOpen,
    regionsBytes: guest.sharedU32(SHARED.regionsBytes),
    regionsFreeBytes: guest.sharedU32(SHARED.regionsFreeBytes),
    memoryBytes: guest.memory.buffer.byteLength,
  };
}

function refusals({ name, permissionsMissing = [] }: Backend): BackendReason[] {
  return permissionsMissing.map((flag) => ({ name, reason: `an operation needed ${flag}` }));
}
