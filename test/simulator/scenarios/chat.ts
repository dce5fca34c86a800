//! A chat room: who stays hears everything in order, or is told how much it missed.

import { MESSAGE_ERRORS } from "../documented-errors.ts";
import type { Program } from "../program.ts";
import { errorName, type Report } from "../reports.ts";
import type { Scenario } from "../scenario.ts";
import { check } from "../violation.ts";
import { ipv4, isCalm, PORT, startClients } from "./network.ts";

/** As in guests/chat.c. */
const KIND = { posted: 1, joined: 2, seen: 3, lagged: 4, finished: 5, broken: 6 } as const;
const FINISH = { left: 1, closed: 2, cutOff: 3 } as const;

const SESSIONS_APART = 1_000;

export const chat: Scenario = {
  name: "chat",
  guest: "chat",
  async run(simulation) {
    const { random } = simulation;
    let closed = false;
    const server = simulation.service({
      host: simulation.host("server"),
      entry: "serve",
      args: (incarnation) => [PORT, incarnation],
      grants: { listen: ["*"] },
      onStart: (program) => {
        if (closed) simulation.watch(program.call("close_room"));
      },
    });
    await server.start();
    const clients = await startClients(simulation, 1 + random.integer(3));
    const plan = simulation.plan({
      withinMs: 8_000,
      services: [server],
      programs: () => [server.program, ...clients].filter((program) => program !== undefined),
      links: clients.map((client) => [client.host, server.host]),
    });
    simulation.after(4_000 + random.integer(8_000), () => {
      closed = true;
      const { program } = server;
      if (program !== undefined) simulation.watch(program.call("close_room"));
    });

    await Promise.all(
      clients.map((client, index) =>
        client.call(
          "run_clients",
          ipv4(server.host),
          PORT,
          10 * index,
          1 + random.integer(4),
          random.integer(2 ** 31),
        ),
      ),
    );
    plan.stop();
    await server.stop();
    for (const client of clients) await client.end();

    const rooms = server.programs.map(postedIn);
    const calm = isCalm(simulation, plan);
    for (const client of clients) checkSessions(client.reports(), rooms, calm);
  },
};

interface Message {
  readonly sender: number;
  readonly number: number;
}

/** What was said, in the order that the server gave it. */
function postedIn(program: Program): Message[] {
  const messages: Message[] = [];
  const last = new Map<number, number>();
  for (const { kind, fields } of program.reports()) {
    if (kind !== KIND.posted) continue;
    const [index, sender, number] = fields as [number, number, number];
    const expected = (last.get(sender) ?? 0) + 1;
    check(
      index === messages.length && number === expected,
      "the server gets every message of a sender in order",
      () => `message ${index} of session ${sender} is ${number}, not ${expected}`,
    );
    last.set(sender, number);
    messages.push({ sender, number });
  }
  return messages;
}

/** What one client heard in one session. */
class Session {
  readonly name: string;
  readonly #room: readonly Message[];
  #next: number;

  constructor(client: number, session: number, first: number, rooms: readonly Message[][]) {
    this.name = `client ${client}, session ${session}`;
    this.#room = rooms[Math.floor(session / SESSIONS_APART)]!;
    this.#next = first;
  }

  see(index: number, sender: number, number: number): void {
    const what = (): string => `${this.name}: message ${index} instead of ${this.#next}`;
    check(index === this.#next, "who stays hears every message, or of how many it missed", what);
    const posted = this.#room[index];
    check(
      posted?.sender === sender && posted.number === number,
      "everybody hears the same",
      () => `${this.name}: message ${index} is ${number} of session ${sender}`,
    );
    this.#next++;
  }

  lag(missed: number): void {
    check(missed > 0, "who lags is told how many it missed", () => `${this.name}: ${missed}`);
    this.#next += missed;
  }

  close(end: number): void {
    const what = (): string => `${this.name}: ${this.#next} of ${end} messages`;
    check(this.#next === end, "who stays to the end hears everything", what);
  }
}

function checkSessions(
  reports: readonly Report[],
  rooms: readonly Message[][],
  calm: boolean,
): void {
  const sessions = new Map<number, Session>();
  for (const { kind, fields } of reports) {
    const [client, id, third, fourth, fifth] = fields as [number, number, number, number, number];
    const session = sessions.get(client);
    switch (kind) {
      case KIND.joined:
        sessions.set(client, new Session(client, id, third, rooms));
        break;
      case KIND.seen:
        session!.see(third, fourth, fifth);
        break;
      case KIND.lagged:
        session!.lag(third);
        break;
      case KIND.broken:
        check(false, "a text is its sender's", () => `client ${client}, session ${id}: ${third}`);
        break;
      case KIND.finished: {
        const what = (): string =>
          `client ${client}, session ${id}: ${errorName(third)}, ${fourth}`;
        if (fourth === FINISH.closed) session!.close(fifth);
        check(third >= 0 || MESSAGE_ERRORS.has(third), "failures have documented errors", what);
        check(!calm || (third === 0 && fourth !== FINISH.cutOff), "nothing fails by itself", what);
      }
    }
  }
}
