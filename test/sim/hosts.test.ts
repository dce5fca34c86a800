//! Laws of hosts: what a crash, a kill and the end of the world do to programs and their peers.

import { expect, test } from "vitest";
import { OP } from "../../ts/abi.gen.ts";
import { World } from "../../ts/host/sim/world.ts";
import { errnoName, must } from "../conformance/guest.ts";
import { leakCheck } from "../support/runtime.ts";
import { addressOf, PORT, worldGuest } from "./programs.ts";
import { connected, guestOn, ipv4, withWorld } from "./worlds.ts";

const { start } = worldGuest();

test("programs on two hosts talk, and end without a trace", () =>
  withWorld({ preset: "lan" }, async (world) => {
    const server = await start(world, world.host("server"));
    const client = await start(world, world.host("client"));
    const serving = server.spawn("serve", [PORT]);
    const args = [addressOf(world.host("server")), PORT, 20];
    const asking = Array.from({ length: 10 }, () => client.spawn("ask", args));
    expect(new Set(await Promise.all(asking))).toEqual(new Set([0]));
    await world.whenQuiescent();
    expect(server.tasks()).toHaveLength(1);
    serving.cancel();
    expect(errnoName((await serving) as number)).toBe("ECANCELED");
    for (const runtime of [server, client]) {
      leakCheck(runtime);
      await runtime[Symbol.asyncDispose]();
    }
    expect([...world.connections]).toEqual([]);
  }));

test("several programs on one host share its ports, files and network", () =>
  withWorld({}, async (world) => {
    const host = world.host("only");
    const server = await start(world, host);
    const client = await start(world, host);
    const serving = server.spawn("serve", [PORT]);
    await world.whenQuiescent();
    const taken = client.spawn("serve", [PORT]);
    expect(errnoName((await taken) as number)).toBe("EADDRINUSE");
    expect(await client.spawn("ask", [0x7f000001, PORT, 3])).toBe(0);
    expect(await client.spawn("ask", [addressOf(host), PORT, 3])).toBe(0);
    serving.cancel();
    await serving;
  }));

test("a crash breaks the programs of its host, and no others", () =>
  withWorld({}, async (world) => {
    const doomed = await start(world, world.host("doomed"));
    const other = await start(world, world.host("other"));
    const sleeping = doomed.spawn("sleep_ms", [60_000]);
    const awake = other.spawn("sleep_ms", [60_000]);
    world.after(1000, () => world.host("doomed").crash());
    const error = { code: "SF_IO", errno: "EIO", message: /host doomed crashed/ };
    await expect(sleeping).rejects.toMatchObject({
      ...error,
      message: expect.stringMatching(error.message),
    });
    expect(world.nowNs).toBe(1e9);
    expect(() => doomed.spawn("sleep_ms", [1])).toThrow(error.message);
    await doomed[Symbol.asyncDispose]();
    expect(await awake).toBe(0);
    expect(world.host("doomed").up).toBe(false);
    await expect(start(world, world.host("doomed"))).rejects.toMatchObject({
      code: "SF_IO",
      errno: "EHOSTUNREACH",
    });
    world.host("doomed").restart();
    const again = await start(world, world.host("doomed"));
    expect(await again.spawn("sleep_ms", [1])).toBe(0);
  }));

test("peers of a crashed host learn of it when they send: after a restart by a reset", () =>
  withWorld({ network: { latencyMs: 10 } }, async (world) => {
    const { a, client } = await connected(world);
    const waiting = a.start({ op: OP.READ, handle: client, ...a.put("?") });
    a.turn();
    world.host("b").crash();
    await world.sleep(100_000);
    world.host("b").restart();
    await world.sleep(100_000);
    expect(a.backend.pending).toBe(1);
    must(await a.write(client, "are you there?"));
    expect(errnoName(await waiting.result)).toBe("ECONNRESET");
  }));

test("peers of a crashed host learn of it when they send: while it is down by a timeout", () =>
  withWorld({ network: { retransmitTimeoutMs: 20_000 } }, async (world) => {
    const { a, client } = await connected(world);
    world.host("b").crash();
    must(await a.write(client, "are you there?"));
    const read = a.submit({ op: OP.READ, handle: client, ...a.put("?") });
    expect(errnoName(await read)).toBe("ETIMEDOUT");
    expect(errnoName(await a.connect(9, ipv4(world.host("b"))))).toBe("ETIMEDOUT");
  }));

test("bytes for a host that crashes and comes back are refused, not delivered to the next program", () =>
  withWorld({ network: { latencyMs: 50 } }, async (world) => {
    const { a, client } = await connected(world);
    must(await a.write(client, "on its way"));
    world.host("b").crash();
    world.host("b").restart();
    const b = await guestOn(world.host("b"));
    const read = a.submit({ op: OP.READ, handle: client, ...a.put("?") });
    expect(errnoName(await read)).toBe("ECONNRESET");
    expect(b.backend.handlesOpen).toBe(0);
  }));

test("a kill closes the sockets of its programs: peers read what was sent, then the end", () =>
  withWorld({}, async (world) => {
    const { a, b, client, server } = await connected(world);
    must(await b.write(server, "last words"));
    world.host("b").kill();
    expect(await a.readToEnd(client)).toHaveLength(10);
    expect(world.host("b").up).toBe(true);
    expect(b.backend.handlesOpen).toBe(0);
    // Bytes that the dead program had not read: that is a reset.
    const second = await connected(world);
    must(await second.a.write(second.client, "unread"));
    await world.whenQuiescent();
    world.host("b").kill();
    const read = second.a.submit({ op: OP.READ, handle: second.client, ...second.a.put("?") });
    expect(errnoName(await read)).toBe("ECONNRESET");
  }));

test("a killed program leaves its port to the next", () =>
  withWorld({}, async (world) => {
    const first = await guestOn(world.host("a"));
    must(await first.listen(PORT, ipv4(world.host("a"))));
    must(await first.udpBind(PORT, ipv4(world.host("a"))));
    world.host("a").kill();
    const next = await guestOn(world.host("a"));
    must(await next.listen(PORT, ipv4(world.host("a"))));
    must(await next.udpBind(PORT, ipv4(world.host("a"))));
  }));

test("a kill keeps what was written, a crash what was synced", async () => {
  for (const end of ["kill", "crash"] as const) {
    await withWorld({ files: { latencyMs: 1, lostWrites: 1 } }, async (world) => {
      const host = world.host("a");
      host.disk.makeDirectory("/data");
      const grants = { directories: [{ host: "/data", guest: "/data" }] };
      const logging = (await start(world, host, { grants })).spawn("log_forever");
      // Open, then write, sync and sleep, a millisecond each: after 2.5 ms one is written, not synced.
      world.after(2.5, () => host[end]());
      await expect(logging).rejects.toMatchObject({ code: "SF_IO" });
      const log = host.disk.exists("/data/log") ? host.disk.size("/data/log") : 0;
      expect(log).toBe(end === "kill" ? 6 : 0);
    });
  }
});

test("a crash in the middle of a host's own step ends its program there", () =>
  withWorld({}, async (world) => {
    const server = await start(world, world.host("server"));
    server.spawn("serve", [PORT]).then(undefined, () => {});
    const notes: number[] = [];
    const note = async (value: number): Promise<number> => {
      notes.push(value);
      if (value === 3) world.host("client").crash();
      return value;
    };
    const client = await start(world, world.host("client"), { imports: { env: { note } } });
    const asking = client.spawn("ask", [addressOf(world.host("server")), PORT, 10]);
    await expect(asking).rejects.toMatchObject({ code: "SF_IO" });
    expect(notes).toEqual([0, 1, 2, 3]);
    await client[Symbol.asyncDispose]();
  }));

test("the end of a world ends every program, and leaves no handle and no operation", async () => {
  const world = new World({ seed: 1, preset: "mobile" });
  const server = await start(world, world.host("server"));
  const client = await start(world, world.host("client"));
  const serving = server.spawn("serve", [PORT]);
  const asking = client.spawn("ask", [addressOf(world.host("server")), PORT, 1000]);
  await world.sleep(2000);
  expect(server.stats.handlesOpen).toBeGreaterThan(1);
  const ended = [serving, asking].map((task) =>
    expect(task).rejects.toMatchObject({ code: "SF_IO" }),
  );
  await world[Symbol.asyncDispose]();
  await Promise.all(ended);
  for (const runtime of [server, client]) {
    expect(runtime.stats.handlesOpen).toBe(0);
    await runtime[Symbol.asyncDispose]();
  }
  expect(world.quiescent).toBe(true);
  await world[Symbol.asyncDispose]();
  await expect(start(world, world.host("server"))).rejects.toMatchObject({ code: "SF_DISPOSED" });
  await world.sleep(1000);
});

test("a runtime that is disposed of ends its tasks in virtual time", () =>
  withWorld({}, async (world) => {
    const runtime = await start(world, world.host("a"));
    const sleeping = runtime.spawn("sleep_ms", [3_600_000]);
    await world.sleep(1);
    await runtime[Symbol.asyncDispose]();
    expect(errnoName((await sleeping) as number)).toBe("ECANCELED");
    expect(world.nowNs).toBeLessThan(1e9);
  }));

test("in a paused world a runtime waits, and step lets it go on", async () => {
  const world = new World({ seed: 1, speed: 0 });
  const runtime = await start(world, world.host("a"));
  let result: unknown;
  void runtime.spawn("sleep_ms", [5]).then((value) => {
    result = value;
  });
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(result).toBe(undefined);
  let steps = 0;
  while (result === undefined) {
    world.step();
    expect(++steps).toBeLessThan(20);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(world.nowNs).toBe(5e6);
  await world[Symbol.asyncDispose]();
});
