//! Many runs, on several threads: each run depends on its seed alone.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { buildGuest } from "./build.ts";
import type { Job, Outcome } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import type { WorkerData } from "./worker.ts";

/** Longest that one run takes, in real milliseconds; a guest that never parks holds its thread. */
const RUN_MS_MAX = 60_000;

export interface ManyOptions {
  readonly threads: number;
  /** The core that guests are linked with. @defaultValue the one that ships */
  readonly core?: Uint8Array;
  /** Called after each run; false ends the rest. */
  onOutcome(outcome: Outcome): boolean;
}

/** Runs `jobs` in their order, several at a time. */
export async function runMany(
  scenarios: readonly Scenario[],
  jobs: Iterable<Job>,
  { threads, core, onOutcome }: ManyOptions,
): Promise<void> {
  const modules = new Map<string, WebAssembly.Module>();
  for (const { name, guest } of scenarios) modules.set(name, await buildGuest(guest, core));
  const left = jobs[Symbol.iterator]();
  let over = false;
  const takeNext = (): Job | undefined => {
    const { value, done } = left.next();
    return done === true || over ? undefined : value;
  };
  const work = async (): Promise<void> => {
    const thread = new Thread({ modules });
    try {
      for (let job = takeNext(); job !== undefined; job = takeNext()) {
        if (!onOutcome(await thread.run(job))) over = true;
      }
    } finally {
      await thread.end();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
}

class Thread {
  readonly #data: WorkerData;
  #worker: Worker;

  constructor(data: WorkerData) {
    this.#data = data;
    this.#worker = this.#start();
  }

  async run(job: Job): Promise<Outcome> {
    const worker = this.#worker;
    const timely = new AbortController();
    const timer = setTimeout(() => timely.abort(), RUN_MS_MAX);
    worker.postMessage(job);
    try {
      const [outcome] = (await once(worker, "message", timely)) as [Outcome];
      return outcome;
    } catch (error) {
      if (!timely.signal.aborted) throw error;
      await this.end();
      this.#worker = this.#start();
      return stuck(job);
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #start(): Worker {
    const name = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
    return new Worker(new URL(name, import.meta.url), { workerData: this.#data });
  }
}

function stuck(job: Job): Outcome {
  const message = `no end after ${RUN_MS_MAX} ms of real time`;
  const failure = { law: "every run ends", message, trace: [], tasks: "" };
  return { ...job, failure, virtualMs: 0 };
}
