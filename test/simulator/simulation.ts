//! One run: a simulated world, the guests in it, and what happens to them, all from one seed.

import { PRESETS, type Preset } from "../../ts/host/sim/options.ts";
import type { Random } from "../../ts/host/sim/random.ts";
import type { SimHost } from "../../ts/host/sim/sim-host.ts";
import { World } from "../../ts/host/sim/world.ts";
import { formatDump } from "../../ts/runtime/dump-format.ts";
import type { RuntimeOptions } from "../../ts/runtime/options.ts";
import { FaultPlan, type FaultTargets } from "./faults.ts";
import { Program } from "./program.ts";
import { Service, type ServiceOptions } from "./service.ts";
import { Violation } from "./violation.ts";

/** Every scenario is over by then, in virtual milliseconds: all its waits have timeouts. */
const LIMIT_MS = 900_000;

export class Simulation {
  readonly world: World;
  readonly preset: Preset;
  /** Of a packet that is not held up. */
  latencyMs: number;
  /** For the choices of the scenario. */
  readonly random: Random;
  readonly #module: WebAssembly.Module;
  readonly #programs: Program[] = [];
  readonly #notes: { readonly place: number; readonly line: string }[] = [];
  #fail!: (error: unknown) => void;
  readonly #failed = new Promise<never>((_, reject) => {
    this.#fail = reject;
  });

  constructor(seed: string, preset: Preset, module: WebAssembly.Module, trace: boolean) {
    this.world = new World({ seed, preset, trace });
    this.preset = preset;
    this.random = this.world.random.fork("scenario");
    this.latencyMs = PRESETS[preset].network.latencyMs;
    if (this.random.chance(0.4)) this.#takeSteps();
    this.#module = module;
    this.#failed.catch(() => {});
    this.after(LIMIT_MS, () => {
      throw new Violation("every run ends", `it goes on after ${LIMIT_MS} ms`);
    });
  }

  /** Everything takes whole milliseconds, so that much happens at the same instant. */
  #takeSteps(): void {
    this.latencyMs = Math.ceil(this.latencyMs);
    this.world.configure({
      network: {
        latencyMs: this.latencyMs,
        jitterMs: 0,
        bandwidthBytesPerSecond: Number.POSITIVE_INFINITY,
      },
      files: { latencyMs: 1, jitterMs: 0, syncMs: 1 },
    });
  }

  /** Runs `body`; rejects as soon as it, or anything that is watched, does. */
  async run(body: () => Promise<void>): Promise<void> {
    await Promise.race([body(), this.#failed]);
  }

  host(name: string): SimHost {
    return this.world.host(name);
  }

  /** Loads the scenario's guest on a host. */
  async start(
    name: string,
    host: SimHost,
    grants: NonNullable<RuntimeOptions["grants"]>,
  ): Promise<Program> {
    const program = await Program.start(name, host, this.#module, grants);
    this.#programs.push(program);
    return program;
  }

  service(options: ServiceOptions): Service {
    return new Service(this, options);
  }

  /** Faults from the seed, from now on. */
  plan(targets: FaultTargets): FaultPlan {
    return new FaultPlan(this, this.world.random.fork("faults"), targets);
  }

  /** Calls `what` in so many virtual milliseconds; when it fails, the run has failed. */
  after(ms: number, what: () => void | Promise<void>): void {
    this.world.after(ms, () => this.watch(invoke(what)));
  }

  /** When `promise` rejects, the run has failed. */
  watch(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => this.#fail(error));
  }

  /** A line between those of the world's trace. */
  note(text: string): void {
    const { nowNs, trace } = this.world;
    this.#notes.push({ place: trace.length, line: `${nowNs} -- ${text}` });
  }

  /** What happened, line by line; of a world that keeps its trace. */
  trace(): string[] {
    const lines: string[] = [];
    let at = 0;
    for (const { place, line } of this.#notes) {
      lines.push(...this.world.trace.slice(at, place), line);
      at = place;
    }
    return [...lines, ...this.world.trace.slice(at)];
  }

  /** Every task of every program that is still there, and what it waits for. */
  dump(): string {
    const texts = this.#programs.flatMap((program) => {
      if (program.gone || program.runtime.stats.tasksLive === 0) return [];
      return [`${program.name}: ${formatDump(program.runtime.dump())}`];
    });
    return texts.join("\n");
  }
}

async function invoke(what: () => void | Promise<void>): Promise<void> {
  await what();
}
