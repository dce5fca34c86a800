//! What is done to a run besides what the preset does to its network and files: when and to whom, from
//! the seed. Which kinds of fault there are is chosen first, so that some runs have many of one kind.

import type { Preset } from "../../ts/host/sim/options.ts";
import type { Random } from "../../ts/host/sim/random.ts";
import type { SimHost } from "../../ts/host/sim/sim-host.ts";
import type { Program } from "./program.ts";
import type { Service } from "./service.ts";
import type { Simulation } from "./simulation.ts";

export interface FaultTargets {
  /** Faults begin in so many virtual milliseconds from now, at the latest. */
  readonly withinMs: number;
  /** Whose hosts may crash, or processes be killed. */
  readonly services: readonly Service[];
  /** In which a task may be canceled. */
  programs(): readonly Program[];
  /** Between which the network may be cut. */
  readonly links: readonly (readonly [SimHost, SimHost])[];
}

type Kind = "cancel" | "kill" | "crash" | "partition" | "slow";

const KINDS: Readonly<Record<Preset, readonly Kind[]>> = {
  ideal: [],
  lan: ["cancel", "kill"],
  mobile: ["cancel", "partition", "slow"],
  chaos: ["cancel", "kill", "crash", "partition", "slow"],
};

const FAULTS_MAX = 8;
const HALVINGS_MAX = 8;

export class FaultPlan {
  /** How many faults there are to be. */
  readonly count: number;
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #targets: FaultTargets;
  #over = false;

  constructor(simulation: Simulation, random: Random, targets: FaultTargets) {
    this.#simulation = simulation;
    this.#random = random;
    this.#targets = targets;
    const kinds = KINDS[simulation.preset].filter(
      (kind) => this.#canStrike(kind) && random.chance(0.6),
    );
    this.count = kinds.length === 0 ? 0 : random.integer(FAULTS_MAX + 1);
    // Many runs are over soon.
    const withinMs = targets.withinMs * 2 ** -random.integer(HALVINGS_MAX + 1);
    for (let index = 0; index < this.count; index++) {
      const kind = kinds[random.integer(kinds.length)]!;
      const strike = this.#strike(kind);
      simulation.after(random.next() * withinMs, () => {
        if (!this.#over) strike();
      });
    }
  }

  /** No fault begins any more, and every link is whole. */
  stop(): void {
    this.#over = true;
    this.#simulation.world.heal();
    this.#restoreSpeed();
  }

  /** The same, and resolves when every service is up. */
  async settle(): Promise<void> {
    this.stop();
    for (const service of this.#targets.services) {
      while (service.program === undefined) await this.#simulation.world.sleep(50);
    }
  }

  #canStrike(kind: Kind): boolean {
    const { services, links } = this.#targets;
    if (kind === "kill" || kind === "crash") return services.length > 0;
    if (kind === "partition" || kind === "slow") return links.length > 0;
    return true;
  }

  /** Draws everything that the fault needs now: what happens later must not depend on it. */
  #strike(kind: Kind): () => void {
    const random = this.#random;
    const simulation = this.#simulation;
    const { services, links, programs } = this.#targets;
    const forMs = 20 + random.integer(random.chance(0.3) ? 8_000 : 800);
    const pick = random.integer(2 ** 31);
    switch (kind) {
      case "kill":
      case "crash":
        return () => services[pick % services.length]!.strike(kind, forMs);
      case "cancel":
        return () => {
          const alive = programs().filter(({ gone }) => !gone);
          if (alive.length === 0) return;
          const program = alive[pick % alive.length]!;
          simulation.note(`cancel one in ${program.name}`);
          simulation.watch(program.call("cancel_one", pick));
        };
      case "partition": {
        const [a, b] = links[pick % links.length]!;
        return () => {
          simulation.world.partition(a, b);
          simulation.after(forMs, () => simulation.world.heal(a, b));
        };
      }
      case "slow": {
        const latencyMs = 1 + random.integer(1_000);
        return () => {
          simulation.world.configure({ network: { latencyMs } });
          simulation.after(forMs, () => this.#restoreSpeed());
        };
      }
    }
  }

  #restoreSpeed(): void {
    const { latencyMs } = this.#simulation;
    this.#simulation.world.configure({ network: { latencyMs } });
  }
}
