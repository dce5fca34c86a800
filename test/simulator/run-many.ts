//! Many runs, in several processes: each run depends on its seed alone.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Replacement } from "../support/faulty-core.ts";
import { buildGuest } from "./build.ts";
import type { Job, Outcome } from "./run.ts";
import type { Scenario } from "./scenario.ts";

/** Longest that one run takes, in real milliseconds: a guest that never parks holds its process. */
const RUN_MS_MAX = 60_000;

/** A run is short and makes several instances: threads that clean up behind them cost more than they do. */
const NODE_FLAGS = ["--single-threaded"];

export interface ManyOptions {
  readonly processes: number;
  /** A file with the core that guests are linked with. @defaultValue the one that ships */
  readonly corePath?: string;
  /** A fault of a module of ts/, as Node sees it without its types. Only where that is not compiled yet. */
  readonly fault?: Replacement;
  /** Called after each run; false ends the rest. */
  onOutcome(outcome: Outcome): boolean;
}

/** Runs `jobs` of `scenarios` in their order, several at a time. */
export async function runMany(
  scenarios: readonly Scenario[],
  jobs: Iterable<Job>,
  options: ManyOptions,
): Promise<void> {
  const { corePath } = options;
  const core = corePath === undefined ? undefined : readFileSync(corePath);
  // Here, once: the processes find them made.
  for (const { guest } of scenarios) await buildGuest(guest, core);
  const left = jobs[Symbol.iterator]();
  let over = false;
  const takeNext = (): Job | undefined => {
    const next = over ? undefined : left.next();
    return next === undefined || next.done === true ? undefined : next.value;
  };
  const work = async (): Promise<void> => {
    let job = takeNext();
    if (job === undefined) return;
    const worker = new Worker(options);
    try {
      for (; job !== undefined; job = takeNext()) {
        if (!options.onOutcome(await worker.run(job))) over = true;
      }
    } finally {
      worker.end();
    }
  };
  await Promise.all(Array.from({ length: options.processes }, work));
}

class Worker {
  readonly #options: ManyOptions;
  #child: ChildProcess;

  constructor(options: ManyOptions) {
    this.#options = options;
    this.#child = this.#start();
  }

  /** @throws {Error} the process ended by itself. */
  async run(job: Job): Promise<Outcome> {
    const child = this.#child;
    const settled = new AbortController();
    const { signal } = settled;
    const timer = setTimeout(() => child.kill("SIGKILL"), RUN_MS_MAX);
    child.send(job);
    try {
      const outcome = once(child, "message", { signal }).then(([outcome]) => outcome as Outcome);
      const exit = once(child, "exit", { signal }).then(([code]) => code as number | null);
      exit.catch(() => {});
      const first = await Promise.race([outcome, exit]);
      if (first !== null && typeof first === "object") return first;
      if (first !== null) throw new Error(`a process ended with status ${first}`);
      this.#child = this.#start();
      return stuck(job);
    } finally {
      clearTimeout(timer);
      settled.abort();
    }
  }

  end(): void {
    this.#child.kill();
  }

  #start(): ChildProcess {
    const { corePath, fault } = this.#options;
    const built = !import.meta.url.endsWith(".ts");
    const path = fileURLToPath(new URL(built ? "./worker.js" : "./worker.ts", import.meta.url));
    const loaders = ["../support/register-ts.mjs", "./mutant.mjs"].flatMap((name) => [
      "--import",
      new URL(name, import.meta.url).href,
    ]);
    return fork(path, corePath === undefined ? [] : [corePath], {
      execArgv: [...(built ? [] : loaders), ...NODE_FLAGS],
      env: { ...process.env, STACKFUL_FAULT: fault === undefined ? "" : JSON.stringify(fault) },
    });
  }
}

function stuck(job: Job): Outcome {
  const message = `no end after ${RUN_MS_MAX} ms of real time`;
  const failure = { law: "every run ends", message, trace: [], tasks: "" };
  return { ...job, failure, virtualMs: 0 };
}
