//! Laws of a backend in the host's event loop: when it rings, what it counts, and that it lets the
//! process end.

import { execFile, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { expect } from "vitest";
import { OP } from "../../ts/abi.gen.ts";
import { childCommand } from "../support/child.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName } from "./guest.ts";

export function loopLaws(law: Law): void {
  doorbellLaws(law);
  processLaws(law);

  law("a turn delivers at once what finishes at once", async ({ guest, backend }) => {
    guest.automatic = false;
    for (let index = 0; index < 10; index++) guest.add({ op: OP.CLOSE, handle: index });
    expect(backend.turn(0)).toBe(10);
    expect(guest.drain()).toBe(10);
    expect(guest.log.map(({ result }) => errnoName(result))).toEqual(Array(10).fill("EBADF"));
  });

  law("a turn with nothing to do does nothing", async ({ guest, backend }) => {
    guest.automatic = false;
    for (let index = 0; index < 10; index++) expect(backend.turn(0)).toBe(0);
    expect(backend.pending).toBe(0);
  });

  law("stats count turns, submissions and completions", async ({ guest, backend }) => {
    guest.automatic = false;
    const before = { ...backend.stats };
    for (let index = 0; index < 3; index++) guest.add({ op: OP.CLOSE, handle: 0 });
    guest.cancel(99);
    backend.turn(0);
    expect(backend.stats.turns - before.turns).toBe(1);
    expect(backend.stats.submissions - before.submissions).toBe(4);
    expect(backend.stats.completions - before.completions).toBe(3);
  });

  law("pending counts what was taken and not delivered", async ({ guest, backend }) => {
    const { client, server } = await guest.pair();
    const reads = [1, 2, 3].map(() => guest.read(server, 1));
    guest.turn();
    expect(backend.pending).toBe(3);
    await guest.writeAll(client, "abc");
    await Promise.all(reads);
    expect(backend.pending).toBe(0);
  });

  law("a turn waits for a completion if the backend can, else not at all", async (bench) => {
    const { guest, backend } = bench;
    const { client, server } = await guest.pair();
    guest.automatic = false;
    guest.add({ op: OP.READ, handle: server, ...guest.put("?") });
    backend.turn(0);
    if (backend.canWait) {
      guest.add({ op: OP.WRITE, handle: client, ...guest.put("x") });
      let delivered = 0;
      while (delivered < 2) delivered += backend.turn(Number.POSITIVE_INFINITY);
      expect(delivered).toBe(2);
      guest.drain();
    } else {
      expect(backend.turn(Number.POSITIVE_INFINITY)).toBe(0);
    }
  });
}

function doorbellLaws(law: Law): void {
  law("onReady rings when there is something to deliver", async ({ guest, backend }) => {
    const { client, server } = await guest.pair();
    guest.add({ op: OP.READ, handle: server, ...guest.put("?") });
    guest.turn();
    guest.automatic = false;
    guest.add({ op: OP.WRITE, handle: client, ...guest.put("x") });
    for (let delivered = 0; delivered < 2; ) {
      const rung = new Promise<void>((resolve) => {
        backend.onReady = resolve;
      });
      delivered += backend.turn(0);
      // Without a ring this would wait for ever; a ring with nothing to deliver would be no harm.
      if (delivered < 2) await rung;
    }
    expect(guest.drain()).toBe(2);
  });

  law("onReady rings once until the next turn", async ({ guest, backend }) => {
    const pairs = await Promise.all(Array.from({ length: 10 }, () => guest.pair()));
    for (const { server } of pairs) {
      guest.add({ op: OP.READ, handle: server, ...guest.put("?") });
    }
    for (const { client } of pairs) {
      guest.add({ op: OP.WRITE, handle: client, ...guest.put("x") });
    }
    guest.automatic = false;
    let rings = 0;
    let delivered = 0;
    while (delivered < 20) {
      rings = 0;
      const rung = new Promise<void>((resolve) => {
        backend.onReady = () => {
          rings++;
          resolve();
        };
      });
      delivered += backend.turn(0);
      if (delivered === 20) break;
      await rung;
      await hostRoundTrip();
      expect(rings).toBe(1);
    }
  });
}

function processLaws(law: Law): void {
  law("an idle backend lets the process end", async ({ child }) => {
    const { stdout } = await promisify(execFile)(...program(child, "idle"));
    expect(stdout).toBe("idle\n");
  });

  law("CLOSE completes before the process may end, also after a cancel", async ({ child }) => {
    const { stdout } = await promisify(execFile)(...program(child, "closing"));
    expect(stdout).toBe("closed\n");
  });

  law("an operation in flight keeps the process alive", async ({ child }) => {
    await endsAfter(child, "accepting", "accepted", (port) => {
      const socket = connect(port, "127.0.0.1");
      return () => socket.destroy();
    });
  });

  law("a RECEIVE_FROM in flight keeps the process alive", async ({ child }) => {
    await endsAfter(child, "receiving", "received", (port) => {
      const socket = createSocket("udp4");
      socket.send("hello", port, "127.0.0.1");
      return () => socket.close();
    });
  });
}

/** The program waits until `serve` gives it what it waits for, says so, is idle again and ends. */
async function endsAfter(
  child: string,
  situation: string,
  expected: string,
  serve: (port: number) => () => void,
): Promise<void> {
  const [command, parameters] = program(child, situation);
  const running = spawn(command, parameters, { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(running, "exit");
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  const stop = serve(Number(first.value));
  expect((await lines.next()).value).toBe(expected);
  stop();
  expect(await exit).toEqual([0, null]);
}

/** The command that runs child.ts. */
function program(...parameters: string[]): [command: string, args: string[]] {
  return childCommand("conformance/child.ts", parameters);
}

/** After this, the event loop has brought what was on its way when it was called. */
async function hostRoundTrip(): Promise<void> {
  for (let index = 0; index < 3; index++) await new Promise((resolve) => setImmediate(resolve));
}
