import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("events");

describe("an event", () => {
  law("manual: lets all through until it is reset", "event_manual");
  law("automatic: lets one through for each set", "event_automatic");
});

describe("a timer", () => {
  law("fires once, at its time, at once when that is up", "timer_fires_once");
  law("can be started anew and stopped", "timer_restart_and_stop");
  law("fires an automatic event", "timer_automatic");
  law("goes with the stack it lies on", "timer_on_a_stack_that_ends");
});

law("a notification wakes those that wait, in order, and is not kept", "notify_wakes_and_forgets");
