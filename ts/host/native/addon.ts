//! What the native addon exports.

import type { Capability } from "../capability.ts";

declare const handleBrand: unique symbol;

/** One opened backend. Valid until `close`. */
export interface AddonHandle {
  readonly [handleBrand]: true;
}

/**
 * The exports of native/src/addon/binding.c. A number that stands for success or failure is >= 0, or a
 * negated errno of abi.h.
 */
export interface Addon {
  readonly abiVersion: number;
  /**
   * -ENOSYS when this build has no mechanism of that name. `counters` has COUNTER.length elements, which every
   * `turn` writes. `wakeByThread`: where the event loop is not libuv's; then a `turn` that waits is not ended by
   * what happens in the event loop. `pool`: see newPoolKey.
   */
  open(
    mechanism: string,
    handlesMax: number,
    entries: number,
    counters: Float64Array,
    wakeByThread: boolean,
    pool: Uint8Array,
  ): AddonHandle | number;
  grantDirectory(
    handle: AddonHandle,
    hostPath: string,
    guestPath: string,
    readOnly: boolean,
  ): number;
  /** `bytes`: empty for any address. `port`: -1 for any. */
  grantEndpoint(handle: AddonHandle, use: number, bytes: Uint8Array, port: number): number;
  /** Fills `out` with indexes into CAPABILITIES, by operation code. */
  capabilities(handle: AddonHandle, out: Uint8Array): void;
  /** `which`: of RESOLVER. */
  grantNames(handle: AddonHandle, which: number, text: Uint8Array): number;
  /** The descriptor that stands for stream `number`, 0 to 2: not owned. */
  grantStdio(handle: AddonHandle, number: number, fd: number): number;
  /** Lists are strings, each with a zero at its end. `list`: of programs; with `any` of directories. */
  grantPrograms(
    handle: AddonHandle,
    list: Uint8Array,
    any: boolean,
    variables: Uint8Array,
    anyVariable: boolean,
  ): number;
  /** Makes a descriptor a handle, which owns a duplicate or, with `owned`, itself. Returns the handle. */
  adopt(handle: AddonHandle, fd: number, transfers: boolean, owned: boolean): number;
  /** Makes a handle a token, which is written. */
  release(handle: AddonHandle, which: number, token: Uint8Array): number;
  /** The opposite, of any backend with the same key. Returns the handle. */
  adoptReleased(handle: AddonHandle, token: Uint8Array): number;
  /** `moves`: the memory may be elsewhere once it has grown. */
  bind(handle: AddonHandle, memory: Uint8Array, shared: number, moves: boolean): number;
  /** Returns completions delivered. Infinity waits for as long as is ever waited: one second. */
  turn(handle: AddonHandle, waitNs: number): number;
  /** As Backend.attempt. */
  attempt(handle: AddonHandle): number;
  /** `ranges`: address and bytes by turns. Returns the bytes discarded, or a negated errno. */
  discard(handle: AddonHandle, ranges: Uint32Array): number;
  /** Called from the event loop when a turn has work, once until the next `turn`. */
  setWake(handle: AddonHandle, wake: () => void): void;
  /** Has the event loop call `wake` in its next turn. Keeps the loop alive until then. */
  poke(handle: AddonHandle): void;
  close(handle: AddonHandle): void;
}

/** Places in `counters`; enum counter in binding.h has the same list. */
export const COUNTER = {
  pending: 0,
  handlesOpen: 1,
  hostLoopReady: 2,
  nativeCalls: 3,
  systemCalls: 4,
  submissions: 5,
  completions: 6,
  wakes: 7,
  length: 8,
} as const;

/** enum sf_capability has the same list. */
export const CAPABILITIES: readonly Capability[] = ["unsupported", "native", "pool"];

/** Of `grantEndpoint`. */
export const ENDPOINT_USE = { connect: 0, listen: 1, bind: 2 } as const;
