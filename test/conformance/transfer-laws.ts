//! Laws of moving bytes over a connection: every byte, once, in order, and no faster than the peer
//! takes them.

import { expect } from "vitest";
import { IOVEC_MAX, OP } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { concat, errnoName, must, pattern, text } from "./guest.ts";

export function transferLaws(law: Law): void {
  law("READ gives what is there, and the rest to the next READ", async ({ guest }) => {
    const { client, server } = await guest.pair();
    await guest.writeAll(client, "abcdefgh");
    expect(text(await guest.readExactly(server, 3))).toBe("abc");
    await guest.writeAll(client, "ij");
    expect(text(await guest.readExactly(server, 7))).toBe("defghij");
  });

  law("READ writes no byte beyond its result", async ({ guest }) => {
    const { client, server } = await guest.pair();
    await guest.writeAll(client, "abc");
    const { pointer } = guest.put("#".repeat(16));
    const read = { op: OP.READ, handle: server, pointer: pointer + 4, length: 8 };
    const result = must(await guest.submit(read));
    const expected = `####${"abc".slice(0, result)}`.padEnd(16, "#");
    expect(text(guest.bytes(pointer, 16))).toBe(expected);
  });

  // In small pieces fewer bytes: each is a transfer.
  for (const [kibibytes, chunkBytes] of [
    [128, 37],
    [1024, 4096],
    [1024, 65_536],
  ] as const) {
    const title = `${kibibytes} KiB come back unchanged through ${chunkBytes}-byte buffers`;
    law(title, async ({ guest }) => {
      const { client, server } = await guest.pair();
      const sent = pattern(kibibytes * 1024);
      const echo = async (): Promise<void> => {
        const pointer = guest.alloc(chunkBytes);
        for (;;) {
          const read = { op: OP.READ, handle: server, pointer, length: chunkBytes };
          const got = must(await guest.submit(read));
          if (got === 0) break;
          for (let done = 0; done < got; ) {
            const rest = { pointer: pointer + done, length: got - done };
            done += must(await guest.submit({ op: OP.WRITE, handle: server, ...rest }));
          }
        }
        must(await guest.close(server));
      };
      const send = async (): Promise<void> => {
        const { pointer } = guest.put(sent);
        for (let at = 0; at < sent.length; ) {
          const length = Math.min(chunkBytes, sent.length - at);
          const write = { op: OP.WRITE, handle: client, pointer: pointer + at, length };
          at += must(await guest.submit(write));
        }
        must(await guest.shutdown(client, 1));
      };
      const [received] = await Promise.all([guest.readToEnd(client, chunkBytes), echo(), send()]);
      expect(Buffer.compare(received, sent)).toBe(0);
    });
  }

  law("WRITEV gathers and READV scatters, in order, empty pieces too", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const out = [guest.put("ab"), guest.put(""), guest.put("cde"), guest.put("f")];
    const vector = { handle: client, pointer: guest.iovecs(out), length: out.length };
    expect(await guest.submit({ op: OP.WRITEV, ...vector })).toBe(6);
    const pieces = [1, 0, 2, 3].map((length) => ({ pointer: guest.alloc(length), length }));
    const into = { handle: server, pointer: guest.iovecs(pieces), length: pieces.length };
    expect(await guest.submit({ op: OP.READV, ...into })).toBe(6);
    expect(pieces.map(({ pointer, length }) => text(guest.bytes(pointer, length)))).toEqual([
      "a",
      "",
      "bc",
      "def",
    ]);
  });

  law(`a vector has at most ${IOVEC_MAX} pieces, else -EINVAL`, async ({ guest }) => {
    const { client, server } = await guest.pair();
    const letters = Array.from({ length: IOVEC_MAX + 1 }, () => guest.put("v"));
    const pointer = guest.iovecs(letters);
    const write = { op: OP.WRITEV, handle: client, pointer };
    expect(errnoName(await guest.submit({ ...write, length: IOVEC_MAX + 1 }))).toBe("EINVAL");
    expect(errnoName(await guest.submit({ ...write, length: 0xffff_ffff }))).toBe("EINVAL");
    expect(await guest.submit({ ...write, length: IOVEC_MAX })).toBe(IOVEC_MAX);
    const read = { op: OP.READV, handle: server, pointer, length: IOVEC_MAX + 1 };
    expect(errnoName(await guest.submit(read))).toBe("EINVAL");
  });

  law("a transfer of nothing gives 0 at once", async ({ guest }) => {
    const { client } = await guest.pair();
    for (const op of [OP.READ, OP.WRITE, OP.READV, OP.WRITEV]) {
      expect(await guest.submit({ op, handle: client, pointer: guest.alloc(8) })).toBe(0);
    }
    const empty = guest.iovecs([guest.put(""), guest.put("")]);
    const vector = { handle: client, pointer: empty, length: 2 };
    expect(await guest.submit({ op: OP.READV, ...vector })).toBe(0);
    expect(await guest.submit({ op: OP.WRITEV, ...vector })).toBe(0);
  });

  law("READs outstanding on one connection complete in order", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const order: number[] = [];
    const reads = Array.from({ length: 20 }, async (_, index) => {
      const data = await guest.read(server, 5);
      order.push(index);
      return data;
    });
    const sent = pattern(100);
    // One byte short of every boundary, so that reads end early now and then.
    for (let at = 0; at < sent.length; at += 4) {
      await guest.writeAll(client, sent.subarray(at, at + 4));
    }
    must(await guest.close(client));
    const received = concat(await Promise.all(reads));
    expect(order).toEqual([...order.keys()]);
    expect([...received, ...(await guest.readToEnd(server))]).toEqual([...sent]);
  });

  law("WRITEs outstanding on one connection go out in order", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const pieces = Array.from({ length: 50 }, (_, index) => pattern(1000, index + 1));
    const order: number[] = [];
    const writes = pieces.map(async (piece, index) => {
      expect(await guest.write(client, piece)).toBe(piece.length);
      order.push(index);
    });
    const received = await guest.readExactly(server, 50_000);
    await Promise.all(writes);
    expect(order).toEqual([...pieces.keys()]);
    expect(Buffer.compare(received, concat(pieces))).toBe(0);
  });

  law("a peer that does not read makes WRITE wait", async ({ guest, backend }) => {
    const pair = await guest.pair();
    const other = await guest.pair();
    const { pointer, length } = guest.put(pattern(256 * 1024));
    // More than any send and receive buffer holds: 32 MiB.
    const write = { op: OP.WRITE, handle: pair.client, pointer, length };
    const writes = Array.from({ length: 128 }, () => guest.submit(write));
    await guest.roundTrip(other);
    expect(backend.pending).toBeGreaterThan(0);
    const received = guest.readToEnd(pair.server).then((data) => data.length);
    const written = (await Promise.all(writes)).reduce((sum, result) => sum + must(result), 0);
    must(await guest.close(pair.client));
    expect(await received).toBe(written);
  });

  law("a connection carries both directions at once", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const there = pattern(300_000, 7);
    const back = pattern(300_000, 8);
    const [, , atServer, atClient] = await Promise.all([
      guest.writeAll(client, there),
      guest.writeAll(server, back),
      guest.readExactly(server, there.length),
      guest.readExactly(client, back.length),
    ]);
    expect(Buffer.compare(atServer, there)).toBe(0);
    expect(Buffer.compare(atClient, back)).toBe(0);
  });
}
