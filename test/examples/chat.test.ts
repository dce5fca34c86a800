import { once } from "node:events";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, test } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { BACKENDS, type ExampleServer, withServer } from "./in-process.ts";

beforeAll(() => buildExamples(["chat-server"]), 240_000);

class Client {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** One that is in the room. */
  static async join(server: ExampleServer, name: string): Promise<Client> {
    const client = new Client(await server.connect());
    expect(await client.hear()).toBe("* your name?");
    client.say(name);
    expect(await client.hear()).toBe("* welcome");
    return client;
  }

  say(...lines: string[]): void {
    this.#socket.write(lines.map((line) => `${line}\n`).join(""));
  }

  /** The next line; undefined when the server has ended. */
  async hear(): Promise<string | undefined> {
    const next = await this.#lines.next();
    return next.done ? undefined : next.value;
  }

  async leave(): Promise<void> {
    this.#socket.end();
    while ((await this.hear()) !== undefined);
    this.#socket.destroy();
  }
}

describe.each(BACKENDS)("the chat-server example on %s", (backend) => {
  test("tells all others what one says, and who comes and goes", async () => {
    const totals = await withServer("chat-server", { backend }, async (server) => {
      const ann = await Client.join(server, "ann");
      const bob = await Client.join(server, "bob");
      expect(await ann.hear()).toBe("* bob is here");
      const cyn = await Client.join(server, "cyn");
      for (const client of [ann, bob]) expect(await client.hear()).toBe("* cyn is here");
      ann.say("hello", "", "all");
      for (const client of [bob, cyn]) {
        expect(await client.hear()).toBe("ann: hello");
        expect(await client.hear()).toBe("ann: all");
      }
      // She does not hear herself.
      bob.say("\u001b[2Jhi \u00e9");
      expect(await ann.hear()).toBe("bob: ?[2Jhi \u00e9");
      ann.say("/who");
      expect([await ann.hear(), await ann.hear(), await ann.hear()]).toEqual([
        "* cyn",
        "* bob",
        "* ann",
      ]);
      bob.say("/quit");
      expect(await ann.hear()).toBe("* bob has left");
      await cyn.leave();
      expect(await ann.hear()).toBe("* cyn has left");
      await bob.leave();
      await ann.leave();
    });
    expect(totals).toEqual({ members: 3, lines: 3, missed: 0 });
  });

  test("gives a name once, and only if it is one", async () => {
    await withServer("chat-server", { backend }, async (server) => {
      const ann = await Client.join(server, "ann");
      const other = new Client(await server.connect());
      other.say("ann", "", "a b", "x".repeat(21), "y".repeat(2000), "z".repeat(20));
      expect(await other.hear()).toBe("* your name?");
      expect(await other.hear()).toBe("* somebody has that name; another one?");
      const again = "* a name is 1 to 20 letters and digits; which one?";
      for (let turn = 0; turn < 4; turn++) expect(await other.hear()).toBe(again);
      expect(await other.hear()).toBe("* welcome");
      expect(await ann.hear()).toBe(`* ${"z".repeat(20)} is here`);
      await ann.leave();
      expect(await other.hear()).toBe("* ann has left");
      other.say("x".repeat(401), "short");
      expect(await other.hear()).toBe("* that line was too long");
      await other.leave();
      await (await Client.join(server, "ann")).leave();
    });
  });

  test("has nobody wait for one who does not read; that one is told what was lost", async () => {
    const batch = 30;
    const batches = 350;
    await withServer("chat-server", { backend }, async (server) => {
      const silent = await server.connect();
      silent.write("silent\n");
      // It is in the room, and reads no more.
      await once(silent, "data");
      silent.pause();
      const ear = await Client.join(server, "ear");
      const mouth = await Client.join(server, "mouth");
      expect(await ear.hear()).toBe("* mouth is here");
      const filler = "-".repeat(380);
      for (let from = 0; from < batches; from++) {
        const lines = Array.from({ length: batch }, (_, i) => `${from * batch + i} ${filler}`);
        mouth.say(...lines);
        for (const line of lines) expect(await ear.hear()).toBe(`mouth: ${line}`);
      }
      mouth.say("/quit");
      expect(await ear.hear()).toBe("* mouth has left");
      let next = 0;
      const late = new Client(silent);
      for (;;) {
        const line = await late.hear();
        const missed = /^\* you missed (\d+) lines$/.exec(line!)?.[1];
        const said = /^mouth: (\d+) /.exec(line!)?.[1];
        if (missed !== undefined) next += Number(missed);
        else if (said !== undefined) expect(Number(said)).toBe(next++);
        if (line === "* mouth has left") break;
      }
      expect(next).toBe(batch * batches);
      for (const client of [late, ear, mouth]) await client.leave();
    });
  });

  test("lets go of one who takes nothing for too long, or never says a name", async () => {
    await withServer("chat-server", { backend, args: ["--patience-ms", "40"] }, async (server) => {
      const nameless = new Client(await server.connect());
      while ((await nameless.hear()) !== undefined);
      await nameless.leave();
    });
  });
});
