//! What only native code has to fear of guest memory: that it goes away under the kernel's feet.

import { expect, test } from "vitest";
import { ERRNO, OP, SHARED } from "../../ts/abi.gen.ts";
import { Guest } from "../conformance/guest.ts";
import { withUring } from "./with-uring.ts";

test("READs in flight fail with -EIO when the memory has moved; those behind them go on", async () => {
  await withUring({}, async ({ guest, backend }) => {
    const { client, server } = await guest.pair();
    guest.automatic = false;
    const at = guest.put("????");
    const first = guest.add({ op: OP.READ, handle: server, ...at });
    const second = guest.add({ op: OP.READ, handle: server, ...at });
    backend.turn(0);

    // As an engine does it that cannot grow in place: the same bytes at another address.
    const moved = new WebAssembly.Memory({ initial: 8 });
    new Uint8Array(moved.buffer).set(new Uint8Array(guest.memory.buffer));
    backend.bind(moved, guest.shared);
    new Uint8Array(guest.memory.buffer).set(new Uint8Array(moved.buffer));

    const other = new Guest(backend); // lays out its rings in a memory of its own: a third address
    other.automatic = false;
    other.add({ op: OP.WRITE, handle: client, ...other.put("late") });
    let delivered = 0;
    while (delivered < 2) delivered += backend.turn(Number.POSITIVE_INFINITY);
    other.drain();
    expect(other.log.find(({ token }) => token === second)?.result).toBeDefined();

    const inMoved = new DataView(moved.buffer);
    const completions = inMoved.getUint32(guest.shared + SHARED.completions, true);
    const head = inMoved.getUint32(guest.shared + SHARED.completionsHead, true);
    const record = completions + (head % guest.capacity) * 16;
    expect(inMoved.getUint32(record, true)).toBe(first);
    expect(inMoved.getInt32(record + 4, true)).toBe(-ERRNO.EIO);
    // Nothing was written where the memory had been.
    expect(new TextDecoder().decode(guest.bytes(at.pointer, 4))).toBe("????");
  });
});

test("a memory that has grown is used at its new size without another bind", async () => {
  await withUring({}, async ({ guest }) => {
    const { client, server } = await guest.pair();
    const pointer = guest.memory.buffer.byteLength;
    guest.memory.grow(1);
    await guest.writeAll(client, "grown");
    const read = { op: OP.READ, handle: server, pointer, length: 5 };
    expect(await guest.submit(read)).toBe(5);
    expect(new TextDecoder().decode(guest.bytes(pointer, 5))).toBe("grown");
  });
});

test("a shared memory works too", async () => {
  await withUring({}, async ({ backend }) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
    const view = new DataView(memory.buffer);
    view.setUint32(SHARED.submissions, 1024, true);
    view.setUint32(SHARED.submissionsCapacity, 1, true);
    view.setUint32(SHARED.completions, 2048, true);
    view.setUint32(SHARED.completionsCapacity, 1, true);
    view.setUint32(SHARED.submissionsTail, 1, true);
    backend.bind(memory, 0);
    expect(backend.turn(0)).toBe(1);
    expect(view.getInt32(2048 + 4, true)).toBe(-ERRNO.ENOSYS);
  });
});
