//! Worlds for laws: each is disposed, and processes on its hosts are ring drivers or small C guests.

import { expect } from "vitest";
import type { Grants } from "../../ts/host/backend.ts";
import type { SimHost } from "../../ts/host/sim/sim-host.ts";
import { World, type WorldOptions } from "../../ts/host/sim/world.ts";
import type { WorldEvent } from "../../ts/host/sim/world-event.ts";
import { Guest } from "../conformance/guest.ts";

const EVERYTHING: Grants = { connect: [{}], listen: [{}] };

/** Runs `body` in a world, which must leave no handle and no pending operation behind. */
export async function withWorld<T>(
  options: WorldOptions,
  body: (world: World) => Promise<T>,
): Promise<T> {
  const world = new World({ seed: "law", ...options });
  try {
    return await body(world);
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

/** A process whose operations the law submits itself. */
export async function guestOn(host: SimHost, grants: Grants = EVERYTHING): Promise<Guest> {
  return new Guest(await host.open({ grants, handlesMax: 65_536 }));
}

export function ipv4(host: SimHost): number[] {
  return host.addresses.ipv4.split(".").map(Number);
}

export interface Connected {
  /** On each of the two hosts. */
  readonly a: Guest;
  readonly b: Guest;
  /** The ends of one connection: `a` has connected. */
  readonly client: number;
  readonly server: number;
}

/** A connection from a process on host "a" to one on host "b". */
export async function connected(world: World): Promise<Connected> {
  const [a, b] = await Promise.all([guestOn(world.host("a")), guestOn(world.host("b"))]);
  const listener = await b.listen(0, ipv4(world.host("b")));
  const { port } = await b.localAddress(listener);
  const [server, client] = await Promise.all([
    b.accept(listener),
    a.connect(port, ipv4(world.host("b"))),
  ]);
  expect(Math.min(client, server)).toBeGreaterThan(0);
  return { a, b, client, server };
}

/** What happens from now on. */
export function watch(world: World): WorldEvent[] {
  const events: WorldEvent[] = [];
  world.onEvent = (event) => events.push(event);
  return events;
}

/** Virtual milliseconds that `body` takes. */
export async function msOf(world: World, body: () => Promise<unknown>): Promise<number> {
  const startNs = world.nowNs;
  await body();
  return (world.nowNs - startNs) / 1e6;
}
