//! A thread that does one job after the other.

import { parentPort, workerData } from "node:worker_threads";
import { type Job, run } from "./run.ts";

/** What a thread is given once. */
export interface WorkerData {
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
}

const { modules } = workerData as WorkerData;
const port = parentPort!;

port.on("message", (job: Job) => {
  void run(job, modules.get(job.scenario)!).then((outcome) => port.postMessage(outcome));
});
