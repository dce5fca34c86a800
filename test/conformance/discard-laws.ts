//! Laws of giving memory back: zero where a whole page was discarded, untouched everywhere else. A
//! backend that cannot do it says so and does nothing.

import { expect } from "vitest";
import { OP } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { type Guest, must, pattern, text } from "./guest.ts";

/** No page of an operating system is larger. */
const PAGE_BYTES = 65_536;

/** A page boundary with `pages` whole pages of known content behind it and one before. */
function filled(guest: Guest, pages: number): { start: number; content: Uint8Array } {
  const length = (pages + 2) * PAGE_BYTES;
  const before = guest.alloc(length + PAGE_BYTES);
  const start = Math.ceil(before / PAGE_BYTES) * PAGE_BYTES + PAGE_BYTES;
  const content = pattern(length);
  new Uint8Array(guest.memory.buffer).set(content, start - PAGE_BYTES);
  return { start, content };
}

export function discardLaws(law: Law): void {
  law("whole pages read as zero after a discard", async ({ guest, backend }) => {
    const { start, content } = filled(guest, 4);
    const discarded = backend.discard(new Uint32Array([start, 4 * PAGE_BYTES]));
    const expected = content.slice();
    if (backend.canDiscard) expected.fill(0, PAGE_BYTES, 5 * PAGE_BYTES);
    expect(discarded).toBe(backend.canDiscard ? 4 * PAGE_BYTES : 0);
    expect(equal(guest.bytes(start - PAGE_BYTES, content.length), expected)).toBe(true);
  });

  law("a page that a range covers in part is not touched", async ({ guest, backend }) => {
    const { start, content } = filled(guest, 4);
    const range = [start - 100, 4 * PAGE_BYTES + 107];
    const discarded = backend.discard(new Uint32Array(range));
    const expected = content.slice();
    if (backend.canDiscard) expected.fill(0, PAGE_BYTES, 5 * PAGE_BYTES);
    expect(discarded).toBe(backend.canDiscard ? 4 * PAGE_BYTES : 0);
    expect(equal(guest.bytes(start - PAGE_BYTES, content.length), expected)).toBe(true);
  });

  law("a range without a whole page discards nothing", async ({ guest, backend }) => {
    const { start, content } = filled(guest, 2);
    const ranges = [start, 0, start, 1, start + 1, 4095, start - 8, 16, start + 2000, 3000];
    expect(backend.discard(new Uint32Array(ranges))).toBe(0);
    expect(backend.discard(new Uint32Array(0))).toBe(0);
    expect(equal(guest.bytes(start - PAGE_BYTES, content.length), content)).toBe(true);
  });

  law("one call discards many ranges, also one twice", async ({ guest, backend }) => {
    const { start, content } = filled(guest, 8);
    const ranges = [0, 2, 4, 6, 6].flatMap((page) => [start + page * PAGE_BYTES, PAGE_BYTES]);
    expect(backend.discard(new Uint32Array(ranges))).toBe(backend.canDiscard ? 5 * PAGE_BYTES : 0);
    const expected = content.slice();
    if (backend.canDiscard) {
      for (const page of [1, 3, 5, 7]) {
        expected.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      }
    }
    expect(equal(guest.bytes(start - PAGE_BYTES, content.length), expected)).toBe(true);
  });

  law("a range that leaves the memory is refused, and nothing is discarded", async (bench) => {
    const { guest, backend } = bench;
    const { start, content } = filled(guest, 4);
    const end = guest.memory.buffer.byteLength;
    const inside = [start, 4 * PAGE_BYTES];
    for (const outside of [
      [end - PAGE_BYTES, PAGE_BYTES + 1],
      [end, 1],
      [end + PAGE_BYTES, PAGE_BYTES],
      [0xffff_f000, 0xffff_ffff],
      [0xffff_ffff, 1],
      [0, 0xffff_ffff],
    ]) {
      const ranges = new Uint32Array([...inside, ...outside]);
      if (backend.canDiscard) expect(() => backend.discard(ranges)).toThrow(RangeError);
      else expect(backend.discard(ranges)).toBe(0);
    }
    expect(equal(guest.bytes(start - PAGE_BYTES, content.length), content)).toBe(true);
  });

  law("the last page of the memory can be discarded, also just after it grew", async (bench) => {
    const { guest, backend } = bench;
    for (let round = 0; round < 3; round++) {
      guest.memory.grow(1);
      const at = guest.memory.buffer.byteLength - PAGE_BYTES;
      new Uint8Array(guest.memory.buffer).fill(0xee, at);
      backend.bind(guest.memory, guest.shared);
      const discarded = backend.discard(new Uint32Array([at, PAGE_BYTES]));
      expect(discarded).toBe(backend.canDiscard ? PAGE_BYTES : 0);
      expect(guest.bytes(at, PAGE_BYTES).every((byte) => byte === (discarded > 0 ? 0 : 0xee))).toBe(
        true,
      );
    }
  });

  law("discarded memory can be used again, by operations too", async ({ guest, backend }) => {
    const { client, server } = await guest.pair();
    const { start } = filled(guest, 2);
    backend.discard(new Uint32Array([start, 2 * PAGE_BYTES]));
    const read = { op: OP.READ, handle: server, pointer: start + PAGE_BYTES - 2, length: 4 };
    must(await guest.write(client, "page"));
    const result = must(await guest.submit(read));
    expect(text(guest.bytes(read.pointer, result))).toBe("page".slice(0, result));
  });

  law("operations in flight elsewhere do not notice a discard", async ({ guest, backend }) => {
    const { client, server } = await guest.pair();
    const { start } = filled(guest, 2);
    const buffer = guest.put("....");
    const read = guest.submit({ op: OP.READ, handle: server, ...buffer });
    guest.turn();
    backend.discard(new Uint32Array([start, 2 * PAGE_BYTES]));
    must(await guest.write(client, "here"));
    const result = must(await read);
    expect(text(guest.bytes(buffer.pointer, result))).toBe("here".slice(0, result));
  });
}

/** expect would compare 400 KiB element by element. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
