//! Laws of CLOSE and of disposal: what was in flight ends, what was sent arrives, nothing is kept.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { OP, OPEN } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, Guest, must, pattern, text } from "./guest.ts";

export function closeLaws(law: Law): void {
  inFlightLaws(law);
  handleLaws(law);
  disposalLaws(law);

  law("what was written before CLOSE arrives", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const sent = pattern(1_000_000);
    const { pointer } = guest.put(sent);
    // As much as goes out while nobody reads, up to all of it.
    const write = { op: OP.WRITE, handle: client, pointer, length: sent.length };
    const written = must(await guest.submit(write));
    expect(written).toBeGreaterThan(0);
    expect(await guest.close(client)).toBe(0);
    const received = await guest.readToEnd(server);
    expect(Buffer.compare(received, sent.subarray(0, written))).toBe(0);
  });

  law("CLOSE of a listener refuses later connections", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    expect(await guest.close(listener)).toBe(0);
    expect(errnoName(await guest.connect(port))).toBe("ECONNREFUSED");
    must(await guest.listen(port));
  });

  law("CLOSE of a listener leaves accepted connections alone", async ({ guest }) => {
    const { listener, client, server } = await guest.pair();
    expect(await guest.close(listener)).toBe(0);
    await guest.writeAll(client, "still here");
    expect(text(await guest.readExactly(server, 10))).toBe("still here");
  });

  law("CLOSE of a listener ends the connections that nobody accepted", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    const client = must(await guest.connect(port));
    expect(await guest.close(listener)).toBe(0);
    const result = await guest.submit({ op: OP.READ, handle: client, ...guest.put("?") });
    expect(["0", "ECONNRESET"]).toContain(errnoName(result));
  });
}

function inFlightLaws(law: Law): void {
  law("CLOSE ends waiting READs with -EBADF, before it completes", async ({ guest }) => {
    const { server } = await guest.pair();
    const reads = [1, 2].map(() => guest.start({ op: OP.READ, handle: server, ...guest.put("?") }));
    await guest.localAddress(server);
    const close = guest.start({ op: OP.CLOSE, handle: server });
    expect(await close.result).toBe(0);
    const tokens = new Set([...reads, close].map(({ token }) => token));
    const completions = guest.log.filter(({ token }) => tokens.has(token));
    expect(completions.map(({ result }) => errnoName(result))).toEqual(["EBADF", "EBADF", "0"]);
    expect(completions[2]?.token).toBe(close.token);
  });

  law("CLOSE in the batch of a READ ends it too", async ({ guest }) => {
    const { server } = await guest.pair();
    const read = guest.submit({ op: OP.READ, handle: server, ...guest.put("?") });
    const close = guest.close(server);
    expect(errnoName(await read)).toBe("EBADF");
    expect(await close).toBe(0);
  });

  law("CLOSE ends a waiting ACCEPT with -EBADF", async ({ guest }) => {
    const listener = must(await guest.listen());
    const accept = guest.accept(listener);
    await guest.localAddress(listener);
    expect(await guest.close(listener)).toBe(0);
    expect(errnoName(await accept)).toBe("EBADF");
  });

  law("CLOSE ends waiting WRITEs with -EBADF", async ({ guest }) => {
    const pair = await guest.pair();
    const other = await guest.pair();
    const write = { op: OP.WRITE, handle: pair.client, ...guest.put(pattern(256 * 1024)) };
    const writes = Array.from({ length: 128 }, () => guest.submit(write));
    await guest.roundTrip(other);
    expect(await guest.close(pair.client)).toBe(0);
    const results = await Promise.all(writes);
    const failed = results.filter((result) => result < 0).map(errnoName);
    expect(new Set(failed)).toEqual(new Set(["EBADF"]));
    // What was reported as written arrives all the same; of the rest, none or some.
    const written = results.reduce((sum, result) => sum + Math.max(result, 0), 0);
    expect((await guest.readToEnd(pair.server)).length).toBeGreaterThanOrEqual(written);
  });

  law("CLOSE waits for file operations, which end with -EBADF or their result", async (bench) => {
    const { guest, data, files } = bench;
    await files.write(join(data, "file"), pattern(1000));
    for (const op of [OP.PREAD, OP.READ, OP.PWRITE, OP.WRITE, OP.FSYNC]) {
      const handle = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE));
      const started = Array.from({ length: 10 }, () =>
        guest.start({ op, handle, ...guest.put(pattern(1000)) }),
      );
      const close = guest.start({ op: OP.CLOSE, handle });
      expect(await close.result).toBe(0);
      const last = guest.log.at(-1);
      expect(last).toEqual({ token: close.token, result: 0 });
      for (const { result } of started) {
        expect(["EBADF", "1000", "0"]).toContain(errnoName(await result));
      }
    }
  });

  law("cancel of a CLOSE is ignored", async ({ guest, backend }) => {
    const handle = must(await guest.open("/data", OPEN.READ));
    const close = guest.start({ op: OP.CLOSE, handle });
    guest.cancel(close.token);
    expect(await close.result).toBe(0);
    expect(backend.handlesOpen).toBe(0);
  });
}

function handleLaws(law: Law): void {
  law("a closed handle gives -EBADF, to CLOSE as well", async ({ guest }) => {
    const { client } = await guest.pair();
    const file = must(await guest.open("/data", OPEN.READ));
    for (const handle of [client, file]) {
      expect(await guest.close(handle)).toBe(0);
      expect(errnoName(await guest.close(handle))).toBe("EBADF");
      expect(errnoName(await guest.write(handle, "x"))).toBe("EBADF");
    }
  });

  law("of two CLOSEs in one batch, one closes", async ({ guest }) => {
    const handle = must(await guest.open("/data", OPEN.READ));
    const results = await Promise.all([guest.close(handle), guest.close(handle)]);
    expect(results.map(errnoName).sort()).toEqual(["0", "EBADF"]);
  });

  law("a closed handle stays dead when its slot is used again", async ({ guest }) => {
    const stale: number[] = [];
    for (let round = 0; round < 100; round++) {
      const handle = must(await guest.open("/data", OPEN.READ));
      expect(stale).not.toContain(handle);
      must(await guest.close(handle));
      stale.push(handle);
    }
    must(await guest.open("/data", OPEN.READ));
    for (const handle of stale) expect(errnoName(await guest.close(handle))).toBe("EBADF");
  });

  law(
    "handles do not leak",
    async ({ guest, backend }) => {
      for (let round = 0; round < 300; round++) {
        const { client, server, listener } = await guest.pair();
        const file = must(await guest.open("/data", OPEN.READ));
        expect(backend.handlesOpen).toBe(4);
        for (const handle of [client, server, listener, file]) must(await guest.close(handle));
        expect(backend.handlesOpen).toBe(0);
      }
    },
    { handlesMax: 4 },
  );

  law("an opener that fails leaves no handle", async ({ guest, backend }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    must(await guest.close(listener));
    for (let round = 0; round < 20; round++) {
      await guest.connect(port);
      await guest.listen(0, [192, 0, 2, 1]);
      await guest.open("/data/missing", OPEN.READ);
    }
    expect(backend.handlesOpen).toBe(0);
  });
}

function disposalLaws(law: Law): void {
  law("disposal ends everything in flight and closes every handle", async (bench) => {
    const { guest, backend, data, files } = bench;
    const { listener, client } = await guest.pair();
    await files.write(join(data, "file"), "x");
    const file = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE));
    const buffer = guest.put(pattern(256 * 1024));
    for (let index = 0; index < 64; index++) {
      guest.add({ op: OP.WRITE, handle: client, ...buffer });
    }
    guest.add({ op: OP.ACCEPT, handle: listener });
    // Each with bytes of its own: threads may read and write at the same time.
    guest.add({ op: OP.READ, handle: client, ...guest.put("?") });
    guest.add({ op: OP.READ, handle: client, ...guest.put("?") });
    guest.add({ op: OP.PREAD, handle: file, ...guest.put("?") });
    guest.add({ op: OP.PWRITE, handle: file, ...guest.put("?") });
    guest.add({ op: OP.FSYNC, handle: file });
    guest.add({ op: OP.OPEN, ...guest.put("/data/file"), argument: OPEN.READ });
    guest.add({ op: OP.CONNECT, pointer: guest.putAddress(await guest.localAddress(listener)) });
    guest.automatic = false;
    backend.turn(0);
    await backend[Symbol.asyncDispose]();
    expect(backend.handlesOpen).toBe(0);
    expect(backend.pending).toBe(0);
  });

  law("disposal at any moment of an OPEN leaves no handle", async ({ open, data, files }) => {
    await files.write(join(data, "file"), "");
    const grants = { directories: [{ host: data, guest: "/data" }] };
    for (let moments = 0; moments < 30; moments++) {
      const backend = await open({ grants, handlesMax: 1 });
      const guest = new Guest(backend);
      guest.add({ op: OP.OPEN, ...guest.put("/data/file"), argument: OPEN.READ });
      guest.automatic = false;
      backend.turn(0);
      for (let index = 0; index < moments; index++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await backend[Symbol.asyncDispose]();
      expect(backend.handlesOpen).toBe(0);
    }
  });

  law("disposal is idempotent, also while it is under way", async ({ guest, backend }) => {
    await guest.pair();
    const first = backend[Symbol.asyncDispose]();
    const second = backend[Symbol.asyncDispose]();
    await Promise.all([first, second]);
    await backend[Symbol.asyncDispose]();
  });

  law("disposal rings no more", async ({ guest, backend }) => {
    const { server } = await guest.pair();
    guest.add({ op: OP.READ, handle: server, ...guest.put("?") });
    guest.turn();
    guest.automatic = false;
    let rings = 0;
    await backend[Symbol.asyncDispose]();
    backend.onReady = () => rings++;
    await new Promise((resolve) => setImmediate(resolve));
    expect(rings).toBe(0);
  });
}
