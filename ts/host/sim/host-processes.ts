//! Programs on one simulated host, their processes, and the consoles that these have.

import { StackfulError } from "../../errors.ts";
import type { Backend, BackendOptions } from "../backend.ts";
import { type Directory, grantedStreams } from "../grants.ts";
import type { Operation } from "../resources/operation.ts";
import { readPrograms } from "../resources/programs.ts";
import { CallEvent } from "./event-queue.ts";
import type { FileTiming } from "./file-timing.ts";
import type { Network } from "./network.ts";
import type { ProcessOptions } from "./options.ts";
import { Programs, SIM_PATH } from "./programs.ts";
import type { Random } from "./random.ts";
import type { SimBackend, SimContext } from "./sim-backend.ts";
import { type ConsoleOptions, SimConsole } from "./sim-console.ts";
import type { SimHost } from "./sim-host.ts";
import { type ProcessStart, SimProcess, type SimProgram } from "./sim-process.ts";
import { type Nursery, startSpawn } from "./spawn.ts";
import type { StandardStreams } from "./standard-streams.ts";

/** What a host gives to its processes. */
export interface ProcessesOfHost {
  readonly host: SimHost;
  readonly network: Network;
  readonly files: FileTiming;
  readonly random: Random;
  /** As they are now. */
  readonly options: () => ProcessOptions;
  /** A number that no process of the host had. */
  nextPid(): number;
  /** Begins a runtime's process. */
  open(options: BackendOptions, standard: StandardStreams): Promise<SimBackend>;
}

/** Made for each host of a world that has programs. */
export type MakeProcesses = (parts: ProcessesOfHost) => HostProcesses;

/** The children of one runtime. */
export interface Children {
  /** SPAWN: its result, or undefined when it comes later. */
  start(context: SimContext, operation: Operation): number | undefined;
  /** Kills those that are left. */
  end(): void;
}

export class HostProcesses {
  readonly programs: Programs;
  readonly #parts: ProcessesOfHost;
  readonly #running = new Set<SimProcess>();

  constructor(parts: ProcessesOfHost) {
    this.#parts = parts;
    this.programs = new Programs(parts.host.disk, parts.random, parts.options);
  }

  get running(): readonly SimProcess[] {
    return [...this.#running];
  }

  /** @param standard - What children inherit. */
  childrenOf(
    { grants, handlesMax }: BackendOptions,
    directories: readonly Directory[],
    standard: StandardStreams,
  ): Children {
    const children = new Set<SimProcess>();
    const nursery: Nursery = {
      children,
      childrenMax: handlesMax,
      granted: readPrograms(grants, SIM_PATH),
      inherited: grantedStreams(grants),
      directories,
      standard,
      processes: this,
    };
    return {
      start: (context, operation) => startSpawn(context, nursery, operation),
      end: () => {
        for (const child of [...children]) child.signal("SIGKILL");
      },
    };
  }

  /** Begins a process that runs `program`, at this instant, but for what else goes on in it. */
  start(program: SimProgram, start: ProcessStart): SimProcess {
    const { host, network, files } = this.#parts;
    const process = new SimProcess(
      {
        host,
        pid: this.#parts.nextPid(),
        context: { host, network, files },
        open: (options, opener) => this.#openIn(opener, options),
        onEnd: (ended) => this.#running.delete(ended),
      },
      start,
    );
    this.#running.add(process);
    process.console?.add(process);
    const began = new CallEvent(() => process.run(program));
    process.whenEnded(() => network.scheduler.cancel(began));
    network.scheduler.after(0, began);
    return process;
  }

  console(options: ConsoleOptions): SimConsole {
    const { network } = this.#parts;
    const open = (backendOptions: BackendOptions, console: SimConsole): Promise<Backend> =>
      this.#parts.open(backendOptions, {
        console,
        open: (number, context) => console.stream(number, context),
      });
    return new SimConsole({ scheduler: network.scheduler, open }, options);
  }

  /** The host has ended them. */
  kill(): void {
    for (const process of [...this.#running]) process.signal("SIGKILL");
  }

  /** A runtime that ends with the process. */
  async #openIn(process: SimProcess, options: BackendOptions): Promise<Backend> {
    const backend = await this.#parts.open(options, {
      console: process.console,
      open: (number, context) => process.stream(number, context),
    });
    const what = `process ${process.pid} (${process.path}) has ended`;
    process.whenEnded(() => backend.die(new StackfulError("SF_IO", what, { errno: "ESRCH" })));
    return backend;
  }
}
