//! The host's own streams in a backend written in JavaScript: what they answer, whatever they are.

import { ERRNO, OP, TERMINAL_MODE, TERMINAL_SIZE } from "../../abi.gen.ts";
import type { Grants } from "../backend.ts";
import { grantedStreams } from "../grants.ts";
import { errnoOf } from "./errno.ts";
import type { HandleTable } from "./handle-table.ts";
import type { Operation } from "./operation.ts";
import type { Context, Resource } from "./resource.ts";

/** Which way a stream goes. */
export type Direction = "input" | "output";

/** What a handle that is a terminal can do besides. */
export interface Terminal {
  /** Columns and rows, or a negated errno. */
  size(): readonly [number, number] | number;
  /** Returns 0 or a negated errno. */
  setRaw(raw: boolean): number;
}

/** @param open - Opens stream `number`, from 0 to 2; throws an error of the host. */
export function startStdio(
  { submission: { argument } }: Operation,
  grants: Grants,
  handles: HandleTable<Resource>,
  open: (number: number) => Resource,
): number {
  if (argument > 2) return -ERRNO.EINVAL;
  if (!grantedStreams(grants).some((number) => number === argument)) return -ERRNO.ENOTCAPABLE;
  try {
    const stream = open(argument);
    const handle = handles.insert(stream);
    if (handle < 0) void stream.close();
    return handle;
  } catch (error) {
    return -errnoOf(error);
  }
}

/** Why it does not transfer bytes that way; undefined: it does. */
export function refusedByStandard(direction: Direction, code: number): number | undefined {
  switch (code) {
    case OP.READ:
    case OP.READV:
      return direction === "input" ? undefined : -ERRNO.EBADF;
    case OP.WRITE:
    case OP.WRITEV:
      return direction === "output" ? undefined : -ERRNO.EBADF;
    default:
      return -ERRNO.ENOTSUP;
  }
}

/** TERMINAL_SIZE and TERMINAL_MODE. */
export function startTerminal(
  { ring }: Context,
  { submission }: Operation,
  terminal: Terminal | undefined,
): number {
  const { code, argument, pointer } = submission;
  if (code === OP.TERMINAL_MODE) {
    if (argument > TERMINAL_MODE.RAW) return -ERRNO.EINVAL;
    return terminal?.setRaw(argument === TERMINAL_MODE.RAW) ?? -ERRNO.ENOTTY;
  }
  if (!ring.inRange(pointer, TERMINAL_SIZE.size)) return -ERRNO.EFAULT;
  const size = terminal?.size() ?? -ERRNO.ENOTTY;
  if (typeof size === "number") return size;
  const record = new DataView(new ArrayBuffer(TERMINAL_SIZE.size));
  record.setUint16(TERMINAL_SIZE.columns, size[0], true);
  record.setUint16(TERMINAL_SIZE.rows, size[1], true);
  ring.copyIn(pointer, new Uint8Array(record.buffer));
  return 0;
}
