//! Laws of CANCEL: the operation still completes, once, and nothing is lost.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { OP, OPEN } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { concat, errnoName, LOOPBACK, must, pattern, text } from "./guest.ts";

export function cancelLaws(law: Law): void {
  timingLaws(law);
  waitingLaws(law);
  raceLaws(law);
}

function timingLaws(law: Law): void {
  law("cancel of a finished operation is ignored", async ({ guest, backend }) => {
    const pair = await guest.pair();
    const read = guest.start({ op: OP.READ, handle: pair.server, ...guest.put("?") });
    must(await guest.write(pair.client, "x"));
    expect(await read.result).toBe(1);
    guest.cancel(read.token);
    await guest.roundTrip(pair);
    expect(guest.log.filter(({ token }) => token === read.token)).toHaveLength(1);
    expect(backend.pending).toBe(0);
  });

  law("cancel of a token that nobody has is ignored", async ({ guest, backend }) => {
    const pair = await guest.pair();
    const before = guest.log.length;
    for (const token of [0, 0x7fff_ffff, 0xffff_ffff]) guest.cancel(token);
    await guest.roundTrip(pair);
    expect(guest.log).toHaveLength(before + 2);
    expect(backend.pending).toBe(0);
  });

  law("cancel that comes before its operation does not touch it", async ({ guest }) => {
    const pair = await guest.pair();
    const token = 4_000_000_000;
    guest.cancel(token);
    const read = guest.submit({ op: OP.READ, handle: pair.server, token, ...guest.put("?") });
    must(await guest.write(pair.client, "x"));
    expect(await read).toBe(1);
  });

  law("cancel in the batch of its operation ends it", async ({ guest }) => {
    const { server } = await guest.pair();
    const read = guest.start({ op: OP.READ, handle: server, ...guest.put("?") });
    guest.cancel(read.token);
    expect(errnoName(await read.result)).toBe("ECANCELED");
  });

  law("a second cancel adds nothing", async ({ guest, backend }) => {
    const { server } = await guest.pair();
    const read = guest.start({ op: OP.READ, handle: server, ...guest.put("?") });
    guest.cancel(read.token);
    guest.cancel(read.token);
    expect(errnoName(await read.result)).toBe("ECANCELED");
    guest.cancel(read.token);
    await guest.localAddress(server);
    expect(guest.log.filter(({ token }) => token === read.token)).toHaveLength(1);
    expect(backend.pending).toBe(0);
  });
}

function waitingLaws(law: Law): void {
  law("cancel ends a waiting READ, and the next READ works", async ({ guest }) => {
    const { client, server } = await guest.pair();
    for (const op of [OP.READ, OP.READV]) {
      const buffer = guest.put("????");
      const target = op === OP.READ ? buffer : { pointer: guest.iovecs([buffer]), length: 1 };
      const read = guest.start({ op, handle: server, ...target });
      await guest.localAddress(server); // The READ is in flight.
      guest.cancel(read.token);
      expect(errnoName(await read.result)).toBe("ECANCELED");
      await guest.writeAll(client, "next");
      expect(text(await guest.readExactly(server, 4))).toBe("next");
      expect(text(guest.bytes(buffer.pointer, 4))).toBe("????");
    }
  });

  law("cancel ends a waiting ACCEPT, and the next ACCEPT works", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    const accept = guest.start({ op: OP.ACCEPT, handle: listener });
    await guest.localAddress(listener);
    guest.cancel(accept.token);
    expect(errnoName(await accept.result)).toBe("ECANCELED");
    must(await guest.connect(port));
    must(await guest.accept(listener));
  });

  law("cancel ends CONNECTs that wait for room in a listener's backlog", async (bench) => {
    const { guest, backend } = bench;
    const other = await guest.pair();
    const listener = must(await guest.listen(0, LOOPBACK, 1));
    const pointer = guest.putAddress(await guest.localAddress(listener));
    const connects = Array.from({ length: 8 }, () => guest.start({ op: OP.CONNECT, pointer }));
    await guest.roundTrip(other);
    for (const { token } of connects) guest.cancel(token);
    for (const { result } of connects) {
      const handle = await result;
      if (handle >= 0) must(await guest.close(handle));
      // A host that accepts for itself resets those that are too many.
      else expect(["ECANCELED", "ECONNRESET"]).toContain(errnoName(handle));
    }
    expect(backend.handlesOpen).toBe(4);
  });

  law("a WRITE that was cancelled sent what its result says, no more", async ({ guest }) => {
    const pair = await guest.pair();
    const other = await guest.pair();
    const { pointer, length } = guest.put(pattern(256 * 1024));
    const write = { op: OP.WRITE, handle: pair.client, pointer, length };
    const writes = Array.from({ length: 128 }, () => guest.start(write));
    await guest.roundTrip(other);
    for (const { token } of writes) guest.cancel(token);
    const results = await Promise.all(writes.map(({ result }) => result));
    expect(results.map(errnoName)).toContain("ECANCELED");
    must(await guest.close(pair.client));
    const sent = results.reduce((sum, result) => sum + Math.max(result, 0), 0);
    expect(await guest.readToEnd(pair.server).then((data) => data.length)).toBe(sent);
  });

  law("cancel of one READ leaves the others in order", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const buffers = ["-", "-", "-", "-"].map((filler) => guest.put(filler));
    const reads = buffers.map((buffer) => guest.start({ op: OP.READ, handle: server, ...buffer }));
    await guest.localAddress(server);
    guest.cancel(reads[1]!.token);
    expect(errnoName(await reads[1]!.result)).toBe("ECANCELED");
    await guest.writeAll(client, "abc");
    for (const index of [0, 2, 3]) expect(await reads[index]!.result).toBe(1);
    expect(buffers.map(({ pointer }) => text(guest.bytes(pointer, 1))).join("")).toBe("a-bc");
  });

  law("cancel of a token that several operations share ends them all", async ({ guest }) => {
    const listener = must(await guest.listen());
    const pairs = [await guest.pair(), await guest.pair(), await guest.pair()];
    const token = 3_333_333_333;
    const shared = [
      ...pairs.map(({ server }) =>
        guest.submit({ op: OP.READ, handle: server, token, ...guest.put("?") }),
      ),
      guest.submit({ op: OP.READ, handle: pairs[0]!.server, token, ...guest.put("?") }),
      guest.submit({ op: OP.ACCEPT, handle: listener, token }),
    ];
    await guest.localAddress(listener);
    guest.cancel(token);
    const results = await Promise.all(shared);
    expect(results.map(errnoName)).toEqual(shared.map(() => "ECANCELED"));
  });

  law("2000 waiting READs are cancelled one by one", async ({ guest, backend }) => {
    const { server } = await guest.pair();
    const buffer = guest.put("?");
    const reads = Array.from({ length: 2000 }, () =>
      guest.start({ op: OP.READ, handle: server, ...buffer }),
    );
    // From the middle outwards: neither the newest first nor the oldest.
    const order = [...reads.slice(1000), ...reads.slice(0, 1000).reverse()];
    for (const { token } of order) guest.cancel(token);
    const results = await Promise.all(reads.map(({ result }) => result));
    expect(new Set(results.map(errnoName))).toEqual(new Set(["ECANCELED"]));
    expect(backend.pending).toBe(0);
  });
}

function raceLaws(law: Law): void {
  law("a cancelled READ loses no byte", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const sent = pattern(4000);
    const received: Uint8Array[] = [];
    for (let at = 0; at < sent.length; at += 10) {
      // Cancelled before, while and after the bytes arrive, as the batches happen to fall.
      const buffer = guest.put(new Uint8Array(7));
      const read = guest.start({ op: OP.READ, handle: server, ...buffer });
      if (at % 3 === 0) await guest.localAddress(server);
      const write = guest.writeAll(client, sent.subarray(at, at + 10));
      if (at % 4 === 0) await write;
      guest.cancel(read.token);
      const result = await read.result;
      if (result >= 0) received.push(guest.bytes(buffer.pointer, result));
      else expect(errnoName(result)).toBe("ECANCELED");
      await write;
    }
    must(await guest.close(client));
    received.push(await guest.readToEnd(server));
    expect(Buffer.compare(concat(received), sent)).toBe(0);
  });

  law("a cancelled ACCEPT loses no connection", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    let accepted = 0;
    for (let index = 0; index < 50; index++) {
      const accept = guest.start({ op: OP.ACCEPT, handle: listener });
      if (index % 2 === 0) await guest.localAddress(listener);
      const connected = guest.connect(port);
      if (index % 3 === 0) await connected;
      guest.cancel(accept.token);
      const result = await accept.result;
      if (result >= 0) accepted++;
      else expect(errnoName(result)).toBe("ECANCELED");
      must(await connected);
    }
    for (; accepted < 50; accepted++) must(await guest.accept(listener));
  });

  law("a cancelled opener gives -ECANCELED or a handle, and leaks none", async (bench) => {
    const { guest, backend, data, files } = bench;
    const listener = must(await guest.listen());
    const local = await guest.localAddress(listener);
    await files.write(join(data, "file"), "");
    const openers = [
      { op: OP.CONNECT, pointer: guest.putAddress(local) },
      { op: OP.LISTEN, pointer: guest.putAddress({ ...local, port: 0 }), argument: 8 },
      { op: OP.OPEN, ...guest.put("/data/file"), argument: OPEN.READ },
    ];
    for (const opener of openers) {
      for (const sameBatch of [true, false]) {
        const { token, result } = guest.start(opener);
        if (!sameBatch) await guest.localAddress(listener);
        guest.cancel(token);
        const handle = await result;
        if (handle >= 0) expect(await guest.close(handle)).toBe(0);
        else expect(errnoName(handle)).toBe("ECANCELED");
        expect(backend.handlesOpen).toBe(1);
      }
    }
  });

  law("a cancelled file operation happened or did not", async ({ guest, data, files }) => {
    await files.write(join(data, "file"), "before");
    const handle = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE));
    for (const op of [OP.WRITE, OP.PWRITE]) {
      for (const sameBatch of [true, false]) {
        await files.write(join(data, "file"), "before");
        const positioned = guest.start({ op, handle, ...guest.put("after!") });
        if (!sameBatch) await guest.submit({ op: OP.PREAD, handle, ...guest.put("x") });
        guest.cancel(positioned.token);
        const result = await positioned.result;
        if (result < 0) expect(errnoName(result)).toBe("ECANCELED");
        else expect(result).toBe(6);
        const content = await files.readText(join(data, "file"));
        expect(content.includes("after!")).toBe(result === 6);
      }
    }
    for (const op of [OP.PREAD, OP.READ, OP.FSYNC]) {
      const { token, result } = guest.start({ op, handle, ...guest.put("......") });
      guest.cancel(token);
      expect(["ECANCELED", "6", "0"]).toContain(errnoName(await result));
    }
  });
}
