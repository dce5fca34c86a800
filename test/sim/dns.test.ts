//! Laws of the resolver that guests are linked with, on a simulated network: what it asks, whom, how often,
//! and what it remembers. The guest is test/support/guests/names.c.

import { expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import type { World, WorldOptions } from "../../ts/host/sim/world.ts";
import type { WorldEvent } from "../../ts/host/sim/world-event.ts";
import type { RuntimeDnsGrant } from "../../ts/runtime/options.ts";
import { runNames, WEB6 } from "./names-guest.ts";
import { withWorld } from "./worlds.ts";

function run(world: World, commands: readonly string[], dns: true | RuntimeDnsGrant = true) {
  return runNames(world, commands, { dns, connect: ["*"] });
}

function inWorld(body: (world: World) => Promise<void>, options: WorldOptions = {}) {
  return () =>
    withWorld(options, async (world) => {
      world.host("client");
      world.host("web", { ipv4: "10.0.0.2", ipv6: "fd00::2" });
      await body(world);
    });
}

const queries = (events: readonly WorldEvent[]) =>
  events.filter((event) => event.type === "datagram" && event.toPort === 53);

/** What a connection to the name server can end with. */
const LOST = [
  ERRNO.ETIMEDOUT,
  ERRNO.EIO,
  ERRNO.ECONNRESET,
  ERRNO.ECONNREFUSED,
  ERRNO.EHOSTUNREACH,
  ERRNO.EPIPE,
];

test(
  "a name has its addresses of both families by turns, IPv6 first, or those of one",
  inWorld(async (world) => {
    world.addName("many.example", {
      addresses: ["10.1.0.1", "10.1.0.2", "10.1.0.3", "fd00::a", "fd00::b"],
    });
    const { lines } = await run(world, [
      ...["resolve", "web", "resolve", "WEB/4", "resolve", "web/6"],
      ...["resolve", "many.example", "few", "many.example/2", "few", "web/0"],
    ]);
    expect(lines).toEqual([
      `web: ${WEB6} 10.0.0.2`,
      "WEB: 10.0.0.2",
      `web: ${WEB6}`,
      "many.example: fd00:0:0:0:0:0:0:a 10.1.0.1 fd00:0:0:0:0:0:0:b 10.1.0.2 10.1.0.3",
      "many.example: fd00:0:0:0:0:0:0:a 10.1.0.1",
      "web:",
    ]);
  }),
);

test(
  "a name that is none, or that has no such address, is ENOENT; what cannot be a name is EINVAL",
  inWorld(async (world) => {
    world.addName("four.example", { addresses: ["10.1.0.1"] });
    const long = `${"a".repeat(60)}.`.repeat(4);
    const none = [
      "nobody",
      "nobody.example.",
      "four.example/6",
      "127.0.0.1/6",
      `${long}aaaaaaaaa.`,
    ];
    const invalid = [
      "",
      ".",
      "a..b",
      ".a",
      "a b",
      "ä",
      "a".repeat(64),
      `${long}aaaaaaaaaa`,
      "web/5",
    ];
    const { lines } = await run(
      world,
      [...none, ...invalid].flatMap((name) => ["resolve", name]),
    );
    const errors = lines.map((line) => Number(line.split(": error ")[1]));
    expect(errors.slice(0, none.length)).toEqual(none.map(() => ERRNO.ENOENT));
    expect(errors.slice(none.length)).toEqual(invalid.map(() => ERRNO.EINVAL));
  }),
);

test(
  "aliases are followed, as many as there are up to 16, and a circle of them is no name",
  inWorld(async (world) => {
    world.addName("www.example", { alias: "Shop.Example" });
    world.addName("shop.example", { alias: "web" });
    world.addName("ping.example", { alias: "pong.example" });
    world.addName("pong.example", { alias: "ping.example" });
    world.addName("dangling.example", { alias: "nobody" });
    const { lines } = await run(world, [
      ...["resolve", "www.example", "resolve", "ping.example", "resolve", "dangling.example"],
    ]);
    expect(lines).toEqual([
      `www.example: ${WEB6} 10.0.0.2`,
      `ping.example: error ${ERRNO.ENOENT}`,
      `dangling.example: error ${ERRNO.ENOENT}`,
    ]);
  }),
);

test(
  "an answer that does not fit a datagram comes over a connection, and 16 addresses of a family are kept",
  inWorld(async (world) => {
    const addresses = Array.from({ length: 100 }, (_, index) => `10.1.0.${index + 1}`);
    world.addName("large.example", { addresses });
    const { lines, events } = await run(world, ["resolve", "large.example"]);
    expect(lines).toEqual([`large.example: ${addresses.slice(0, 16).join(" ")}`]);
    expect(events.filter(({ type }) => type === "connect")).toHaveLength(1);
  }),
);

test(
  "an address has its name, numbers are their own addresses",
  inWorld(async (world) => {
    const { lines } = await run(
      world,
      [
        ...["reverse", "10.0.0.2", "reverse", "fd00::2", "reverse", "10.9.9.9"],
        ...["resolve", "10.9.9.9", "resolve", "::1", "reverse", "10.7.7.7"],
      ],
      { hosts: "10.7.7.7 seven seventh\n" },
    );
    expect(lines).toEqual([
      "10.0.0.2: web",
      "fd00::2: web",
      `10.9.9.9: error ${ERRNO.ENOENT}`,
      "10.9.9.9: 10.9.9.9",
      "::1: 0:0:0:0:0:0:0:1",
      "10.7.7.7: seven",
    ]);
  }),
);

test(
  "the hosts file goes before every server, and localhost is this host without one",
  inWorld(async (world) => {
    const hosts = [
      "# nothing",
      "10.9.9.1\tweb   Alias # the same",
      "not-an-address web",
      "fd00::99 alias",
      `10.9.9.2 ${"x".repeat(3000)} beyond`,
      "10.9.9.3 last",
    ].join("\r\n");
    const { lines, events } = await run(
      world,
      ["web", "alias", "ALIAS.", "web/6", "last", "beyond", "localhost", "a.localhost/4"].flatMap(
        (name) => ["resolve", name],
      ),
      { hosts },
    );
    expect(lines).toEqual([
      "web: 10.9.9.1",
      "alias: fd00:0:0:0:0:0:0:99 10.9.9.1",
      "ALIAS.: fd00:0:0:0:0:0:0:99 10.9.9.1",
      `web: error ${ERRNO.ENOENT}`,
      "last: 10.9.9.3",
      `beyond: error ${ERRNO.ENOENT}`,
      "localhost: 0:0:0:0:0:0:0:1 127.0.0.1",
      "a.localhost: 127.0.0.1",
    ]);
    expect(queries(events)).toHaveLength(2); // "beyond", of both families
  }),
);

test(
  "a name with few dots is searched for first, another one last, and one with a dot at its end never",
  inWorld(async (world) => {
    world.addName("web.inner.example", { addresses: ["10.1.0.1"] });
    world.addName("db.outer.example", { addresses: ["10.1.0.2"] });
    world.addName("a.b.inner.example", { addresses: ["10.1.0.3"] });
    world.addName("a.b", { addresses: ["10.1.0.4"] });
    const { lines } = await run(
      world,
      ["web", "web.", "db", "a.b", "db.", "nobody"].flatMap((name) => ["resolve", `${name}/4`]),
      {
        configuration: "search none.example.\nsearch inner.example outer.example\n",
        servers: ["10.0.0.53"],
      },
    );
    expect(lines).toEqual([
      "web: 10.1.0.1",
      "web.: 10.0.0.2",
      "db: 10.1.0.2",
      "a.b: 10.1.0.4",
      `db.: error ${ERRNO.ENOENT}`,
      `nobody: error ${ERRNO.ENOENT}`,
    ]);
    const dotted = await run(world, ["resolve", "a.b/4"], {
      configuration: "domain inner.example\noptions ndots:2\n",
      servers: ["10.0.0.53"],
    });
    expect(dotted.lines).toEqual(["a.b: 10.1.0.3"]);
  }),
);

test(
  "what was answered is remembered for as long as it says, but for 5 to 60 seconds",
  inWorld(async (world) => {
    world.addName("brief.example", { addresses: ["10.1.0.1"], ttlSeconds: 0 });
    world.addName("usual.example", { addresses: ["10.1.0.2"], ttlSeconds: 30 });
    world.addName("long.example", { addresses: ["10.1.0.3"], ttlSeconds: 86_400 });
    const asked = async (name: string, ...ms: number[]): Promise<number> => {
      const waits = ms.flatMap((each) => ["sleep", String(each), "resolve", `${name}/4`]);
      const { events } = await run(world, ["resolve", `${name}/4`, ...waits]);
      return queries(events).length;
    };
    expect(await asked("brief.example", 0, 4_900)).toBe(1);
    expect(await asked("brief.example", 0, 5_100)).toBe(2);
    expect(await asked("usual.example", 10_000, 19_900)).toBe(1);
    expect(await asked("usual.example", 30_100)).toBe(2);
    expect(await asked("long.example", 59_900)).toBe(1);
    expect(await asked("long.example", 60_100)).toBe(2);
    expect(await asked("nobody", 4_900)).toBe(1);
    expect(await asked("nobody", 5_100)).toBe(2);
  }),
);

test(
  "tasks that want the same name at once ask once; one that is canceled leaves the others their answer",
  inWorld(async (world) => {
    const { lines, events } = await run(world, ["together", "web/1000"]);
    expect(lines).toEqual(["1000 tasks: 2000 addresses, 0 canceled, 0 errors"]);
    expect(queries(events)).toHaveLength(2);
    const canceled = await run(world, ["canceled", "web/1000"]);
    expect(canceled.lines).toEqual(["1000 tasks: 1998 addresses, 1 canceled, 0 errors"]);
    const failing = await run(world, ["together", "nobody/1000"]);
    expect(failing.lines).toEqual(["1000 tasks: 0 addresses, 0 canceled, 1000 errors"]);
    expect(queries(failing.events)).toHaveLength(2);
    const before = world.nowNs;
    const silent = await run(world, ["together", "web/64"], {
      configuration: "options timeout:2 attempts:1\n",
      servers: ["10.0.0.99"],
    });
    expect(silent.lines).toEqual(["64 tasks: 0 addresses, 0 canceled, 64 errors"]);
    expect(Math.round((world.nowNs - before) / 1e9)).toBe(2);
  }),
);

test(
  "a task that traps while it asks, wherever that is, keeps neither its name nor its place nor a socket",
  inWorld(async (world) => {
    const addresses = Array.from({ length: 100 }, (_, index) => `10.1.0.${index + 1}`);
    for (let index = 0; index < 128; index++) {
      // By a datagram, and over a connection.
      world.addName(`n${index}`, { addresses: addresses.slice(0, index % 2 ? 1 : 100) });
    }
    const { lines } = await run(world, ["cramped", "n", "different", "n/64"]);
    const [rounds, trapped, found, errors] = lines[0]!.match(/\d+/g)!.map(Number);
    expect({ rounds, errors }).toEqual({ rounds: 128, errors: 0 });
    expect(trapped).toBeGreaterThan(10);
    expect(trapped).toBeLessThan(128);
    expect(found).toBeGreaterThanOrEqual(2 * 64 * (1 + 16));
    expect(lines[1]).toMatch(/^64 names: \d+ addresses, 0 errors$/);
  }),
);

test(
  "more names than it remembers are all found",
  inWorld(async (world) => {
    for (let index = 0; index < 600; index++) {
      world.addName(`n${index}`, { addresses: ["10.1.0.1"] });
    }
    const { lines } = await run(world, ["different", "n/600", "different", "n/600"]);
    expect(lines).toEqual([
      "600 names: 600 addresses, 0 errors",
      "600 names: 600 addresses, 0 errors",
    ]);
  }),
);

test(
  "a lost datagram is asked for again, at the next server, and nothing is found when none answers",
  inWorld(async (world) => {
    const servers = ["10.0.0.99", "10.0.0.98", "10.0.0.53"];
    const third = await run(world, ["resolve", "web/4"], { servers });
    expect(third.lines).toEqual(["web: 10.0.0.2"]);
    world.configure({ network: { datagramLoss: 0.3 } });
    const lossy = await run(world, ["resolve", "web"], {
      configuration: "options attempts:5 timeout:1\n",
      servers: ["10.0.0.53", "fd00::35", "10.0.0.53"],
    });
    expect(lossy.lines).toEqual([`web: ${WEB6} 10.0.0.2`]);
    const before = world.nowNs;
    const none = await run(world, ["resolve", "web/4"], {
      configuration: "options timeout:3 attempts:2 rotate\n",
      servers: ["10.0.0.99", "10.0.0.98"],
    });
    expect(none.lines).toEqual([`web: error ${ERRNO.ETIMEDOUT}`]);
    expect(Math.round((world.nowNs - before) / 1e9)).toBe(12);
  }),
);

test(
  "a timeout ends a resolution, and the next one asks anew",
  inWorld(async (world) => {
    const before = world.nowNs;
    world.host("dns").crash();
    world.after(1500, () => world.host("dns").restart());
    const { lines } = await run(world, [
      "within",
      "web/1000",
      "resolve",
      "web/4",
      "resolve",
      "web",
    ]);
    expect(lines).toEqual([
      `web: error ${ERRNO.ETIMEDOUT}`,
      "web: 10.0.0.2",
      `web: ${WEB6} 10.0.0.2`,
    ]);
    expect((world.nowNs - before) / 1e9).toBeLessThan(12);
  }),
);

test(
  "without the grant nobody is asked: ENOTCAPABLE",
  inWorld(async (world) => {
    const commands = ["resolve", "web", "reverse", "10.0.0.2", "connect", "web/80"];
    const { lines } = await runNames(world, commands, { connect: ["*"], listen: ["*"] });
    const errors = lines.map((line) => Number(/error (\d+)/.exec(line)?.[1]));
    expect(errors).toEqual([ERRNO.ENOTCAPABLE, ERRNO.ENOTCAPABLE, ERRNO.ENOTCAPABLE]);
  }),
);

test("on a network of chaos a name has its addresses or none, and the same seed finds the same", async () => {
  const history = (seed: number) =>
    withWorld({ seed, preset: "chaos", trace: "hash" }, async (world) => {
      world.host("client");
      world.host("web", { ipv4: "10.0.0.2", ipv6: "fd00::2" });
      const addresses = Array.from({ length: 60 }, (_, index) => `10.1.0.${index + 1}`);
      world.addName("large.example", { addresses });
      const { lines } = await run(world, ["resolve", "web", "resolve", "large.example/4"]);
      const kept = addresses.slice(0, 16).join(" ");
      expect([
        `web: ${WEB6} 10.0.0.2`,
        `web: ${WEB6}`,
        "web: 10.0.0.2",
        `web: error ${ERRNO.ETIMEDOUT}`,
      ]).toContain(lines[0]);
      expect(lines[1]).toMatch(new RegExp(`^large.example: (${kept}|error (${LOST.join("|")}))$`));
      return `${lines.join()} ${world.traceHash}`;
    });
  for (let seed = 1; seed <= 30; seed++) {
    const first = await history(seed);
    if (seed % 10 === 0) expect(await history(seed)).toBe(first);
  }
});
