import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lawsOf, openRuntime, withRuntime } from "../support/runtime.ts";

const { law, load } = lawsOf("cancel");
const grants = { listen: ["127.0.0.1:0"] };

/** The order of `enum wait` in cancel.c. */
const WAITS = ["yield", "sleep", "sleep_until", "park", "send", "receive", "accept"];

WAITS.forEach((name, wait) => {
  // A task that yields is ready: it has its result, and keeps the request.
  if (name !== "yield") {
    law(`a task parked in ${name} gets ECANCELED, once`, "parked", [wait, 1], { grants });
    law(`requests that were not noticed are one: ${name}`, "parked", [wait, 3], { grants });
  }
  law(
    `a task canceled before it starts gets ECANCELED from ${name}, once`,
    "before_it_starts",
    [wait],
    {
      grants,
    },
  );
});
law("a task can cancel itself", "of_oneself");
law("a result that is there already is returned and the request stays", "a_result_comes_first");
law("a receiver served before the request keeps its item", "served_before_the_request");
law("a canceled waiter leaves its queue to the next one", "the_next_waiter_is_served");
law("cancel of an ended task is ignored", "of_an_ended_task");
law("a joiner passes the request on and learns of it afterwards", "a_joiner_passes_it_on", [0]);
law("a joiner canceled before it joins does the same", "a_joiner_passes_it_on", [1]);
law("a request goes down a chain of joins", "down_a_chain_of_joins", [100]);

test("a request does not go round a circle of joins for ever", async () => {
  const runtime = await openRuntime(await load(), { limits: { shutdownMs: 20 } });
  expect(await runtime.spawn("round_a_circle_of_joins", [])).toBe(0);
  // They wait for each other and are abandoned.
  expect(runtime.stats.tasksLive).toBe(3);
  await runtime[Symbol.asyncDispose]();
});

test("as many ECANCELED as requests, whatever is served in between", async () => {
  await withRuntime(await load(), {}, async (runtime) => {
    const run = fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.nat(),
      async (rounds, seed) => {
        expect(await runtime.spawn("as_many_as_requests", [rounds, seed])).toBe(0);
      },
    );
    await fc.assert(run, { numRuns: 60 });
  });
});
