//! What a scenario is: guests, and a checker that runs them and looks at what they did.

import type { Simulation } from "./simulation.ts";

export interface Scenario {
  readonly name: string;
  /** Its C file in guests/. */
  readonly guest: string;
  /**
   * Plans faults, runs guests to their end, and checks what they reported.
   *
   * @throws {Violation} a law does not hold.
   */
  run(simulation: Simulation): Promise<void>;
}
