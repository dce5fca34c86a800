//! Clients of a key-value store whose server crashes and comes back.

import { MESSAGE_ERRORS } from "../documented-errors.ts";
import { NOTHING, type Operation, whyNotLinearizable } from "../linearizable.ts";
import { errorName, type Report } from "../reports.ts";
import type { Scenario } from "../scenario.ts";
import { check } from "../violation.ts";
import { ipv4, isCalm, PORT, startClients } from "./network.ts";

/** As in guests/kv.c. */
const KIND = { invoked: 1, returned: 2, broken: 3, recovered: 4, fatal: 5 } as const;
const PUT = 1;
const DONE = 1;

/** What a server takes at least to read its log before it listens, in virtual milliseconds. */
const RECOVERY_MS = 500;

/** Who reads everything in the end, and tries until it can. */
const LAST_CLIENT = 100;

/** The last two are the server's, when it could not write. */
const ERRORS = MESSAGE_ERRORS.with("EIO", "ENOSPC");

export const kv: Scenario = {
  name: "kv",
  guest: "kv",
  async run(simulation) {
    const { random } = simulation;
    const host = simulation.host("server");
    host.disk.makeDirectory("/data");
    const server = simulation.service({
      host,
      entry: "serve",
      args: () => [PORT],
      grants: { listen: ["*"], directories: [{ host: "/data", guest: "/data" }] },
      // It does not go on after a failed sync, nor without its log.
      onEnd: (result) => (result < 0 ? "restart" : undefined),
    });
    await server.start();
    await simulation.world.sleep(RECOVERY_MS);
    const clients = await startClients(simulation, 1 + random.integer(2));
    const plan = simulation.plan({
      withinMs: 8_000,
      services: [server],
      programs: () => [server.program, ...clients].filter((program) => program !== undefined),
      links: clients.map((client) => [client.host, host]),
    });

    const keys = 1 + random.integer(4);
    await Promise.all(
      clients.map((client, index) =>
        client.call(
          "run_clients",
          ipv4(host),
          PORT,
          1 + 10 * index,
          1 + random.integer(4),
          5 + random.integer(25),
          keys,
          random.integer(2 ** 31),
        ),
      ),
    );
    await plan.settle();
    // What is there now must still be there after one more crash.
    if (random.chance(0.5)) server.strike("crash", 50);
    await plan.settle();
    const read = await clients[0]!.call("read_all", ipv4(host), PORT, LAST_CLIENT, keys);
    check(read === 0, "a store that is left alone can be read", () => errorName(read!));
    await server.stop();
    for (const client of clients) await client.end();

    const calm = isCalm(simulation, plan);
    checkHistory(clients.flatMap((client) => historyOf(client.reports(), calm)));
  },
};

interface KeyedOperation extends Operation {
  readonly key: number;
}

function historyOf(reports: readonly Report[], calm: boolean): KeyedOperation[] {
  const history = new Map<string, KeyedOperation>();
  for (const { kind, fields, atNs } of reports) {
    const [client, operation] = fields as [number, number];
    const id = `client ${client}, operation ${operation}`;
    switch (kind) {
      case KIND.invoked: {
        const [, , op, key, value] = fields as [number, number, number, number, number];
        const endNs = Number.POSITIVE_INFINITY;
        history.set(id, { kind: op === PUT ? "write" : "read", key, value, startNs: atNs, endNs });
        break;
      }
      case KIND.returned: {
        const [, , outcome, value] = fields as [number, number, number, number];
        if (outcome === DONE) {
          const invoked = history.get(id)!;
          history.set(id, { ...invoked, endNs: atNs, value });
          break;
        }
        check(
          ERRORS.has(value),
          "failures have documented errors",
          () => `${id}: ${errorName(value)}`,
        );
        const excused = !calm || client === LAST_CLIENT;
        check(excused, "nothing fails by itself", () => `${id}: ${errorName(value)}`);
        break;
      }
      case KIND.broken:
        check(false, "a value comes back as it was put", () => `${id}: value ${fields[2]}`);
    }
  }
  return [...history.values()];
}

function checkHistory(history: readonly KeyedOperation[]): void {
  const byKey = new Map<number, KeyedOperation[]>();
  for (const operation of history) {
    const same = byKey.get(operation.key);
    if (same === undefined) byKey.set(operation.key, [operation]);
    else same.push(operation);
  }
  for (const [key, operations] of byKey) {
    const why = whyNotLinearizable(operations);
    check(
      why === undefined,
      "a store holds what it acknowledged, and reads see it",
      () => `key ${key}: ${why}\n${textOf(operations)}`,
    );
  }
}

function textOf(history: readonly Operation[]): string {
  const lines = [...history].sort((a, b) => a.startNs - b.startNs);
  return lines
    .map(({ kind, value, startNs, endNs }) => {
      const end = endNs === Number.POSITIVE_INFINITY ? "unknown" : endNs;
      return `  ${startNs} to ${end}: ${kind} ${value === NOTHING ? "nothing" : value}`;
    })
    .join("\n");
}
