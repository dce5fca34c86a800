/**
 * Many timers are armed, every second one is cancelled, and the rest fire.
 *
 * For: the processor time (user and system) of a timer's life, half of which end early as timeouts
 * do. The delays are whole milliseconds: `leadMs`, in which all are armed and half are cancelled
 * before the first is due, and a pseudo-random part below `spreadMs`. With r starting at 1, each
 * timer takes r = (r * 1664525 + 1013904223) mod 2 ** 32, and its part is (r >> 16) mod spreadMs.
 * Not for: the clock, which shows the delays.
 *
 * A timer here runs code, but is no task: in Go it is a callback, in Tokio an item of a DelayQueue.
 */
import { param, type Scenario } from "../scenario.ts";
import { timers } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "timers",
  summary: "100000 timers, of which half are cancelled and half fire",
  metrics: ["ns-cpu/timer"],
  params: {
    smoke: [{ timers: 1000, leadMs: 20, spreadMs: 5 }],
    full: [{ timers: 100_000, leadMs: 200, spreadMs: 20 }],
  },
  /** Those that fired, and those that were cancelled in time. */
  checksum: (params) => String(param(params, "timers")),
  implementations: { stackful: timers },
  peers: ["go", "tokio"],
};
