//! The world that stackful/sim gives: with programs, which a process in a world of its own has none of, so that
//! they are in no bundle that does not ask for them.

import { BaseWorld, type WorldOptions } from "./base-world.ts";
import { HostProcesses } from "./host-processes.ts";

export type { WorldOptions } from "./base-world.ts";

/**
 * A simulated world. Its time is virtual: it passes when every program in it waits, and at once. A
 * program that never waits holds it.
 *
 * The same seed gives the same history, byte by byte in `trace`, as long as JavaScript has a part in
 * it only through promises: what waits for the real world (timers, sockets, files) comes at a moment
 * that no seed knows. Make runtimes inside `hold`, or before the first of them runs.
 */
export class World extends BaseWorld {
  /** @throws {RangeError} an option is out of its range. */
  constructor(options: WorldOptions = {}) {
    super(options, (parts) => new HostProcesses(parts));
  }
}
