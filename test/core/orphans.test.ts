import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("orphans");

/** The order of `enum kind` in orphans.c. */
const KINDS = [
  "mutex",
  "condition",
  "condition's mutex",
  "rwlock",
  "semaphore",
  "event",
  "timer",
  "notification",
  "latch",
  "future",
  "once",
  "barrier",
  "broadcast",
  "watch",
  "channel",
  "signal",
  "futex",
  "select",
];

describe("whoever waits on the stack of a task that fails gets EOWNERDEAD", () => {
  KINDS.forEach((name, kind) => {
    law(name, "orphans", [kind]);
  });
});

describe("a task whose frames do not fit when it parks harms nobody", () => {
  ["barrier", "semaphore", "rwlock"].forEach((name, how) => {
    law(name, "overflow_while_it_parks", [how]);
  });
});

law(
  "a channel on the stack of a task that fails gives EOWNERDEAD to all",
  "channel_of_a_failed_task",
);
