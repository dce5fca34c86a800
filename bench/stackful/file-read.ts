//! Random reads of a guest: `depth` tasks share one handle.

import type { BackendName, Runtime } from "../../ts/index.ts";
import { blockFile, dataDirectory } from "../file-data.ts";
import { type Implementation, param } from "../scenario.ts";
import { benchRuntime } from "./guest.ts";

/** `backend`: opened once in a process, so that the warm-up warms it up. */
export function readOn(backend: BackendName): Implementation {
  let shared: Promise<Runtime> | undefined;
  return async (params) => {
    const [depth, reads] = [param(params, "depth"), param(params, "reads")];
    const blocks = param(params, "blocks");
    blockFile(blocks);
    shared ??= benchRuntime("file", {
      backend,
      grants: { directories: [{ host: dataDirectory, guest: "/data", readOnly: true }] },
    });
    const runtime = await shared;
    const before = runtime.stats;
    const cpu = process.cpuUsage();
    const started = performance.now();
    const sum = await runtime.spawn("random_reads", [depth, reads, blocks]);
    const us = (performance.now() - started) * 1e3;
    const { user, system } = process.cpuUsage(cpu);
    const { turns, systemCalls } = runtime.stats;
    const notes = { turns: turns - before.turns, systemCalls: systemCalls - before.systemCalls };
    return {
      metrics: { "reads/s": (reads / us) * 1e6, "us-cpu/read": (user + system) / reads },
      checksum: String(sum),
      notes,
    };
  };
}
