import { expect, test } from "vitest";
import { lawsOf, withRuntime } from "../support/runtime.ts";
import { withVirtualTime } from "../support/virtual-time.ts";

const { virtualLaw: law, load } = lawsOf("rubbish");

/** The cases of wild_task in rubbish.c. Those with a "!" are refused. */
const WILD = [
  "a scope begun",
  "a scope ended",
  "a scope set",
  "a scope asked",
  "a group spawned into",
  "a group waited for",
  "a group canceled",
  "a group's room",
  "a group's cancel requested",
  "a member's result",
  "a member's options",
  "arms",
  "arms tried",
  "the turn of a fair select",
  "an arm's channel",
  "an arm's item",
  "an arm's event",
  "an arm's semaphore",
  "an arm's group",
  "an arm's notify",
  "an arm's source",
  "the result of an arm's task",
  "an arm's watch",
  "an arm's broadcast",
  "an arm's signal",
  "an arm's operation",
  "an arm's latch",
  "an arm's future",
  "a source notified",
  "a local",
  "spawn options",
  "a task's handle",
  "an arm's channel at the end of memory",
  "an arm's semaphore at the end of memory",
  "an arm's group at the end of memory",
  "an arm at the end of memory",
  "a scope at the end of memory",
  "a local at the end of memory",
  "an arm's notify of rubbish",
  "an arm's semaphore of rubbish",
  "an arm's event of rubbish",
  "an arm's group of rubbish",
  "a group of rubbish spawned into",
  "a group of rubbish waited for",
  "a group of rubbish canceled",
  "a group of rubbish's cancel requested",
  "a group of rubbish's room",
  "a source of rubbish notified",
  "a local of rubbish",
  "! the result of no task",
];
WILD.forEach((name, kind) => {
  if (name.endsWith("end of memory")) return;
  const refused = name.startsWith("!");
  law(`${refused ? "refused" : "a trap"}, and others go on: ${name}`, "others_go_on", [
    kind,
    refused ? 0 : 1,
    0,
  ]);
});

test("a trap, and others go on: what begins before the end of memory and ends past it", async () => {
  const guest = await load();
  await withVirtualTime(() =>
    withRuntime(guest, {}, async (runtime) => {
      const run = async (kind: number): Promise<unknown> => {
        const args = [kind, 1, runtime.memory.buffer.byteLength];
        return await runtime.spawn("others_go_on", args, { stackBytes: 65_536 });
      };
      // The first takes the memory that the others need: then it does not grow any more.
      expect(await run(0)).toBe(0);
      for (const [kind, name] of WILD.entries()) {
        if (name.endsWith("end of memory")) expect(await run(kind), name).toBe(0);
      }
    }),
  );
});

law("a scope of rubbish is nobody's", "rubbish_scopes");
law("members of a group that was overwritten end nevertheless", "a_spoilt_group");
law("a task whose frames overflow wakes those that waited with it", "an_overflow_wakes_others");
law("a condition that goes with its stack gives the mutex back", "a_condition_goes_with_its_stack");
