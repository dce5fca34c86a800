//! The file scenarios as a guest does them.

import { dirname } from "node:path";
import type { BackendName, Runtime } from "../../ts/index.ts";
import { blockFile } from "../file-data.ts";
import { emptyDirectory, fileTree, writtenChecksum } from "../file-tree.ts";
import { sampleOf, type Timed, timedWork } from "../file-work.ts";
import { type Implementation, type Params, param } from "../scenario.ts";
import { benchRuntime } from "./guest.ts";

interface GuestWork {
  /** Of bench/guests. */
  readonly guest: string;
  /** What the guest sees as /data. */
  readonly directory: (params: Params) => string;
  readonly task: string;
  readonly args: (params: Params) => number[];
}

/** Runs a task of a guest; the runtime is opened once in a process, so that the warm-up warms it up. */
function guestWork(backend: BackendName, { guest, directory, task, args }: GuestWork) {
  let shared: Promise<Runtime> | undefined;
  return async (params: Params): Promise<Timed> => {
    const host = directory(params);
    shared ??= benchRuntime(guest, {
      backend,
      grants: { directories: [{ host, guest: "/data" }] },
    });
    const runtime = await shared;
    const before = runtime.stats;
    const timed = await timedWork(() => runtime.spawn(task, args(params)));
    const { turns, systemCalls } = runtime.stats;
    const notes = { turns: turns - before.turns, systemCalls: systemCalls - before.systemCalls };
    return { ...timed, notes };
  };
}

/** `depth` tasks share one handle. */
export function readOn(backend: BackendName): Implementation {
  const work = guestWork(backend, {
    guest: "file",
    directory: (params) => dirname(blockFile(param(params, "blocks"))),
    task: "random_reads",
    args: (params) => ["depth", "reads", "blocks"].map((name) => param(params, name)),
  });
  return async (params) => sampleOf("read", param(params, "reads"), await work(params));
}

/** `depth` tasks at most, one for each directory. */
export function walkOn(backend: BackendName): Implementation {
  const work = guestWork(backend, {
    guest: "file-walk",
    directory: (params) => dirname(fileTree(param(params, "files"))),
    task: "walk_tree",
    args: (params) => [param(params, "depth"), param(params, "stat")],
  });
  return async (params) => sampleOf("file", param(params, "files"), await work(params));
}

/** `depth` tasks, each of which takes the next file. */
export function writeOn(backend: BackendName): Implementation {
  const work = guestWork(backend, {
    guest: "file-write",
    directory: () => dirname(emptyDirectory()),
    task: "write_files",
    args: (params) => [param(params, "depth"), param(params, "files")],
  });
  return async (params) => {
    const files = param(params, "files");
    const { result, ...timed } = await work(params);
    if (result !== 0) throw new Error(`the guest failed with ${result}`);
    return sampleOf("file", files, { ...timed, result: writtenChecksum(files) });
  };
}
