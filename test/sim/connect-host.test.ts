//! Laws of sf_connect_host, in virtual time: which address is tried when, which connection is kept, and what
//! becomes of the others. The guest is test/support/guests/names.c.

import { expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import type { SimHost } from "../../ts/host/sim/sim-host.ts";
import type { World } from "../../ts/host/sim/world.ts";
import { runNames, WEB6 } from "./names-guest.ts";
import { withWorld } from "./worlds.ts";

const PORT = 80;
const DELAY_MS = 250;
/** Linux gives up asking for an address on its own network after so long. */
const UNREACHABLE_MS = 3000;

/** What names.c prints, how often it tried to connect, and how many connections are left in the end. */
async function run(world: World, commands: readonly string[]) {
  const { lines, events } = await runNames(world, commands, { dns: true, connect: ["*"] });
  await world.sleep(60_000);
  const connections = [...world.connections].length;
  const attempts = events.filter(({ type }) => type === "connect").length;
  return { lines, attempts, connections };
}

/** Accepts, and forgets, what comes to these addresses. */
function serve(host: SimHost, ...addresses: Uint8Array[]): void {
  for (const bytes of addresses) {
    const listener = host.tcp.listen({ bytes, port: PORT, scope: 0 }, 16);
    if (typeof listener === "number") throw new Error(`cannot listen: ${listener}`);
    listener.onConnection = () => listener.accept()?.close();
  }
}

const ANY_IPV4 = new Uint8Array(4);
const ANY_IPV6 = new Uint8Array(16);

function inWorld(body: (world: World, web: SimHost) => Promise<void>) {
  return () =>
    withWorld({}, async (world) => {
      world.host("client");
      await body(world, world.host("web", { ipv4: "10.0.0.2", ipv6: "fd00::2" }));
    });
}

test(
  "the first address that answers at once is the only one that is tried",
  inWorld(async (world, web) => {
    serve(web, ANY_IPV4, ANY_IPV6);
    const { lines, attempts, connections } = await run(world, ["connect", `web/${PORT}`]);
    expect(lines).toEqual([`connect web: ${WEB6}/${PORT} after 0 ms`]);
    expect([attempts, connections]).toEqual([1, 0]);
  }),
);

test(
  "an address that does not answer has 250 ms before the next is tried, of the other family",
  inWorld(async (world, web) => {
    serve(web, ANY_IPV4, ANY_IPV6);
    const addresses = ["fd00::aa", "fd00::bb", "10.0.0.2", "10.0.0.99"];
    world.addName("half.example", { addresses });
    const { lines, connections } = await run(world, ["connect", `half.example/${PORT}`]);
    expect(lines).toEqual([`connect half.example: 10.0.0.2/${PORT} after ${DELAY_MS} ms`]);
    expect(connections).toBe(0);
    world.addName("later.example", {
      addresses: [...addresses.slice(0, 2), "10.0.0.98", "10.0.0.2"],
    });
    const later = await run(world, ["connect", `later.example/${PORT}`]);
    expect(later.lines).toEqual([
      `connect later.example: 10.0.0.2/${PORT} after ${3 * DELAY_MS} ms`,
    ]);
  }),
);

test(
  "an address that refuses makes way at once",
  inWorld(async (world, web) => {
    serve(web, ANY_IPV4);
    const { lines, attempts } = await run(world, ["connect", `web/${PORT}`]);
    expect(lines).toEqual([`connect web: 10.0.0.2/${PORT} after 0 ms`]);
    expect(attempts).toBe(2);
  }),
);

test(
  "a slow connection that comes first is kept, though another was begun, and the other is undone",
  inWorld(async (world, web) => {
    serve(web, ANY_IPV4, ANY_IPV6);
    world.configure({ network: { latencyMs: 140 } });
    const { lines, attempts, connections } = await run(world, [
      ...["resolve", "web", "connect", `web/${PORT}`],
    ]);
    expect(lines[1]).toBe(`connect web: ${WEB6}/${PORT} after 280 ms`);
    expect([attempts, connections]).toEqual([2, 0]);
  }),
);

test(
  "when all fail it is with the first one's error, after eight addresses at most",
  inWorld(async (world) => {
    const { lines } = await run(world, ["connect", `web/${PORT}`, "connect", `nobody/${PORT}`]);
    expect(lines[0]).toMatch(new RegExp(`^connect web: error ${ERRNO.ECONNREFUSED} after 0 ms`));
    expect(lines[1]).toMatch(new RegExp(`^connect nobody: error ${ERRNO.ENOENT} `));
    const addresses = Array.from({ length: 12 }, (_, index) => `10.0.7.${index + 1}`);
    world.addName("away.example", { addresses });
    const away = await run(world, ["connect", `away.example/${PORT}`]);
    const ms = UNREACHABLE_MS + 7 * DELAY_MS;
    expect(away.lines).toEqual([
      `connect away.example: error ${ERRNO.EHOSTUNREACH} after ${ms} ms`,
    ]);
  }),
);
