//! A process that does one job after the other. Its argument: a file with the core of its guests.

import { readFileSync } from "node:fs";
import { buildGuest } from "./build.ts";
import { type Job, run } from "./run.ts";
import { scenarioOf } from "./scenarios/index.ts";

const [corePath] = process.argv.slice(2);
const core = corePath === undefined ? undefined : readFileSync(corePath);
const modules = new Map<string, Promise<WebAssembly.Module>>();

process.on("message", async (job: Job) => {
  const { guest } = scenarioOf(job.scenario);
  const module = modules.get(guest) ?? buildGuest(guest, core);
  modules.set(guest, module);
  process.send!(await run(job, await module));
});
