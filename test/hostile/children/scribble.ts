//! One scenario of scenarios.ts. Parameters: the module, the scenario's name. Says "survived" at its end.

import { StackfulError } from "../../../ts/errors.ts";
import { formatDump } from "../../../ts/runtime/dump-format.ts";
import { Runtime } from "../../../ts/runtime/runtime.ts";
import { GUEST_MEMORY_BYTES, SCENARIOS } from "../scenarios.ts";

const [path, name] = process.argv.slice(2);
const { pokes, afterwards, bindFirst } = SCENARIOS[name!]!;

const runtime = await Runtime.create(path!, {
  backend: "node",
  imports: { env: { wait: () => new Promise((resolve) => setImmediate(resolve, 0)) } },
  limits: { guestMemoryBytes: GUEST_MEMORY_BYTES, shutdownMs: 300 },
  onTaskFailed: () => {},
});

/** Errors of the embedder's calls must be this package's. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof StackfulError) return undefined;
    throw error;
  }
}

const channel = runtime.channel();
const bystanders = [runtime.spawn("park"), runtime.spawn("park")];
const received = channel.receive();
const address = (await runtime.spawn("pokes_address")) as number;
if (bindFirst) await runtime.spawn("poke", [0, 5]);
const words = new Uint32Array(runtime.memory.buffer, address, 4 * pokes.length);
pokes.forEach((poke, index) => {
  words.set([poke.address, poke.value, poke.width ?? 4, poke.times ?? 1], 4 * index);
});

const scribbler = runtime.spawn("poke", [pokes.length, afterwards], { name: "scribbler" });
let settled = 0;
const watched = [scribbler, ...bystanders, received];
for (const promise of watched) {
  void Promise.resolve(promise).then(
    () => settled++,
    () => settled++,
  );
}

for (let round = 0; round < 50; round++) await new Promise((resolve) => setImmediate(resolve));
attempt(() => runtime.stats);
attempt(() => runtime.tasks());
attempt(() => formatDump(runtime.dump()));
attempt(() => runtime.stackMarks());
attempt(() => runtime.raise("SIGUSR2"));
attempt(() => runtime.current);
attempt(() => scribbler.status);
for (const task of bystanders) attempt(() => task.cancel());
attempt(() => runtime.cancel());
attempt(() => channel.count);
const late = attempt(() => runtime.spawn("park"));
late?.then(
  () => {},
  () => {},
);
for (let round = 0; round < 50; round++) await new Promise((resolve) => setImmediate(resolve));

try {
  await runtime[Symbol.asyncDispose]();
} catch (error) {
  if (!(error instanceof StackfulError)) throw error;
}
await new Promise((resolve) => setImmediate(resolve));
if (settled !== watched.length) {
  throw new Error(`${watched.length - settled} promises of ${watched.length} never settled`);
}
process.stdout.write("survived\n");
