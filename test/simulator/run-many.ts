//! Many runs, on several threads: each run depends on its seed alone.

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
    let thread = startThread({ modules });
    try {
      for (let job = takeNext(); job !== undefined; job = takeNext()) {
        const outcome = await runOn(thread, job);
        if (outcome === "stuck") {
          await thread.terminate();
          thread = startThread({ modules });
        }
        if (!onOutcome(outcome === "stuck" ? stuck(job) : outcome)) over = true;
      }
    } finally {
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
}

function startThread(workerData: WorkerData): Worker {
  const name = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
  return new Worker(new URL(name, import.meta.url), { workerData });
}

function runOn(thread: Worker, job: Job): Promise<Outcome | "stuck"> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve("stuck"), RUN_MS_MAX);
    const settle = (): void => {
      clearTimeout(timer);
      thread.removeAllListeners();
    };
    thread.once("message", (outcome: Outcome) => {
      settle();
      resolve(outcome);
    });
    thread.once("error", (error) => {
      settle();
      reject(error);
    });
    thread.postMessage(job);
  });
}

function stuck(job: Job): Outcome {
  const message = `no end after ${RUN_MS_MAX} ms of real time`;
  const failure = { law: "every run ends", message, trace: [], tasks: "" };
  return { ...job, failure, virtualMs: 0, traceHash: "", trace: undefined };
}
