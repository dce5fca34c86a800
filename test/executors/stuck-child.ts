//! A pool whose tasks have nothing, or something, left to wake them. Parameters: the module, the case.

import { ExecutorPool } from "../../ts/executors/pool.ts";
import { DeadlockError } from "../../ts/runtime/deadlock.ts";

const [path, what] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
/** Longer than executors rest before it is noticed. */
const LATER_MS = 100;

function told(error: unknown): string {
  if (!(error instanceof DeadlockError)) return String(error);
  const tasks = error.tasks
    .map((task) => `${task.name} on ${task.executor} in ${task.stack.at(-1)}`)
    .sort();
  return `${error.code}: ${tasks.join(", ")}`;
}

async function outcome(name: string, promise: PromiseLike<unknown>): Promise<void> {
  try {
    say(`${name} gave ${String(await promise)}`);
  } catch (error) {
    say(`${name}: ${told(error)}`);
  }
}

async function main(): Promise<void> {
  const pool = await ExecutorPool.create(path!, {
    executors: 2,
    imports: new URL("./stuck-imports.mjs", import.meta.url),
    raisesSignals: what === "signal",
    grants: { listen: ["127.0.0.1:0"] },
  });
  const one = (entry: string, args: number[] | bigint[] = []): Promise<void> =>
    outcome(entry, pool.spawn(entry, args, { on: 1 }));
  switch (what) {
    case "parked": {
      const waits = pool.channel();
      const received = waits.receive();
      await Promise.all([
        outcome("park", pool.spawn("park", [], { on: 0 })),
        outcome("receive", pool.spawn("receive", [waits.id], { on: 1 })),
      ]);
      say(`received ${String(await received)}`);
      await outcome("spawn", (async () => pool.spawn("park"))());
      return;
    }
    case "run":
      await outcome("run", pool.run());
      return;
    case "each other": {
      const [a, b] = [pool.channel(), pool.channel()];
      const pass = (): Promise<unknown> =>
        Promise.all([
          pool.spawn("pass", [a.id, b.id, 300], { on: 0 }),
          pool.spawn("pass", [b.id, a.id, 300], { on: 1 }),
        ]);
      setTimeout(() => a.trySend(0), LATER_MS);
      await outcome("once", pass());
      a.tryReceive();
      b.tryReceive();
      await outcome("again", pass());
      return;
    }
    case "woken": {
      await one("nap", [BigInt(LATER_MS * 1e6)]);
      await one("wait_host");
      setTimeout(() => pool.cancel(), LATER_MS);
      await one("park");
      const parked = pool.spawn("park", [], { on: 0 });
      setTimeout(() => pool.cancel(), LATER_MS).unref();
      await one("accept_one");
      await parked;
      break;
    }
    case "nothing":
      setTimeout(() => {
        say("still there");
        void pool[Symbol.asyncDispose]();
      }, LATER_MS).unref();
      return;
    case "signal":
      process.on("SIGUSR2", async () => say(`raised: ${await pool.raise("SIGUSR2")}`));
      process.once("beforeExit", () => say("idle"));
      await one("wait_signal", [6]);
      await one("park");
      return;
  }
  await pool[Symbol.asyncDispose]();
}

// No await at the top level: then Deno and Bun say no beforeExit.
void main();
