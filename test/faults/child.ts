//! The program of one run, in surroundings. Its parameter is the job; it prints its counts.

import { type FaultJob, runHere } from "./run.ts";
import { scenarioOf } from "./scenarios/index.ts";

const job = JSON.parse(process.argv[2]!) as FaultJob;
const counts = await runHere(scenarioOf(job.scenario), job);
process.stdout.write(JSON.stringify(counts));
