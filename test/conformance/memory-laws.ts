//! Laws of guest memory: operations in flight survive its growth, and a buffer is the guest's again
//! as soon as its operation has completed.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { ADDRESS, OP, OPEN } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { withOutsidePeer } from "./end-laws.ts";
import { concat, errnoName, type Guest, must, pattern, text } from "./guest.ts";
import type { Submit } from "./ring-driver.ts";

const MUCH = 256 * 1024;
const WRITES = 64;

/** Writes that are in flight while the memory grows send their bytes, as far as each has got. */
export async function writeWhileGrowing(
  guest: Guest,
  submission: (bytes: Uint8Array) => Omit<Submit, "handle">,
): Promise<void> {
  const pair = await guest.pair();
  const other = await guest.pair();
  const piece = pattern(MUCH);
  const write = { handle: pair.client, ...submission(piece) };
  const writes = Array.from({ length: WRITES }, () => guest.submit(write));
  await guest.roundTrip(other);
  guest.grow(3);
  const received = guest.readToEnd(pair.server);
  const results = (await Promise.all(writes)).map(must);
  must(await guest.close(pair.client));
  const sent = concat(results.map((result) => piece.subarray(0, result)));
  expect(Buffer.compare(await received, sent)).toBe(0);
}

export function memoryLaws(law: Law): void {
  law("a READ in flight while the memory grows gets its bytes", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const buffer = guest.put("........");
    const read = guest.submit({ op: OP.READ, handle: server, ...buffer });
    await guest.localAddress(server);
    guest.grow(1);
    await guest.writeAll(client, "grown");
    const result = must(await read);
    expect(text(guest.bytes(buffer.pointer, result))).toBe("grown".slice(0, result));
  });

  law("memory may grow long before the turn that follows", async (bench) => {
    const { guest, backend } = bench;
    await withOutsidePeer(bench, async (handle, peer) => {
      const buffer = guest.put(".....");
      guest.add({ op: OP.READ, handle, ...buffer });
      guest.automatic = false;
      expect(backend.turn(0)).toBe(0);
      const rung = new Promise<void>((resolve) => {
        backend.onReady = resolve;
      });
      guest.memory.grow(1);
      peer.write("grown");
      await rung;
      backend.bind(guest.memory, guest.shared);
      expect(backend.turn(0)).toBe(1);
      guest.drain();
      const result = must(guest.log.at(-1)!.result);
      expect(text(guest.bytes(buffer.pointer, result))).toBe("grown".slice(0, result));
    });
  });

  law("an ACCEPT in flight while the memory grows tells the address", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    const pointer = guest.alloc(ADDRESS.size);
    const accept = guest.accept(listener, pointer);
    await guest.localAddress(listener);
    guest.grow(1);
    const client = must(await guest.connect(port));
    must(await accept);
    expect(guest.getAddress(pointer)).toEqual(await guest.localAddress(client));
  });

  law("WRITEs in flight while the memory grows send their bytes", async ({ guest }) => {
    await writeWhileGrowing(guest, (bytes) => ({ op: OP.WRITE, ...guest.put(bytes) }));
  });

  law("file operations in flight while the memory grows move their bytes", async (bench) => {
    const { guest, data, files } = bench;
    const content = pattern(32 * 1000);
    await files.write(join(data, "from"), content);
    const from = must(await guest.open("/data/from", OPEN.READ));
    const to = must(await guest.open("/data/to", OPEN.WRITE | OPEN.CREATE));
    const source = guest.put(content).pointer;
    const target = guest.alloc(content.length);
    const all = Array.from({ length: 32 }, (_, index) => {
      const piece = { offset: index * 1000, length: 1000 };
      return [
        guest.submit({ op: OP.PREAD, handle: from, pointer: target + piece.offset, ...piece }),
        guest.submit({ op: OP.PWRITE, handle: to, pointer: source + piece.offset, ...piece }),
      ];
    }).flat();
    guest.turn();
    guest.grow(5);
    expect(new Set(await Promise.all(all))).toEqual(new Set([1000]));
    expect(Buffer.compare(guest.bytes(target, content.length), content)).toBe(0);
    expect(Buffer.compare(await files.read(join(data, "to")), content)).toBe(0);
  });

  law("memory that was added can be used", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const end = guest.memory.buffer.byteLength;
    const beyond = { op: OP.READ, handle: server, pointer: end - 2, length: 4 };
    expect(errnoName(await guest.submit(beyond))).toBe("EFAULT");
    guest.grow(1);
    await guest.writeAll(client, "edge");
    const result = must(await guest.submit(beyond));
    expect(text(guest.bytes(end - 2, result))).toBe("edge".slice(0, result));
  });

  law("the bytes of a WRITE are taken by its completion", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const { pointer, length } = guest.put(pattern(4096));
    let expected = Buffer.alloc(0);
    for (let round = 0; round < 50; round++) {
      const data = pattern(length, round + 1);
      new Uint8Array(guest.memory.buffer).set(data, pointer);
      const write = { op: OP.WRITE, handle: client, pointer, length };
      const result = must(await guest.submit(write));
      new Uint8Array(guest.memory.buffer).fill(0xee, pointer, pointer + length);
      expected = Buffer.concat([expected, data.subarray(0, result)]);
    }
    must(await guest.close(client));
    expect(Buffer.compare(await guest.readToEnd(server), expected)).toBe(0);
  });

  law("the path of an OPEN and the address of a CONNECT are taken by the turn", async (bench) => {
    const { guest, data, files } = bench;
    await files.write(join(data, "file"), "right");
    const listener = must(await guest.listen());
    const address = guest.putAddress(await guest.localAddress(listener));
    const path = guest.put("/data/file");
    const opened = guest.submit({ op: OP.OPEN, ...path, argument: OPEN.READ });
    const connected = guest.submit({ op: OP.CONNECT, pointer: address });
    guest.turn();
    const memory = new Uint8Array(guest.memory.buffer);
    memory.fill(0xee, path.pointer, path.pointer + path.length);
    memory.fill(0xee, address, address + ADDRESS.size);
    must(await connected);
    expect(text(await guest.pread(must(await opened), 16, 0))).toBe("right");
  });

  law("a READ that was cancelled or closed writes nothing any more", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const other = await guest.pair();
    const buffers = [guest.put("same"), guest.put("same")];
    const cancelled = guest.start({ op: OP.READ, handle: server, ...buffers[0]! });
    await guest.localAddress(server);
    guest.cancel(cancelled.token);
    await cancelled.result;
    const closed = guest.submit({ op: OP.READ, handle: server, ...buffers[1]! });
    must(await guest.close(server));
    await closed;
    await guest.write(client, "data");
    await guest.roundTrip(other);
    for (const { pointer } of buffers) expect(text(guest.bytes(pointer, 4))).toBe("same");
  });
}
