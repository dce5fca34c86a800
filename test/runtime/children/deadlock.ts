//! Tasks with nothing, or something, left to wake them. Parameters: the module, the case.

import { DeadlockError } from "../../../ts/runtime/deadlock.ts";
import { Runtime } from "../../../ts/runtime/runtime.ts";

const [path, what] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const open = (): Promise<Runtime> =>
  Runtime.create(path!, {
    backend: "node",
    grants: { listen: ["127.0.0.1:0"] },
    raisesSignals: what === "signal",
    imports: { env: { wait: () => new Promise(() => {}), look: Number } },
  });

async function outcome(runtime: Runtime, entry: string): Promise<void> {
  try {
    say(`${entry} returned ${String(await runtime.spawn(entry))}`);
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    const tasks = error.tasks.map(({ name, stack }) => `${name} in ${stack.at(-1)}`);
    say(`${error.code}: ${tasks.join(", ")}`);
  }
}

async function main(): Promise<void> {
  const runtime = await open();
  switch (what) {
    case "spawned":
      await outcome(runtime, "wait_join");
      break;
    case "promise":
      await outcome(runtime, "wait_host");
      break;
    case "two": {
      const other = await open();
      await Promise.all([outcome(runtime, "wait_unpark"), outcome(other, "wait_join")]);
      break;
    }
    case "timer":
      setTimeout(() => runtime.cancel(), 20);
      await outcome(runtime, "wait_unpark");
      break;
    case "operation":
      setTimeout(() => runtime.cancel(), 20).unref();
      await outcome(runtime, "wait_operation");
      break;
    case "channel": {
      const channel = runtime.channel({ capacity: 1 });
      const received = channel.receive();
      await outcome(runtime, "wait_unpark");
      say(`received ${String(await received)}`);
      break;
    }
    case "signal":
      process.on("SIGUSR2", () => say(`raised: ${runtime.raise("SIGUSR2")}`));
      process.on("beforeExit", () => say("idle"));
      runtime.spawn("hold");
      await outcome(runtime, "wait_signal");
      await outcome(runtime, "wait_unpark");
      break;
  }
}

// No await at the top level: then Deno and Bun say no beforeExit.
void main();
