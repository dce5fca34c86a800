//! Requests over pools of connections, with attempts, retries and deadlines.

import { MESSAGE_ERRORS } from "../documented-errors.ts";
import { errorName, type Report } from "../reports.ts";
import type { Scenario } from "../scenario.ts";
import type { Service } from "../service.ts";
import { check } from "../violation.ts";
import { ipv4, isCalm, PORT, SLACK_MS, startClients } from "./network.ts";

/** As in guests/pool.c. */
const KIND = { executed: 1, begun: 2, ended: 3, broken: 4, drained: 5 } as const;

const REQUESTS_APART = 100;

export const pool: Scenario = {
  name: "pool",
  guest: "pool",
  async run(simulation) {
    const { random } = simulation;
    const slowMs = random.integer(200);
    const rudePermille = random.chance(0.5) ? random.integer(200) : 0;
    const servers: Service[] = [];
    for (let index = 0; index < 1 + random.integer(2); index++) {
      const server = simulation.service({
        host: simulation.host(`server${index}`),
        entry: "serve",
        args: () => [PORT, random.integer(2 ** 31), slowMs, rudePermille],
        grants: { listen: ["*"] },
      });
      await server.start();
      servers.push(server);
    }
    const clients = await startClients(simulation, 1 + random.integer(2));
    const plan = simulation.plan({
      withinMs: 6_000,
      services: servers,
      programs: () => {
        const running = servers.map((server) => server.program);
        return [...running, ...clients].filter((program) => program !== undefined);
      },
      links: clients.flatMap(({ host }) => servers.map((server) => [host, server.host] as const)),
    });

    const deadlineMs = 500 + random.integer(4_000);
    const counts = clients.map(() => 10 + random.integer(30));
    await Promise.all(
      clients.map((client, index) => {
        const connectionsMax = 1 + random.integer(4);
        for (const { host } of servers) use(client.runtime.exports, ipv4(host), connectionsMax);
        return client.call(
          "run_requests",
          REQUESTS_APART * index,
          counts[index]!,
          1 + random.integer(6),
          random.integer(2 ** 31),
          deadlineMs,
          50 + random.integer(800),
          random.chance(0.5) ? 1 + random.integer(200) : 0,
        );
      }),
    );
    plan.stop();
    for (const server of servers) await server.stop();
    for (const client of clients) await client.end();

    const calm = isCalm(simulation, plan) && deadlineMs > 10 * slowMs && rudePermille === 0;
    for (const server of servers) {
      for (const program of server.programs) checkExecutedOnce(program.reports());
    }
    for (const client of clients) checkRequests(client.reports(), calm);
  },
};

function use(
  exports: Readonly<Record<string, unknown>>,
  address: number,
  connectionsMax: number,
): void {
  (exports.use_server as (...args: number[]) => void)(address, PORT, connectionsMax);
}

function checkExecutedOnce(reports: readonly Report[]): void {
  const executed = new Set<number>();
  for (const { kind, fields } of reports) {
    if (kind !== KIND.executed) continue;
    const number = fields[0]!;
    check(!executed.has(number), "a server does a request once", () => `request ${number}`);
    executed.add(number);
  }
}

function checkRequests(reports: readonly Report[], calm: boolean): void {
  const open = new Set<number>();
  const done = new Set<number>();
  for (const { kind, fields } of reports) {
    const [number, second, , attempts, lateUs] = fields as [number, number, number, number, number];
    switch (kind) {
      case KIND.begun:
        check(!open.has(number) && !done.has(number), "a request is asked once", () => `${number}`);
        open.add(number);
        break;
      case KIND.ended: {
        const what = (): string =>
          `request ${number}: ${errorName(second)} after ${attempts} attempts, ${lateUs} us late`;
        check(open.delete(number), "a request is answered once", what);
        done.add(number);
        check(second === 0 || MESSAGE_ERRORS.has(second), "failures have documented errors", what);
        check(lateUs <= SLACK_MS * 1_000, "a request ends before its deadline", what);
        check(!calm || second === 0, "nothing fails by itself", what);
        break;
      }
      case KIND.broken:
        check(false, "an answer is the answer to its request", () => `request ${fields}`);
        break;
      case KIND.drained:
        checkDrained(fields);
    }
  }
  check(open.size === 0, "a request is answered once", () => `never: ${[...open]}`);
}

function checkDrained(fields: readonly number[]): void {
  const [opened, closed, permits, permitsMax] = fields as [number, number, number, number];
  check(
    opened === closed && permits === permitsMax,
    "a pool has its connections back",
    () => `${opened} opened, ${closed} closed; ${permits} of ${permitsMax} permits`,
  );
}
