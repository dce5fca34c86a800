//! What only native code has to fear of guest memory: that it goes away under the kernel's feet.

import { once } from "node:events";
import { expect, test } from "vitest";
import { ERRNO, OP, SHARED } from "../../ts/abi.gen.ts";
import { type HostTraits, hostTraits } from "../../ts/host/native/host-traits.ts";
import { NativeBackend } from "../../ts/host/native/native-backend.ts";
import { Guest, must, pattern } from "../conformance/guest.ts";
import { withOutsidePeer } from "./outside-peer.ts";
import { withNative } from "./with-native.ts";

/** As V8 is trusted to do. */
const STAYS: HostTraits = { ...hostTraits(), memoryMoves: false };
const MOVES: HostTraits = { ...hostTraits(), memoryMoves: true };

test("READs in flight fail with -EIO when a memory moved that should not; those behind go on", async () => {
  await withNative({ traits: STAYS }, async ({ guest, backend }) => {
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

for (const mechanism of ["epoll", "poll", "kqueue"] as const) {
  test(`READs that wait on ${mechanism} go on where the memory has moved to`, async () => {
    await withNative({ mechanism, traits: STAYS }, async ({ guest, backend }) => {
      const { client, server } = await guest.pair();
      guest.automatic = false;
      const at = guest.put("????");
      guest.add({ op: OP.READ, handle: server, ...at });
      backend.turn(0);
      const moved = new WebAssembly.Memory({ initial: 8 });
      new Uint8Array(moved.buffer).set(new Uint8Array(guest.memory.buffer));
      backend.bind(moved, guest.shared);

      const other = new Guest(backend);
      other.automatic = false;
      other.add({ op: OP.WRITE, handle: client, ...other.put("late") });
      backend.bind(other.memory, other.shared);
      backend.turn(0);
      backend.bind(moved, guest.shared);
      while (backend.pending > 0) backend.turn(Number.POSITIVE_INFINITY);
      const text = new TextDecoder();
      expect(text.decode(new Uint8Array(moved.buffer, at.pointer, 4))).toBe("late");
      expect(text.decode(guest.bytes(at.pointer, 4))).toBe("????");
    });
  });
}

test("a memory that has grown is used at its new size without another bind", async () => {
  await withNative({}, async ({ guest }) => {
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
  await withNative({}, async ({ backend }) => {
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

test("operations in flight while the engine moves the memory move the bytes of the new one", async () => {
  await withNative({ traits: MOVES }, async ({ guest, backend }) => {
    await withOutsidePeer(guest, async (handle, peer) => {
      guest.automatic = false;
      const before = backend.stats.completions;
      const plain = guest.put("????");
      const pieces = [guest.put("??"), guest.put(""), guest.put("???")];
      const vector = { pointer: guest.iovecs(pieces), length: pieces.length };
      guest.add({ op: OP.READ, handle, ...plain });
      guest.add({ op: OP.READV, handle, ...vector });
      guest.add({ op: OP.WRITE, handle, ...guest.put("sent") });
      backend.turn(0);

      // As JavaScriptCore does it: the same bytes at another address, and rubbish at the old one.
      const moved = new WebAssembly.Memory({ initial: 8 });
      new Uint8Array(moved.buffer).set(new Uint8Array(guest.memory.buffer));
      new Uint8Array(guest.memory.buffer).fill(0xee);
      backend.bind(moved, guest.shared);

      const echoed = once(peer, "data");
      peer.write("plai");
      expect(String((await echoed)[0])).toBe("sent");
      await deliver(backend, before + 2);
      peer.write("vecto");
      await deliver(backend, before + 3);
      const text = ({ pointer, length }: { pointer: number; length: number }): string =>
        new TextDecoder().decode(new Uint8Array(moved.buffer, pointer, length));
      expect([text(plain), ...pieces.map(text)]).toEqual(["plai", "ve", "", "cto"]);
      // Nothing was written where the memory had been.
      expect(new Set(new Uint8Array(guest.memory.buffer))).toEqual(new Set([0xee]));
    });
  });
});

test("operations in flight survive the growth of more memories than an engine keeps in place", async () => {
  const MEMORIES = 12;
  const opened: { guest: Guest; backend: NativeBackend }[] = [];
  const grants = { connect: [{}], listen: [{}] };
  for (let index = 0; index < MEMORIES; index++) {
    const backend = NativeBackend.open("uring", { grants, handlesMax: 16 });
    opened.push({ backend, guest: new Guest(backend) });
  }
  for (const { guest, backend } of opened) {
    const { client, server } = await guest.pair();
    const echo = pattern(3_000_000);
    const sent = guest.put(echo);
    const target = guest.put("????????");
    await withOutsidePeer(guest, async (handle, peer) => {
      const read = guest.submit({ op: OP.READ, handle, ...target });
      // More than the buffers of a connection hold, so that it waits.
      const write = guest.submit({ op: OP.WRITE, handle: client, ...sent });
      guest.turn();
      const oldBytes = guest.memory.buffer.byteLength;
      guest.memory.grow(100);
      // Takes the place of the old memory, should that be free now.
      const others = [1, 2, 3, 4].map(() => new Uint8Array(oldBytes).fill(0xee));
      peer.write("arrived!");
      expect(await read).toBe(8);
      expect(new TextDecoder().decode(guest.bytes(target.pointer, 8))).toBe("arrived!");

      new Uint8Array(guest.memory.buffer).fill(0, sent.pointer, sent.pointer + sent.length);
      const received = guest.readToEnd(server);
      const written = must(await write);
      must(await guest.close(client));
      expect(Buffer.compare(await received, echo.subarray(0, written))).toBe(0);
      for (const other of others) expect(other.findIndex((byte) => byte !== 0xee)).toBe(-1);
    });
    await backend[Symbol.asyncDispose]();
  }
});

/** Turns the backend until it has delivered so much in all. */
async function deliver(backend: NativeBackend, completions: number): Promise<void> {
  for (;;) {
    const rung = new Promise<void>((resolve) => {
      backend.onReady = resolve;
    });
    backend.turn(0);
    if (backend.stats.completions >= completions) return;
    await rung;
  }
}
