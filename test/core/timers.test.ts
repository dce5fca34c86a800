import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lawsOf, withRuntime } from "../support/runtime.ts";

const { law, load } = lawsOf("timers");
const options = { stackBytes: 65_536 };

for (const [duration, spin] of [
  [0n, 0n],
  [1_000n, 0n],
  [1_000_000n, 0n],
  [1_000_000n, 3_000_000n],
  [2_345_678n, 500_000n],
] as const) {
  law(`a sleep of ${duration} ns after ${spin} ns of work is never early`, "sleep_is_never_early", [
    duration,
    spin,
  ]);
}
law("others run while a task sleeps", "sleep_lets_others_run");
law("a sleep until now or before returns", "past_deadlines_return");
law("a sleep without end can be canceled", "the_longest_sleeps");

test("10,000 sleeps, half of them canceled, end in the order of their deadlines", async () => {
  const guest = await load();
  await withRuntime(guest, {}, async (runtime) => {
    let line: unknown = -1;
    // -1: the machine took so long that the first was due before the last was armed.
    for (let seed = 1; seed <= 10 && line === -1; seed++) {
      line = await runtime.spawn("many_timers", [10_000, 2, seed], options);
    }
    expect(line).toBe(0);
  });
});

// Goal: the timer heap keeps its order under any sequence of arming and canceling.
// Method: random scripts over 24 tasks; each arms a deadline or cancels one, all before the first is
// due. Every task that wakes checks that it was due and that none that was due earlier is left.
test("sleeps end in the order of their deadlines after any arming and canceling", async () => {
  const guest = await load();
  await withRuntime(guest, {}, async (runtime) => {
    const step = fc.record({
      task: fc.integer({ min: 0, max: 23 }),
      offset: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4_000 })),
    });
    const run = fc.asyncProperty(fc.array(step, { maxLength: 300 }), async (steps) => {
      const address = (await runtime.spawn("script_address")) as number;
      const script = new Uint32Array(runtime.memory.buffer, address, steps.length);
      script.set(steps.map(({ task, offset }) => (task << 24) | offset));
      const line = await runtime.spawn("timer_script", [steps.length], options);
      fc.pre(line !== -1);
      expect(line).toBe(0);
    });
    await fc.assert(run, { numRuns: 40, maxSkipsPerRun: 1_000 });
  });
});
