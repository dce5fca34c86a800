//! One scenario of scenarios.ts. Parameters: the module, the scenario's name. Says "survived" at its end.

import { WAITER } from "../../../ts/abi.gen.ts";
import { StackfulError } from "../../../ts/errors.ts";
import { timeout } from "../../../ts/runtime/arm.ts";
import { formatDump } from "../../../ts/runtime/dump-format.ts";
import { Runtime } from "../../../ts/runtime/runtime.ts";
import { GUEST_MEMORY_BYTES, type Places, SCENARIOS } from "../scenarios.ts";

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
const event = runtime.event();
const semaphore = runtime.semaphore(0);
const group = runtime.group({ runningMax: 1 });
const members = [group.spawn("park"), group.spawn("park")];
const controller = new AbortController();
const never = new Promise<never>(() => {});
const selected = runtime.select({
  event: event.onWait(),
  permit: semaphore.onAcquire(2),
  item: channel.onReceive(),
  late: timeout(1e9),
  never,
});
const waits = [
  received,
  selected,
  event.wait(),
  semaphore.acquire(),
  group.wait(),
  runtime.select({ item: channel.onReceive(), all: group.onWait() }, { signal: controller.signal }),
];

/** The queue of an event begins with the arm that came first, and an arm knows its owner. */
function placesOf(): Places {
  const view = new DataView(runtime.memory.buffer);
  const waiter = view.getUint32(event.address, true);
  const wait = view.getUint32(waiter + WAITER.task, true) - 1;
  return {
    channel: channel.address,
    event: event.address,
    semaphore: semaphore.address,
    wait,
  };
}
const address = (await runtime.spawn("pokes_address")) as number;
if (bindFirst) await runtime.spawn("poke", [0, 5]);
const words = new Uint32Array(runtime.memory.buffer, address, 4 * pokes.length);
const places = placesOf();
const resolve = (value: number | ((places: Places) => number)): number =>
  typeof value === "number" ? value : value(places);
pokes.forEach(({ address, value, width = 4, times = 1 }, index) => {
  words.set([resolve(address), resolve(value), width, times], 4 * index);
});

const scribbler = runtime.spawn("poke", [pokes.length, afterwards], { name: "scribbler" });
let settled = 0;
const watched = [scribbler, ...bystanders, ...members, ...waits];
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
attempt(() => runtime.taskStates());
attempt(() => runtime.stackMarks());
attempt(() => runtime.raise("SIGUSR2"));
attempt(() => runtime.current);
attempt(() => scribbler.status);
for (const task of bystanders) attempt(() => task.cancel());
attempt(() => runtime.cancel());
attempt(() => channel.count);
attempt(() => channel.trySend(1));
attempt(() => channel.tryReceive());
attempt(() => event.isSet);
attempt(() => event.set());
attempt(() => semaphore.permits);
attempt(() => semaphore.tryAcquire());
try {
  attempt(() => semaphore.release(3));
} catch (error) {
  // The guest says that there are too many.
  if (!(error instanceof RangeError) || !error.message.startsWith("release")) throw error;
}
attempt(() => controller.abort());
attempt(() => group.spawn("park"));
attempt(() => group.cancel());
for (let i = 0; i < 3; i++) attempt(() => runtime.channel({ limit: 4 }).trySend(1));
attempt(() => channel.close());
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
