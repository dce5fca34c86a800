/**
 * Simulated worlds: hosts, networks and disks from one seed, in virtual time. Needs nothing of Node.
 *
 * @module
 */

export type { ConnectionView } from "./host/sim/connection.ts";
export { SimDisk } from "./host/sim/disk.ts";
export type { NameOptions } from "./host/sim/dns-server.ts";
export {
  type FileOptions,
  type NetworkOptions,
  PRESETS,
  type Preset,
  type ProcessOptions,
  type SimChanges,
  type SimOptions,
} from "./host/sim/options.ts";
export { Random } from "./host/sim/random.ts";
export type { SimSignal } from "./host/sim/signals.ts";
export { type ConsoleOptions, SimConsole } from "./host/sim/sim-console.ts";
export { type HostOptions, SimHost } from "./host/sim/sim-host.ts";
export { SimProcess, type SimProgram } from "./host/sim/sim-process.ts";
export { World, type WorldOptions } from "./host/sim/world.ts";
export type { WorldEvent } from "./host/sim/world-event.ts";
