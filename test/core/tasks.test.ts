import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lawsOf, withRuntime } from "../support/runtime.ts";

const { law, load } = lawsOf("tasks");

law("locals of every type survive a park", "locals_survive");
law("a deep stack survives a park", "deep_recursion", [8_000]);
law("the ready queue is first in, first out", "ready_queue_is_fifo");
law("yield returns at once when nobody else is ready", "yield_alone");
law("a spawned task runs only once its spawner parks or yields", "spawn_runs_later");
law("100,000 tasks are spawned, parked and joined", "many_tasks", [100_000], {
  limits: { tasksMax: 200_000 },
});

law("join before the end waits and returns the result", "join_before_the_end");
law("join after the end returns the result", "join_after_the_end");
law("several joiners of one task all get its result", "several_joiners");
law("a handle whose task is gone gives ESRCH, also once its memory is used again", "stale_handles");
law("join of oneself is EDEADLK", "join_oneself");
law("join of a detached task is EINVAL, and ESRCH once it has ended", "join_detached");
law("detach of an ended task frees it", "detach_ended");
law("detach does not take a joiner's result away", "detach_while_joined");
law("a region is used again by the next task of its size", "regions_are_used_again");
law("join of a task that trapped is ENOTRECOVERABLE, before and after its end", "trapped_child");

law("an unpark before the park is remembered", "permit_is_remembered");
law("several unparks before a park are one", "permits_do_not_add_up");

law("names are copied and cut at 64 bytes", "names");
law("stacks are 1 byte to 8 MiB, and EINVAL above", "stack_sizes");
law("the largest stack can have a name", "largest_stack_with_a_name");
law(
  "spawn is EAGAIN at tasksMax, and works again once one has ended",
  "spawn_until_the_limit",
  [50],
  {
    limits: { tasksMax: 50 },
  },
);

law("a forged handle is ESRCH", "forged_handles", [7]);
law("a handle without a serial is ESRCH", "handles_without_a_serial");

// Goal: saved frames and C stacks of tasks with unequal depths never mix.
// Method: tasks of random depths, with arrays of random sizes on their C stacks, park at random levels
// on the way down and up; a driver unparks one after the other, chosen by a seeded generator.
test("C stacks and frames of unequal depths, interleaved at random, stay whole", async () => {
  const guest = await load();
  await withRuntime(guest, {}, async (runtime) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.nat(), async (count, seed) => {
        expect(await runtime.spawn("unequal_depths", [count, seed | 0])).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
