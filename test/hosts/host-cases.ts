//! Cases of the shared suite that need no I/O.

import { ERRNO } from "../../ts/abi.gen.ts";
import { type Bench, type HostCase, law, matches, rejection, same } from "./bench.ts";

const MANY = 10_000;

export const hostCases: readonly HostCase[] = [
  law("tasks run, are joined once, and give what they return", "hosts", "join_all"),
  law("a parked task is canceled", "hosts", "cancel_parked"),
  law("a group waits for its members, and cancels them", "hosts", "group_ends_members"),
  law("items of a channel come once and in order", "hosts", "channel_order"),
  law("a select takes one arm, which is ready", "hosts", "select_one"),
  law("a mutex lets one in, a semaphore as many as it has permits", "hosts", "locks_exclude"),
  law(
    "timers fire in the order of their times, deadlines end waits",
    "hosts",
    "timers_and_deadlines",
  ),
  law("a task waits for the promise of an import, others run", "hosts", "imports_wait"),
  {
    title: "guest and embedder share channels, both ways",
    async run(bench) {
      const runtime = await bench.hosts();
      const to = runtime.channel({ item: "i32", capacity: 2 });
      const from = runtime.channel({ item: "i32", capacity: 2 });
      const task = runtime.spawn("add_one", [to.address, from.address]);
      const received: number[] = [];
      const reader = (async () => {
        for (let count = 0; count < 100; count++) received.push((await from.receive())!);
      })();
      for (let item = 0; item < 100; item++) await to.send(item);
      await reader;
      same(
        received,
        Array.from({ length: 100 }, (_, index) => index + 1),
      );
      to.close();
      same(await task, 100);
    },
  },
  {
    title: "guest and embedder share events and semaphores",
    async run(bench) {
      const runtime = await bench.hosts();
      const event = runtime.event();
      const waiters = [1, 2, 3].map(() => runtime.spawn("wait_for_event", [event.address]));
      event.set();
      same(await Promise.all(waiters), [0, 0, 0]);
      const permits = runtime.semaphore(1);
      same(await runtime.spawn("take_permit", [permits.address]), 0);
      same(permits.permits, 0);
      const late = runtime.spawn("take_permit", [permits.address]);
      permits.release();
      same(await late, 0);
    },
  },
  {
    title: "the embedder selects among channels, events and promises",
    async run(bench) {
      const runtime = await bench.hosts();
      const [channel, event] = [runtime.channel({ item: "i32" }), runtime.event()];
      const arms = { item: channel.onReceive(), event: event.onWait() };
      const waiting = runtime.select(arms);
      event.set();
      same((await waiting).key, "event");
      event.reset();
      const promised = await runtime.select({
        item: channel.onReceive(),
        event: event.onWait(),
        promise: Promise.resolve(5),
      });
      same(promised, { key: "promise", value: 5 });
    },
  },
  {
    title: "an AbortSignal cancels a task of the embedder, a group all of its members",
    async run(bench) {
      const runtime = await bench.hosts();
      const event = runtime.event();
      const abort = new AbortController();
      const { signal } = abort;
      const task = runtime.spawn("wait_for_event", [event.address], { signal });
      abort.abort();
      same(await task, -ERRNO.ECANCELED);
      const group = runtime.group();
      for (let count = 0; count < 5; count++) group.spawn("wait_for_event", [event.address]);
      same(group.count, 5);
      group.cancel();
      await group.wait();
      same(group.count, 0);
    },
  },
  {
    title: "a dump says what a task waits for, and the functions it is in",
    async run(bench) {
      const runtime = await bench.hosts();
      const event = runtime.event();
      const task = runtime.spawn("wait_deep", [event.address], { name: "below" });
      while (task.status !== "parked") await runtime.spawn("join_all", [], { stackBytes: 65_536 });
      const [told] = runtime.dump();
      event.set();
      same(await task, 5);
      same(told?.name, "below");
      matches(told?.waitsFor ?? "", /^event at 0x/);
      same(told?.stackError, undefined);
      matches(told?.stack.join(" ") ?? "", /wait_below wait_below wait_below wait_deep$/);
    },
  },
  {
    title: "a trap ends its task alone, with a named error",
    async run(bench) {
      const runtime = await bench.hosts();
      const event = runtime.event();
      const other = runtime.spawn("wait_for_event", [event.address]);
      const error = await rejection(runtime.spawn("trap", [], { name: "faulty" }));
      same(error.code, "SF_TRAP");
      matches(error.message, /"faulty"/);
      event.set();
      same(await other, 0);
    },
  },
  {
    title: "an overflow of a stack ends its task alone, and is named",
    async run(bench) {
      const runtime = await bench.hosts();
      const options = { name: "digger", stackBytes: 16_384 };
      same(await runtime.spawn("dig", [10], options), 10);
      const error = await rejection(runtime.spawn("dig", [100_000], options));
      same(error.code, "SF_STACK_OVERFLOW");
      matches(error.message, /"digger"/);
      same(await runtime.spawn("join_all", [], { stackBytes: 65_536 }), 0);
    },
  },
  {
    title: "lines that the guest prints reach the embedder",
    async run(bench) {
      const lines: string[] = [];
      const runtime = await bench.hosts({
        onOutput: (stream, line) => lines.push(`${stream}: ${line}`),
      });
      same(await runtime.spawn("say", [1], { stackBytes: 65_536 }), 0);
      same(lines.sort(), ["stderr: three 3", "stdout: one 1", "stdout: two 2"]);
    },
  },
  {
    title: "10,000 tasks park at once: memory grows, twice over no further",
    run: manyTasks,
  },
];

async function manyTasks(bench: Bench): Promise<void> {
  const runtime = await bench.hosts();
  const bytes: number[] = [runtime.memory.buffer.byteLength];
  for (let round = 0; round < 2; round++) {
    same(await runtime.spawn("start_many", [MANY]), 0);
    same(runtime.stats.tasksLive, MANY);
    bytes.push(runtime.memory.buffer.byteLength);
    same(await runtime.spawn("release_many"), 0);
  }
  const [before, once, twice] = bytes as [number, number, number];
  same(once > before, true);
  same(twice, once);
}
