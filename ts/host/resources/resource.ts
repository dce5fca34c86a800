//! What the parts of a backend written in JavaScript share: the guest's rings, the handles, the
//! operations.

import type { Directory } from "../grants.ts";
import type { GuestRing } from "../ring.ts";
import type { HandleTable } from "./handle-table.ts";
import type { Names } from "./names.ts";
import type { Operation, Operations, Owner } from "./operation.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Terminal } from "./standard.ts";

export interface Context {
  readonly ring: GuestRing;
  readonly handles: HandleTable<Resource>;
  readonly operations: Operations;
  /** Absent where the host has none. */
  readonly sandbox?: Sandbox | undefined;
  /** Absent where the guest is granted none. */
  readonly names?: Names | undefined;
}

/** What a handle names: a listener, a connection, a UDP socket, a file or a directory. */
export interface Resource extends Owner {
  /** Set for a directory: where it is now. Paths that are relative to it lie there. */
  readonly directory?: Directory;

  /** Set for a terminal. */
  readonly terminal?: Terminal | undefined;

  /** Set for what a child process can be given: the descriptor that it gets a duplicate of. */
  readonly givable?: number;

  /**
   * Set for a file: reads at most `bytes` at `offset`, and calls `done` with them, of which there are
   * none at the end, or with a negated errno. Goes on although the handle is closed meanwhile.
   */
  readAt?(offset: number, bytes: number, done: (read: Uint8Array | number) => void): void;

  /**
   * Starts an operation on this handle, CLOSE excepted.
   *
   * @returns its result, or undefined when this resource finishes it (or has done so already).
   */
  start(operation: Operation): number | undefined;

  /**
   * Ends what is in flight here with -EBADF and lets go of the host's resource.
   *
   * @returns a promise when that takes a while, and what CLOSE results in.
   */
  close(): number | Promise<number>;
}

/** Most bytes that one operation moves: bounds what the host allocates for a guest. */
export const TRANSFER_BYTES_MAX = 256 * 1024;

/** The oldest of a queue. A Set or Map keeps its order and deletes from the middle in constant time. */
export function oldest(queue: Iterable<Operation>): Operation | undefined {
  for (const operation of queue) return operation;
  return undefined;
}
