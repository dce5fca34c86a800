//! A server of the simulated world: a program that is started again when it, or its host, is gone.

import type { SimHost } from "../../ts/host/sim/sim-host.ts";
import type { RuntimeOptions } from "../../ts/runtime/options.ts";
import type { Task } from "../../ts/runtime/task.ts";
import type { Program } from "./program.ts";
import { errorName } from "./reports.ts";
import type { Simulation } from "./simulation.ts";
import { check } from "./violation.ts";

export interface ServiceOptions {
  readonly host: SimHost;
  /** The export that serves until it is canceled, and then returns 0. */
  readonly entry: string;
  /** Of the entry, by how often it has been started before. */
  args(incarnation: number): readonly number[];
  readonly grants: NonNullable<RuntimeOptions["grants"]>;
  /** What becomes of a program that ended by itself. @defaultValue none may */
  readonly onEnd?: (result: number) => "restart" | "done" | undefined;
  /** The program is about to serve. */
  readonly onStart?: (program: Program) => void;
}

/** How long a program that has ended stays down, in virtual milliseconds. */
const RESTART_MS = 100;

export class Service {
  readonly host: SimHost;
  /** Of each start, the last one running. */
  readonly programs: Program[] = [];
  readonly #simulation: Simulation;
  readonly #options: ServiceOptions;
  /** Resolves when a program has ended by itself and is not started again. */
  readonly done: Promise<void>;
  #done!: () => void;
  #stopping = false;
  #task: Task | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(simulation: Simulation, options: ServiceOptions) {
    this.#simulation = simulation;
    this.#options = options;
    this.host = options.host;
    this.done = new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  /** The program that serves; undefined while it is down. */
  get program(): Program | undefined {
    const last = this.programs.at(-1);
    return this.#task === undefined || last?.gone === true ? undefined : last;
  }

  async start(): Promise<void> {
    if (this.#stopping) return;
    const { entry, args, grants, onStart } = this.#options;
    const incarnation = this.programs.length;
    const name = `${this.host.name}#${incarnation}`;
    const program = await this.#simulation.start(name, this.host, grants);
    this.programs.push(program);
    this.#task = program.spawn(entry, args(incarnation));
    onStart?.(program);
    this.#running = this.#serve(program, this.#task);
    this.#simulation.watch(this.#running);
  }

  /** The host, or its process, goes; after `downMs` it is started again. */
  strike(how: "crash" | "kill", downMs: number): void {
    const { program } = this;
    if (program === undefined || this.#stopping) return;
    program.gone = true;
    this.#simulation.note(`${how} ${this.host.name} for ${downMs} ms`);
    if (how === "crash") this.host.crash();
    else this.host.kill();
    this.#simulation.after(downMs, () => {
      if (how === "crash") this.host.restart();
      return this.start();
    });
  }

  /** Ends it for good. A program that is down stays so. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#task?.cancel();
    await this.#running;
    for (const program of this.programs) await program.end();
  }

  async #serve(program: Program, task: Task): Promise<void> {
    const result = await program.outcome(task);
    this.#task = undefined;
    if (result === undefined || this.#stopping) {
      check(
        result === undefined || result === 0,
        "a server that is canceled returns 0",
        () => `${program.name} returned ${result}`,
      );
      return;
    }
    const next = this.#options.onEnd?.(result);
    check(
      next !== undefined,
      "a server serves until it is canceled",
      () => `${program.name}: ${result}`,
    );
    this.#simulation.note(`${program.name} ended with ${errorName(result)}`);
    await program.end();
    if (next === "done") this.#done();
    else this.#simulation.after(RESTART_MS, () => this.start());
  }
}
