//! Laws of the simulated network: how long bytes take, and what partitions, resets and losses do.

import fc from "fast-check";
import { expect, test } from "vitest";
import { OP, SHUTDOWN } from "../../ts/abi.gen.ts";
import { concat, errnoName, type Guest, must, pattern, text } from "../conformance/guest.ts";
import { connected, guestOn, ipv4, msOf, watch, withWorld } from "./worlds.ts";

/** Sends all of `data`, then an end. */
async function sendAll(guest: Guest, handle: number, data: Uint8Array): Promise<void> {
  await guest.writeAll(handle, data);
  must(await guest.shutdown(handle, SHUTDOWN.WRITE));
}

test("N bytes take N / bandwidth of virtual time", async () => {
  for (const [bytes, bandwidth] of [
    [1_000_000, 1_000_000],
    [300_000, 50_000],
    [4_000_000, 125_000_000],
  ] as const) {
    const network = { latencyMs: 10, bandwidthBytesPerSecond: bandwidth };
    // As much as is on the way at once, so that only the link is in the way.
    const buffers = { receiveBufferBytes: 2 ** 30, sendBufferBytes: 2 ** 30 };
    await withWorld({ network: { ...network, ...buffers } }, async (world) => {
      const { a, b, client, server } = await connected(world);
      const tookMs = await msOf(world, () =>
        Promise.all([sendAll(a, client, pattern(bytes)), b.readToEnd(server)]),
      );
      expect(tookMs).toBeCloseTo(10 + (bytes / bandwidth) * 1000, 3);
    });
  }
});

test("connections share the bandwidth of a link, and each direction has its own", () =>
  withWorld({ network: { bandwidthBytesPerSecond: 100_000 } }, async (world) => {
    const one = await connected(world);
    const two = await connected(world);
    const there = ({ a, b, client, server }: typeof one) => [
      sendAll(a, client, pattern(50_000)),
      b.readToEnd(server),
    ];
    expect(await msOf(world, () => Promise.all([...there(one), ...there(two)]))).toBeCloseTo(
      1000,
      0,
    );
    const three = await connected(world);
    const { a, b, client, server } = three;
    const both = [...there(three), sendAll(b, server, pattern(50_000)), a.readToEnd(client)];
    expect(await msOf(world, () => Promise.all(both))).toBeCloseTo(500, 0);
  }));

test("bytes arrive in order whatever the jitter, the losses and the lengths of transfers", () =>
  fc.assert(
    fc.asyncProperty(
      fc.string(),
      fc.integer({ min: 1, max: 40_000 }),
      fc.integer({ min: 1, max: 9000 }),
      async (seed, receiveBufferBytes, chunk) => {
        const network = {
          latencyMs: 5,
          jitterMs: 100,
          segmentLoss: 0.2,
          shortReads: 0.5,
          shortWrites: 0.5,
          receiveBufferBytes,
          sendBufferBytes: chunk,
        };
        await withWorld({ seed, network }, async (world) => {
          const { a, b, client, server } = await connected(world);
          const sent = pattern(60_000);
          const [received] = await Promise.all([
            b.readToEnd(server, chunk),
            sendAll(a, client, sent),
          ]);
          expect(Buffer.compare(received, sent)).toBe(0);
        });
      },
    ),
    { numRuns: 15 },
  ));

test("a writer waits when its reader does not read, and goes on when it does", () =>
  withWorld({ network: { receiveBufferBytes: 1000, sendBufferBytes: 500 } }, async (world) => {
    const { a, b, client, server } = await connected(world);
    const writing = a.writeAll(client, pattern(10_000));
    await world.whenQuiescent();
    expect(a.backend.pending).toBe(1);
    const arrived = await b.read(server, 100_000);
    expect(arrived).toHaveLength(1000);
    const rest = await b.readExactly(server, 9000);
    await writing;
    expect(Buffer.compare(concat([arrived, rest]), pattern(10_000))).toBe(0);
  }));

test("a partition stops bytes, and its end brings them", () =>
  withWorld({ network: { latencyMs: 10 } }, async (world) => {
    const { a, b, client, server } = await connected(world);
    world.partition(world.host("a"), world.host("b"));
    await a.writeAll(client, "lost for a while");
    let received = "";
    const reading = b.readExactly(server, 16).then((data) => {
      received = text(data);
    });
    await world.sleep(10_000);
    expect(received).toBe("");
    world.heal();
    await reading;
    expect(received).toBe("lost for a while");
  }));

test("what is on its way while a link is cut is lost, what leaves later is not", () =>
  withWorld({ network: { latencyMs: 100, bandwidthBytesPerSecond: 1000 } }, async (world) => {
    const a = await guestOn(world.host("a"));
    const b = await guestOn(world.host("b"));
    const from = must(await a.udpBind(0, ipv4(world.host("a"))));
    const to = must(await b.udpBind(7, ipv4(world.host("b"))));
    const target = { bytes: ipv4(world.host("b")), port: 7 };
    // Each takes 10 ms to leave: the first at 10, the second at 20, the third at 30.
    const sending = ["1st-------", "2nd-------", "3rd-------"].map((data) =>
      a.sendTo(from, data, target),
    );
    world.after(15, () => world.partition(world.host("a"), world.host("b")));
    world.after(19, () => world.heal());
    await Promise.all(sending);
    expect(text((await b.receiveFrom(to)).data)).toBe("2nd-------");
    expect(text((await b.receiveFrom(to)).data)).toBe("3rd-------");
  }));

test("a host that crashes sends nothing more, also not what waited to leave", () =>
  withWorld({ network: { latencyMs: 100, bandwidthBytesPerSecond: 1000 } }, async (world) => {
    const { a, b, client, server } = await connected(world);
    for (const data of ["1st-------", "2nd-------", "3rd-------"])
      must(await a.write(client, data));
    world.after(15, () => world.host("a").crash());
    const read = b.start({ op: OP.READ, handle: server, ...b.put(".".repeat(64)) });
    expect(await read.result).toBe(10);
    const next = b.start({ op: OP.READ, handle: server, ...b.put("?") });
    await world.sleep(100_000);
    expect(b.backend.pending).toBe(1);
    b.cancel(next.token);
    await next.result;
  }));

test("partitions at any moment lose, double and swap no byte", () =>
  fc.assert(
    fc.asyncProperty(
      fc.string(),
      // Also so short that packets before and after them are on their way at once.
      fc.array(fc.tuple(fc.nat(1500), fc.oneof(fc.nat(40), fc.nat(2000))), { maxLength: 12 }),
      fc.constantFrom(100_000, 1_000_000),
      async (seed, cuts, bandwidthBytesPerSecond) => {
        const network = { latencyMs: 100, jitterMs: 50, bandwidthBytesPerSecond };
        await withWorld({ seed, network }, async (world) => {
          const { a, b, client, server } = await connected(world);
          for (const [startMs, lengthMs] of cuts) {
            world.after(startMs, () => world.partition(world.host("a"), world.host("b")));
            world.after(startMs + lengthMs, () => world.heal(world.host("a"), world.host("b")));
          }
          world.after(6000, () => world.heal());
          const sent = pattern(1_000_000);
          const [received] = await Promise.all([b.readToEnd(server), sendAll(a, client, sent)]);
          expect(Buffer.compare(received, sent)).toBe(0);
        });
      },
    ),
    { numRuns: 15 },
  ));

test("a partition that lasts ends the connection of who sends with -ETIMEDOUT", () =>
  withWorld({ network: { retransmitTimeoutMs: 5000 } }, async (world) => {
    const { a, b, client, server } = await connected(world);
    world.partition(world.host("a"), world.host("b"));
    await a.writeAll(client, "never arrives");
    const reading = a.submit({ op: OP.READ, handle: client, ...a.put("?") });
    const tookMs = await msOf(world, async () => {
      expect(errnoName(await reading)).toBe("ETIMEDOUT");
    });
    expect(tookMs).toBeGreaterThanOrEqual(5000);
    expect(tookMs).toBeLessThan(6000);
    // Who only waits learns nothing, until it sends.
    const waiting = b.start({ op: OP.READ, handle: server, ...b.put("?") });
    await world.sleep(100_000);
    expect(b.backend.pending).toBe(1);
    world.heal();
    await b.write(server, "anyone?");
    expect(errnoName(await waiting.result)).toBe("ECONNRESET");
  }));

test("CONNECT over a partition tries again, and gives up with -ETIMEDOUT", () =>
  withWorld({ network: { connectTimeoutMs: 4500 } }, async (world) => {
    const a = await guestOn(world.host("a"));
    const b = await guestOn(world.host("b"));
    const address = ipv4(world.host("b"));
    must(await b.listen(7, address));
    world.partition(world.host("a"), world.host("b"));
    const tookMs = await msOf(world, async () => {
      expect(errnoName(await a.connect(7, address))).toBe("ETIMEDOUT");
    });
    expect(tookMs).toBe(4500);
    world.after(2000, () => world.heal());
    const againMs = await msOf(world, async () => must(await a.connect(7, address)));
    // After 1 s, and after 3.
    expect(againMs).toBeCloseTo(3000, 0);
  }));

test("CONNECT to an address that nobody has gives -EHOSTUNREACH", () =>
  withWorld({}, async (world) => {
    const a = await guestOn(world.host("a"));
    expect(errnoName(await a.connect(7, [10, 77, 77, 77]))).toBe("EHOSTUNREACH");
    expect(errnoName(await a.connect(7, [192, 0, 2, 1]))).toBe("EHOSTUNREACH");
    const canceled = a.start({
      op: OP.CONNECT,
      pointer: a.putAddress({ bytes: [10, 7, 7, 7], port: 7 }),
    });
    await world.sleep(100);
    a.cancel(canceled.token);
    expect(errnoName(await canceled.result)).toBe("ECANCELED");
  }));

test("a backlog has its bound; who finds it full gets in when there is room", () =>
  withWorld({}, async (world) => {
    const a = await guestOn(world.host("a"));
    const b = await guestOn(world.host("b"));
    const address = ipv4(world.host("b"));
    const listener = must(await b.listen(7, address, 4));
    const connecting = Array.from({ length: 10 }, () => a.connect(7, address));
    await world.sleep(500);
    // Linux counts one more than asked for.
    expect(a.backend.handlesOpen).toBe(5);
    for (let index = 0; index < 10; index++) must(await b.accept(listener));
    expect((await Promise.all(connecting)).map(must)).toHaveLength(10);
  }));

test("a listener that closes resets who waits in its backlog, or comes a moment later", () =>
  withWorld({ network: { latencyMs: 10 } }, async (world) => {
    const a = await guestOn(world.host("a"));
    const b = await guestOn(world.host("b"));
    const address = ipv4(world.host("b"));
    for (const pauseMs of [100, 0]) {
      const listener = must(await b.listen(7, address));
      const client = must(await a.connect(7, address));
      await world.sleep(pauseMs);
      must(await b.close(listener));
      const read = a.submit({ op: OP.READ, handle: client, ...a.put("?") });
      expect(errnoName(await read)).toBe("ECONNRESET");
      must(await a.close(client));
    }
    expect([...world.connections]).toEqual([]);
  }));

test("a reset on the way is told to both ends, once, after the bytes before it", () =>
  withWorld({}, async (world) => {
    const { a, b, client, server } = await connected(world);
    await a.writeAll(client, "before");
    await world.whenQuiescent();
    world.configure({ network: { resets: 1 } });
    await a.writeAll(client, "lost");
    await world.whenQuiescent();
    expect(text(await b.readExactly(server, 6))).toBe("before");
    for (const [guest, handle] of [
      [a, client],
      [b, server],
    ] as const) {
      const read = (): Promise<number> =>
        guest.submit({ op: OP.READ, handle, ...guest.put("????") });
      expect(errnoName(await read())).toBe("ECONNRESET");
      expect(await read()).toBe(0);
      expect(errnoName(await guest.write(handle, "x"))).toBe("EPIPE");
      must(await guest.close(handle));
    }
    expect([...world.connections]).toEqual([]);
  }));

test("faults of a network come as often as their options say", () =>
  withWorld({ seed: "rates" }, async (world) => {
    const events = watch(world);
    const a = await guestOn(world.host("a"));
    const b = await guestOn(world.host("b"));
    const address = ipv4(world.host("b"));
    const listener = must(await b.listen(7, address));
    const count = (fault: string): number =>
      events.filter((event) => event.type === "fault" && event.fault === fault).length;

    world.configure({ network: { connectRefused: 0.25 } });
    const results = [];
    for (let index = 0; index < 400; index++) results.push(await a.connect(7, address));
    const refused = results.filter((result) => errnoName(result) === "ECONNREFUSED").length;
    expect(refused).toBe(count("refused"));
    expect(Math.abs(refused - 100)).toBeLessThan(45);
    world.configure({ network: { connectRefused: 0 } });

    const client = results.find((result) => result > 0)!;
    const server = must(await b.accept(listener));
    world.configure({ network: { shortReads: 0.5, shortWrites: 0.25, segmentLoss: 0.1 } });
    for (let index = 0; index < 400; index++) {
      must(await a.write(client, "1234567890"));
      await b.read(server, 10);
    }
    expect(Math.abs(count("short write") - 100)).toBeLessThan(45);
    expect(Math.abs(count("short read") - 200)).toBeLessThan(60);
    expect(Math.abs(count("segment lost") - 40)).toBeLessThan(35);
  }));

test("an unlucky connection is reset by itself", () =>
  withWorld({ network: { connectionResets: 1 } }, async (world) => {
    for (let round = 0; round < 20; round++) {
      const { a, b, client, server } = await connected(world);
      let result = 0;
      for (let segment = 0; segment < 40 && result >= 0; segment++) {
        result = await a.write(client, "x");
        if (result < 0) break;
        await world.whenQuiescent();
        result = await b.write(server, "y");
        await world.whenQuiescent();
      }
      expect(["ECONNRESET", "EPIPE"]).toContain(errnoName(result));
    }
  }));

test("world.connections are those that are there", () =>
  withWorld({}, async (world) => {
    const { a, b, client, server } = await connected(world);
    const [view, ...others] = world.connections;
    expect(others).toEqual([]);
    expect(view).toMatchObject({
      client: world.host("a"),
      server: world.host("b"),
      state: "open",
      clientPort: (await a.localAddress(client)).port,
      serverPort: (await b.localAddress(server)).port,
    });
    must(await a.close(client));
    await world.whenQuiescent();
    expect([...world.connections]).toHaveLength(1);
    must(await b.close(server));
    await world.whenQuiescent();
    expect([...world.connections]).toEqual([]);
  }));

test("events tell who sends what to whom, when it leaves and when it arrives", () =>
  withWorld({ network: { latencyMs: 10, bandwidthBytesPerSecond: 1000 } }, async (world) => {
    const { a, b, client, server } = await connected(world);
    const events = watch(world);
    const startNs = world.nowNs;
    await a.writeAll(client, "twelve bytes");
    await b.readExactly(server, 12);
    expect(events.filter(({ type }) => type === "data")).toEqual([
      {
        type: "data",
        timeNs: startNs,
        connection: [...world.connections][0]!.id,
        from: "a",
        to: "b",
        bytes: 12,
        sentNs: startNs + 12e6,
        arrivesNs: startNs + 22e6,
      },
    ]);
    expect(world.nowNs).toBe(startNs + 22e6);
    structuredClone(events);
  }));

test("an ended connection leaves no socket, and its port does not come back soon", () =>
  withWorld({}, async (world) => {
    const a = await guestOn(world.host("a"));
    const b = await guestOn(world.host("b"));
    const address = ipv4(world.host("b"));
    const listener = must(await b.listen(7, address, 4096));
    const seen = new Set<number>();
    for (let round = 0; round < 200; round++) {
      const client = must(await a.connect(7, address));
      const server = must(await b.accept(listener));
      seen.add((await a.localAddress(client)).port);
      must(await a.close(client));
      must(await b.close(server));
    }
    expect(seen.size).toBe(200);
    await world.whenQuiescent();
    expect(world.host("a").tcp.sockets.size).toBe(0);
  }));
