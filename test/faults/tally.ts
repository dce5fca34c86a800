//! What became of connections: struct tally of test/support/guests/streams.h.

import assert from "node:assert/strict";

const FIELDS = [
  "begun",
  "whole",
  "ended",
  "reset",
  "cut",
  "wrong",
  "failed",
  "refused",
  "error",
  "live",
  "liveMax",
] as const;

const BYTES_AT = 48;

/** How many fields there are to ask for one by one, those that JavaScript does not read included. */
export const TALLY_WORDS = 14;

export type Tally = Readonly<Record<(typeof FIELDS)[number] | "bytes", number>>;

export function readTally(memory: WebAssembly.Memory, address: number): Tally {
  return tallyOf(new DataView(memory.buffer, address));
}

export function tallyOf(view: DataView): Tally {
  const fields = FIELDS.map((name, index) => [name, view.getInt32(4 * index, true)]);
  const bytes = Number(view.getBigUint64(BYTES_AT, true));
  return { ...Object.fromEntries(fields), bytes } as Tally;
}

/** No byte was lost, came twice or out of turn; every connection ended, and as connections do. */
export function checkTally(tally: Tally): void {
  const { begun, whole, ended, reset, cut, wrong, failed, error, live } = tally;
  const bad = { cut, wrong, failed, error, live };
  assert.deepEqual(bad, { cut: 0, wrong: 0, failed: 0, error: 0, live: 0 }, "a connection's end");
  assert.equal(whole + ended + reset, begun, "every connection ends once");
}
