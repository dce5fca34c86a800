//! Laws of datagrams for several simulated hosts, and of connected sockets between two.

import { expect, test } from "vitest";
import { BIND, ERRNO, OP, OPTION } from "../../ts/abi.gen.ts";
import type { World } from "../../ts/host/sim/world.ts";
import { errnoName, type Guest, must, text } from "../conformance/guest.ts";
import { guestOn, ipv4, withWorld } from "./worlds.ts";

const ANY = [0, 0, 0, 0];
const GROUP = [239, 1, 2, 3];
const EVERYBODY = [255, 255, 255, 255];
const PORT = 7;
const LOOPBACK_INTERFACE = 1;

interface Member {
  readonly guest: Guest;
  readonly handle: number;
}

async function bound(world: World, name: string): Promise<Member> {
  const guest = await guestOn(world.host(name));
  return { guest, handle: must(await guest.bindWith(BIND.REUSE_ADDRESS, PORT, ANY)) };
}

async function member(world: World, name: string, scope = 0): Promise<Member> {
  const made = await bound(world, name);
  const pointer = made.guest.putAddress({ bytes: GROUP, port: 0, scope });
  const join = { op: OP.MEMBERSHIP, handle: made.handle, pointer, argument: 1 };
  must(await made.guest.submit(join));
  return made;
}

/** Sends one to `to`, and "last" to each host itself; returns what each heard before that. */
async function heard(
  world: World,
  from: Member,
  to: readonly number[],
  members: Readonly<Record<string, Member>>,
): Promise<Record<string, string[]>> {
  must(await from.guest.sendTo(from.handle, "for all", { bytes: to, port: PORT }));
  await world.sleep(1000);
  const result: Record<string, string[]> = {};
  for (const [name, { guest, handle }] of Object.entries(members)) {
    const itself = { bytes: ipv4(world.host(name)), port: PORT };
    must(await from.guest.sendTo(from.handle, "last", itself));
    const got: string[] = [];
    for (;;) {
      const said = text((await guest.receiveFrom(handle)).data);
      if (said === "last") break;
      got.push(said);
    }
    result[name] = got;
  }
  return result;
}

test("what is sent to a group reaches its members on every host, the sender's too", () =>
  withWorld({ preset: "lan" }, async (world) => {
    const a = await member(world, "a");
    const b = await member(world, "b");
    const c = await bound(world, "c");
    expect(await heard(world, a, GROUP, { a, b, c })).toEqual({
      a: ["for all"],
      b: ["for all"],
      c: [],
    });
    must(await a.guest.setOption(a.handle, OPTION.MULTICAST_LOOP, 0));
    expect(await heard(world, a, GROUP, { a, b, c })).toEqual({ a: [], b: ["for all"], c: [] });
    must(await a.guest.setOption(a.handle, OPTION.MULTICAST_LOOP, 1));
    must(await a.guest.setOption(a.handle, OPTION.MULTICAST_HOPS, 0));
    expect(await heard(world, a, GROUP, { a, b, c })).toEqual({ a: ["for all"], b: [], c: [] });
  }));

test("a member on the loopback interface hears nothing of the network", () =>
  withWorld({ preset: "lan" }, async (world) => {
    const a = await member(world, "a");
    const b = await member(world, "b", LOOPBACK_INTERFACE);
    expect(await heard(world, a, GROUP, { a, b })).toEqual({ a: ["for all"], b: [] });
  }));

test("a broadcast reaches every host, its sender's too", () =>
  withWorld({ preset: "lan" }, async (world) => {
    const a = await bound(world, "a");
    const b = await bound(world, "b");
    const c = await bound(world, "c");
    const everybody = { bytes: EVERYBODY, port: PORT };
    expect(await a.guest.sendTo(a.handle, "x", everybody)).toBe(-ERRNO.EACCES);
    must(await a.guest.setOption(a.handle, OPTION.BROADCAST, 1));
    expect(await heard(world, a, EVERYBODY, { a, b, c })).toEqual({
      a: ["for all"],
      b: ["for all"],
      c: ["for all"],
    });
  }));

test("a connected socket is refused by another host when the answer has come back", () =>
  withWorld({ network: { latencyMs: 100 } }, async (world) => {
    const a = await guestOn(world.host("a"));
    const handle = must(await a.udpBind(0, ANY));
    must(await a.udpConnect(handle, { bytes: ipv4(world.host("b")), port: PORT }));
    expect((await a.localAddress(handle)).bytes).toEqual(ipv4(world.host("a")));
    const began = world.nowNs;
    const reading = a.submit({ op: OP.READ, handle, ...a.put("....") });
    must(await a.write(handle, "anyone?"));
    expect(errnoName(await reading)).toBe("ECONNREFUSED");
    expect(world.nowNs - began).toBe(200e6);
  }));

test("over a partition nobody is refused", () =>
  withWorld({ network: { latencyMs: 1 } }, async (world) => {
    const a = await guestOn(world.host("a"));
    const handle = must(await a.udpBind(0, ANY));
    must(await a.udpConnect(handle, { bytes: ipv4(world.host("b")), port: PORT }));
    world.partition(world.host("a"), world.host("b"));
    const reading = a.start({ op: OP.READ, handle, ...a.put("....") });
    must(await a.write(handle, "anyone?"));
    await world.sleep(1000);
    a.cancel(reading.token);
    expect(errnoName(await reading.result)).toBe("ECANCELED");
  }));
