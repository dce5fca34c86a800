/**
 * What linking costs: an interpreter loop that never parks, before and after instrumentation.
 *
 * For: the overhead in time and size that a program pays for being able to park, at its worst: each
 * operation is an indirect call, which may reach anything, so every function is instrumented. Not
 * for: what a typical program pays; `stackful explain` tells that of yours.
 */
import { param, type Scenario } from "../scenario.ts";
import { linkedGuest, mixed, plainGuest } from "../stackful/instrumentation.ts";

export const scenario: Scenario = {
  name: "link",
  summary: "a CPU-bound guest before and after instrumentation, and the time to link it",
  metrics: ["ns/iteration", "bytes"],
  metricsOf: { stackful: ["ms-link", "x-size"] },
  params: { smoke: [{ iterations: 1000 }], full: [{ iterations: 2_000_000 }] },
  checksum: (params) => String(mixed(param(params, "iterations"))),
  implementations: { stackful: linkedGuest, "stackful-unlinked": plainGuest },
  warmUp: false,
};
