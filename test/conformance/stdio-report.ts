//! What stdio-child.ts tells stdio.test.ts.

import { OP, TERMINAL_SIZE } from "../../ts/abi.gen.ts";
import { type Guest, must } from "./guest.ts";

export type Kind = "pipes" | "sockets" | "files" | "nothing" | "terminal" | "exit";

/** More than a pipe, a socket and a program in between hold. */
export const MUCH_BYTES = 1024 * 1024;

/** Of one backend. */
export interface Seen {
  readonly refused: Readonly<Record<string, string>>;
  readonly waits?: { readonly pending: number; readonly canceled: string; readonly closed: string };
  readonly read: string;
  /** Bytes that the stream had when it was opened once more. */
  readonly again: number;
  readonly flagsKept: boolean;
  readonly terminal?: {
    readonly size: readonly [number, number];
    readonly keys: string;
    readonly raw: boolean;
    readonly stillRaw: boolean;
    readonly restored: boolean;
    readonly unknown: string;
    /** As it was at first. */
    readonly mode: string;
  };
}

/** Columns and rows. */
export async function sizeOf(guest: Guest, handle: number): Promise<[number, number]> {
  const pointer = guest.alloc(TERMINAL_SIZE.size);
  must(await guest.submit({ op: OP.TERMINAL_SIZE, handle, pointer }));
  const { view } = guest;
  return [
    view.getUint16(pointer + TERMINAL_SIZE.columns, true),
    view.getUint16(pointer + TERMINAL_SIZE.rows, true),
  ];
}
