//! What a backend can do, operation by operation.

import { OP } from "../abi.gen.ts";

/**
 * How a backend performs an operation.
 *
 * - `"native"`: the system or the host tells when it is done; nothing waits for it.
 * - `"pool"`: a thread of a pool waits for it. Once that has begun, a cancel may come too late.
 * - `"unsupported"`: it fails with ENOSYS.
 */
export type Capability = "native" | "pool" | "unsupported";

/** CANCEL is none of them: it has no result. */
export type OperationName = Exclude<keyof typeof OP, "CANCEL">;

/** In the order of their codes. */
export const OPERATIONS = Object.keys(OP).filter((name) => name !== "CANCEL") as OperationName[];

/** By opcode; what is absent is unsupported. */
export type Capabilities = ReadonlyMap<number, Capability>;

type Supported = Partial<Record<OperationName, Exclude<Capability, "unsupported">>>;

export function capabilities(operations: Supported): Capabilities {
  return new Map(Object.entries(operations).map(([name, how]) => [OP[name as OperationName], how]));
}

/** The same of each of `names`. */
export function all(names: readonly OperationName[], how: "native" | "pool"): Supported {
  return Object.fromEntries(names.map((name) => [name, how]));
}
