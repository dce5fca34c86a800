//! What the scenarios with a server have in common.

import type { SimHost } from "../../../ts/host/sim/sim-host.ts";
import type { Program } from "../program.ts";
import type { Simulation } from "../simulation.ts";

export const PORT = 7000;

/**
 * How much longer than it may a call takes, in virtual milliseconds: it gives its handle back, which
 * may wait for the disk or for its turn.
 */
export const SLACK_MS = 50;

/** An address as guests take it. */
export function ipv4(host: SimHost): number {
  return host.addresses.ipv4.split(".").reduce((sum, byte) => (sum << 8) | Number(byte), 0);
}

/** Runs the guest on `count` hosts of their own. */
export async function startClients(simulation: Simulation, count: number): Promise<Program[]> {
  const programs: Program[] = [];
  for (let index = 0; index < count; index++) {
    const host = simulation.host(`client${index}`);
    programs.push(await simulation.start(host.name, host, { connect: ["*"] }));
  }
  return programs;
}

/** Whether nothing may fail: a network without faults, and none planned. */
export function isCalm(simulation: Simulation, plan: { readonly count: number }): boolean {
  return (simulation.preset === "ideal" || simulation.preset === "lan") && plan.count === 0;
}
