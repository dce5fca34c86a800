//! Clients that send to an echo server, and check what comes back, byte by byte.

import { STREAM_ERRORS } from "../documented-errors.ts";
import type { Program } from "../program.ts";
import { errorName, type Report } from "../reports.ts";
import type { Scenario } from "../scenario.ts";
import { check } from "../violation.ts";
import { ipv4, isCalm, PORT, SLACK_MS, startClients } from "./network.ts";

/** As in guests/echo.c. */
const KIND = { served: 1, client: 2, broken: 3, late: 4 } as const;
const FLAG_IMPATIENT = 0x10000;

export const echo: Scenario = {
  name: "echo",
  guest: "echo",
  async run(simulation) {
    const { random } = simulation;
    const relayed = random.integer(2);
    const server = simulation.service({
      host: simulation.host("server"),
      entry: "serve",
      args: () => [PORT, relayed],
      grants: { listen: ["*"] },
    });
    await server.start();
    const clients = await startClients(simulation, 1 + random.integer(3));
    const plan = simulation.plan({
      withinMs: 5_000,
      services: [server],
      programs: () => [server.program, ...clients].filter((program) => program !== undefined),
      links: clients.map((client) => [client.host, server.host]),
    });

    const counts = clients.map(() => 1 + random.integer(4));
    await Promise.all(
      clients.map((client, index) => {
        const seed = random.integer(2 ** 31);
        return client.call(
          "run_clients",
          ipv4(server.host),
          PORT,
          10 * index,
          counts[index]!,
          seed,
        );
      }),
    );
    plan.stop();
    await server.stop();
    for (const client of clients) await client.end();

    const served = servedBy(server.programs);
    clients.forEach((client, index) => {
      checkClients(client.reports(), counts[index]!, {
        served,
        serverWent: server.programs.some(({ gone }) => gone),
        calm: isCalm(simulation, plan),
      });
    });
  },
};

interface Served {
  readonly result: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

function servedBy(programs: readonly Program[]): ReadonlyMap<number, Served> {
  const served = new Map<number, Served>();
  for (const program of programs) {
    for (const { kind, fields } of program.reports()) {
      const [end, result, bytesIn, bytesOut] = fields as [number, number, number, number];
      if (kind === KIND.served) served.set(end, { result, bytesIn, bytesOut });
    }
  }
  return served;
}

interface Circumstances {
  readonly served: ReadonlyMap<number, Served>;
  readonly serverWent: boolean;
  /** Nothing may fail. */
  readonly calm: boolean;
}

function checkClients(reports: readonly Report[], count: number, how: Circumstances): void {
  let clients = 0;
  for (const { kind, fields } of reports) {
    const [who, what] = fields as [number, number];
    switch (kind) {
      case KIND.client:
        clients++;
        checkClient(fields, how);
        break;
      case KIND.broken:
        check(false, "every byte is the one that was sent", () => `client ${who}: ${fields}`);
        break;
      case KIND.late:
        check(what <= SLACK_MS, "a call takes no longer than its timeout", () => {
          return `client ${who}: ${what} ms longer`;
        });
    }
  }
  check(clients === count, "every client ends", () => `${clients} of ${count}`);
}

function checkClient(fields: readonly number[], { served, serverWent, calm }: Circumstances): void {
  const [number, end, result, toSend, received] = fields as [
    number,
    number,
    number,
    number,
    number,
  ];
  const impatient = (number & FLAG_IMPATIENT) !== 0;
  const what = `client ${number & ~FLAG_IMPATIENT}: ${received} of ${toSend} bytes, ${errorName(result)}`;
  const peer = served.get(end);
  if (result < 0) {
    check(STREAM_ERRORS.has(result), "failures have documented errors", () => what);
    check(
      !calm || (impatient && errorName(result) === "ETIMEDOUT"),
      "nothing fails by itself",
      () => what,
    );
  } else {
    const cutShort = serverWent || (peer !== undefined && peer.result < 0);
    check(
      received === toSend || cutShort,
      "a stream ends early only with its server's task",
      () => what,
    );
  }
  if (peer === undefined) return;
  check(
    peer.bytesOut <= peer.bytesIn && peer.bytesIn <= toSend && received <= peer.bytesOut + 65_536,
    "no byte comes from nowhere",
    () => `${what}; the server got ${peer.bytesIn} and sent ${peer.bytesOut}`,
  );
}
