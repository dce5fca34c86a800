//! What a run is: something is broken, and laws hold nevertheless.

import type { Random } from "../../ts/host/sim/random.ts";
import type { FaultBackend } from "./backends.ts";

/** Figures for people: what happened how often. */
export type Counts = Record<string, number>;

export interface Trial {
  readonly backend: FaultBackend;
  /** Every choice of the run. The order in which things happen is the system's. */
  readonly random: Random;
  /** "short" is a test of a second or less. */
  readonly size: "short" | "full";
  /** How long the scenario without an end goes on. */
  readonly minutes: number;
}

/** What a scenario's process is started with. */
export type Surroundings = "few-descriptors" | "small-disk" | "no-uring";

export interface Scenario {
  readonly name: string;
  /** What holds. */
  readonly law: string;
  /** Absent: any process will do. */
  readonly surroundings?: Surroundings;
  /** Backends that it says nothing about, and why. */
  readonly without?: Partial<Record<FaultBackend, string>>;
  /** @throws {Error} a law does not hold. */
  run(trial: Trial): Promise<Counts>;
}

export function addCounts(into: Counts, counts: Counts): void {
  for (const [name, count] of Object.entries(counts)) into[name] = (into[name] ?? 0) + count;
}
