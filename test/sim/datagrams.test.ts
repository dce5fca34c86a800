//! Laws of datagrams between simulated hosts, and of the name server among them.

import { expect, test } from "vitest";
import type { World } from "../../ts/host/sim/world.ts";
import { type Guest, must, text } from "../conformance/guest.ts";
import { guestOn, ipv4, watch, withWorld } from "./worlds.ts";

const COUNT = 2000;

/** Sends COUNT numbered datagrams a millisecond apart, and returns the numbers in order of arrival. */
async function numbersThrough(world: World): Promise<number[]> {
  const a = await guestOn(world.host("a"));
  const b = await guestOn(world.host("b"));
  const from = must(await a.udpBind(0, ipv4(world.host("a"))));
  const to = must(await b.udpBind(7, ipv4(world.host("b"))));
  const received: number[] = [];
  const receive = async (): Promise<void> => {
    for (;;) {
      const { data } = await b.receiveFrom(to);
      if (text(data) === "end") return;
      received.push(Number(text(data)));
    }
  };
  const receiving = receive();
  const target = { bytes: ipv4(world.host("b")), port: 7 };
  for (let number = 0; number < COUNT; number++) {
    must(await a.sendTo(from, String(number), target));
    await world.sleep(1);
  }
  await world.sleep(10_000);
  world.configure({ network: { datagramLoss: 0 } });
  must(await a.sendTo(from, "end", target));
  await receiving;
  return received;
}

test("without faults datagrams arrive, once and in order", () =>
  withWorld({ network: { latencyMs: 10, jitterMs: 100 } }, async (world) => {
    expect(await numbersThrough(world)).toEqual([...Array(COUNT).keys()]);
  }));

test("datagrams are lost as often as the option says", () =>
  withWorld({ network: { datagramLoss: 0.1 } }, async (world) => {
    const received = await numbersThrough(world);
    expect(Math.abs(COUNT - received.length - 0.1 * COUNT)).toBeLessThan(70);
    expect(received).toEqual([...new Set(received)].sort((a, b) => a - b));
  }));

test("datagrams come twice as often as the option says", () =>
  withWorld({ network: { datagramDuplicates: 0.1 } }, async (world) => {
    const received = await numbersThrough(world);
    expect(new Set(received).size).toBe(COUNT);
    expect(Math.abs(received.length - COUNT - 0.1 * COUNT)).toBeLessThan(70);
  }));

test("datagrams are overtaken as often as the option says", () =>
  withWorld({ network: { latencyMs: 20, datagramReorder: 0.1 } }, async (world) => {
    const received = await numbersThrough(world);
    expect([...received].sort((a, b) => a - b)).toEqual([...Array(COUNT).keys()]);
    const overtaken = received.filter((number, at) => received.indexOf(number + 1) < at).length;
    expect(Math.abs(overtaken - 0.1 * COUNT)).toBeLessThan(70);
  }));

test("datagrams over a partition, to a host that is down or to nobody are lost", () =>
  withWorld({}, async (world) => {
    const events = watch(world);
    const a = await guestOn(world.host("a"));
    const from = must(await a.udpBind(0, ipv4(world.host("a"))));
    const target = { bytes: ipv4(world.host("b")), port: 7 };
    const why = async (): Promise<unknown> => {
      must(await a.sendTo(from, "x", target));
      await world.whenQuiescent();
      const drop = events.filter((event) => event.type === "drop").at(-1);
      return drop?.why;
    };
    expect(await why()).toBe("nobody");
    world.host("b").crash();
    expect(await why()).toBe("down");
    world.host("b").restart();
    world.partition(world.host("a"), world.host("b"));
    expect(await why()).toBe("partition");
    world.heal();
    expect(await why()).toBe("nobody");
  }));

// ── The name server ──

const A = 1;
const PTR = 12;
const AAAA = 28;

function query(name: string, type: number, id = 7): Uint8Array {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
}

interface Answer {
  readonly id: number;
  readonly rcode: number;
  readonly records: readonly { readonly type: number; readonly data: readonly number[] }[];
}

/** @throws when it is not an answer whose one question is `question`'s. */
function readAnswer(message: Uint8Array, question: Uint8Array): Answer {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  expect(view.getUint16(2) & 0x8000).toBe(0x8000);
  expect([...message.subarray(12, question.length)]).toEqual([...question.subarray(12)]);
  const records = [];
  for (let at = question.length, left = view.getUint16(6); left > 0; left--) {
    expect(view.getUint16(at)).toBe(0xc00c);
    const length = view.getUint16(at + 10);
    const data = [...message.subarray(at + 12, at + 12 + length)];
    records.push({ type: view.getUint16(at + 2), data });
    at += 12 + length;
  }
  return { id: view.getUint16(0), rcode: view.getUint16(2) & 15, records };
}

async function asker(world: World) {
  const guest: Guest = await guestOn(world.host("client"));
  const socket = must(await guest.udpBind(0, [0, 0, 0, 0]));
  const send = async (message: Uint8Array): Promise<Uint8Array> => {
    must(await guest.sendTo(socket, message, { bytes: [10, 0, 0, 53], port: 53 }));
    return (await guest.receiveFrom(socket)).data;
  };
  const ask = async (name: string, type: number): Promise<Answer> => {
    const question = query(name, type);
    return readAnswer(await send(question), question);
  };
  return { send, ask };
}

test("the name server knows every host, by name and by address", () =>
  withWorld({}, async (world) => {
    const { ask } = await asker(world);
    world.host("server");
    world.host("db.internal", { ipv4: "10.1.2.3", ipv6: "fd00::1:2" });
    const v6 = (...tail: number[]): number[] => [0xfd, ...Array(15 - tail.length).fill(0), ...tail];
    expect(await ask("server", A)).toEqual({
      id: 7,
      rcode: 0,
      records: [{ type: A, data: [10, 0, 0, 2] }],
    });
    expect((await ask("SERVER", AAAA)).records).toEqual([{ type: AAAA, data: v6(2) }]);
    expect((await ask("db.internal", A)).records).toEqual([{ type: A, data: [10, 1, 2, 3] }]);
    expect((await ask("db.internal", AAAA)).records).toEqual([{ type: AAAA, data: v6(1, 0, 2) }]);
    const name = [2, 0x64, 0x62, 8, ...Buffer.from("internal"), 0];
    expect((await ask("3.2.1.10.in-addr.arpa", PTR)).records).toEqual([{ type: PTR, data: name }]);
    const nibbles = v6(1, 0, 2).flatMap((byte) => [byte >> 4, byte & 15]);
    const reverse = nibbles.reverse().map((nibble) => nibble.toString(16));
    expect((await ask(`${reverse.join(".")}.ip6.arpa`, PTR)).records).toEqual([
      { type: PTR, data: name },
    ]);
  }));

test("a name that no host has is NXDOMAIN; a type that it has not is no answer", () =>
  withWorld({}, async (world) => {
    const { ask } = await asker(world);
    for (const name of ["nobody", "client.example", "9.9.9.9.in-addr.arpa"]) {
      expect(await ask(name, A)).toMatchObject({ rcode: 3, records: [] });
    }
    expect(await ask("client", 15)).toMatchObject({ rcode: 0, records: [] });
    expect(await ask("client", PTR)).toMatchObject({ rcode: 0, records: [] });
  }));

test("rubbish gets FORMERR or no answer, and the name server goes on", () =>
  withWorld({}, async (world) => {
    const { send, ask } = await asker(world);
    const good = query("client", A);
    for (const bad of [
      good.subarray(0, 20), // a name that does not end
      Uint8Array.from(good, (byte, at) => (at === 12 ? 0xc0 : byte)), // a pointer for a name
      Uint8Array.from(good, (byte, at) => (at === 5 ? 2 : byte)), // two questions
    ]) {
      expect((await send(bad))[3]! & 15).toBe(1);
    }
    expect(
      (await send(Uint8Array.from(good, (byte, at) => (at === 2 ? 0x10 : byte))))[3]! & 15,
    ).toBe(4);
    expect((await ask("client", A)).records).toHaveLength(1);
  }));

test("the name server comes with the first query, and back after a crash", () =>
  withWorld({}, async (world) => {
    const { ask } = await asker(world);
    expect(world.hosts.map(({ name }) => name)).toEqual(["client"]);
    expect((await ask("dns", A)).records).toEqual([{ type: A, data: [10, 0, 0, 53] }]);
    expect(world.hosts.map(({ name }) => name)).toEqual(["client", "dns"]);
    world.host("dns").crash();
    world.host("dns").restart();
    expect((await ask("client", A)).records).toHaveLength(1);
  }));

test("no host gets the name server's address by itself", () =>
  withWorld({}, async (world) => {
    for (let index = 1; index <= 60; index++) world.host(`host ${index}`);
    const addresses = world.hosts.map(({ addresses: { ipv4 } }) => ipv4);
    expect(new Set(addresses).size).toBe(60);
    expect(addresses).not.toContain("10.0.0.53");
    expect(world.host("dns").addresses).toEqual({ ipv4: "10.0.0.53", ipv6: "fd00::35" });
  }));
