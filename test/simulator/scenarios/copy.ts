//! A file copier whose host crashes: under a final name there is a whole copy, or nothing.

import type { SimDisk } from "../../../ts/host/sim/disk.ts";
import { FILE_ERRORS } from "../documented-errors.ts";
import { errorName, type Report } from "../reports.ts";
import type { Scenario } from "../scenario.ts";
import { check } from "../violation.ts";
import { isCalm } from "./network.ts";

/** As in guests/copy.c. */
const KIND = { copied: 1, failed: 2, skipped: 3 } as const;
const MAGIC = 0x79706f63;
const RECORD = { magic: 0, generation: 4, bytes: 8, sum: 12, checksum: 16, size: 20 } as const;

const FILE_BYTES_MAX = 60_000;
const ATTEMPTS_MAX = 3;
const RUNS_MAX = 6;

export const copy: Scenario = {
  name: "copy",
  guest: "copy",
  async run(simulation) {
    const { random } = simulation;
    const host = simulation.host("box");
    const { disk } = host;
    const sources = Array.from({ length: 1 + random.integer(6) }, () =>
      random.bytes(random.integer(FILE_BYTES_MAX)),
    );
    disk.makeDirectory("/in");
    disk.makeDirectory("/out");
    sources.forEach((content, file) => {
      disk.writeFile(`/in/f${file}`, content);
    });
    const small = simulation.preset === "chaos" && random.chance(0.2);
    if (small) simulation.world.configure({ files: { diskBytesMax: random.integer(600_000) } });

    let runs = 0;
    const atOnce = 1 + random.integer(4);
    const copier = simulation.service({
      host,
      entry: "copy_all",
      args: () => [sources.length, atOnce, ATTEMPTS_MAX],
      grants: {
        directories: [
          { host: "/in", guest: "/in", readOnly: true },
          { host: "/out", guest: "/out" },
        ],
      },
      onEnd: (result) => (result === 0 || ++runs === RUNS_MAX ? "done" : "restart"),
    });
    await copier.start();
    const plan = simulation.plan({
      withinMs: 2_000,
      services: [copier],
      programs: () => (copier.program === undefined ? [] : [copier.program]),
      links: [],
    });
    await copier.done;
    plan.stop();
    await copier.stop();

    const copied = new Set<number>();
    const calm = isCalm(simulation, plan);
    for (const program of copier.programs) checkRun(program.reports(), copied, calm);
    if (calm)
      check(copied.size === sources.length, "nothing fails by itself", () => `${[...copied]}`);
    // Only what is on the device counts.
    host.crash();
    host.restart();
    sources.forEach((content, file) => {
      checkCopy(disk, file, content, copied.has(file));
    });
  },
};

function checkRun(reports: readonly Report[], copied: Set<number>, calm: boolean): void {
  for (const { kind, fields } of reports) {
    const [file, result] = fields as [number, number];
    if (kind === KIND.copied) copied.add(file);
    if (kind !== KIND.failed) continue;
    const what = (): string => `f${file}: ${fields.map(errorName)}`;
    check(FILE_ERRORS.has(result), "failures have documented errors", what);
    check(!calm, "nothing fails by itself", what);
  }
}

function checkCopy(disk: SimDisk, file: number, source: Uint8Array, copied: boolean): void {
  const generation = committed(disk, file, source.length);
  if (generation === undefined) {
    check(!copied, "what was copied is durable", () => `f${file} has no commit record`);
    return;
  }
  const data = read(disk, `/out/f${file}.${generation}`);
  const same = data?.length === source.length && data.every((byte, at) => byte === source[at]);
  check(same, "under a final name there is a whole copy", () => {
    const first = data?.findIndex((byte, at) => byte !== source[at]);
    return `f${file}.${generation}: ${data?.length} of ${source.length} bytes, differs at ${first}`;
  });
}

/** Where the commit record says that the data is; undefined when there is no valid one. */
function committed(disk: SimDisk, file: number, bytes: number): number | undefined {
  const record = read(disk, `/out/f${file}`);
  if (record === undefined || record.length < RECORD.size) return undefined;
  const view = new DataView(record.buffer, record.byteOffset);
  const sum = checksum(record.subarray(0, RECORD.checksum));
  if (view.getUint32(RECORD.magic, true) !== MAGIC) return undefined;
  if (view.getUint32(RECORD.checksum, true) !== sum) return undefined;
  const said = view.getUint32(RECORD.bytes, true);
  check(said === bytes, "a commit record is true", () => `f${file}: ${said} of ${bytes} bytes`);
  return view.getUint32(RECORD.generation, true);
}

function read(disk: SimDisk, path: string): Uint8Array | undefined {
  return disk.exists(path) ? disk.readFile(path) : undefined;
}

/** As in guests/frames.h. */
function checksum(data: Uint8Array): number {
  return data.reduce((sum, byte) => Math.imul(sum ^ byte, 16777619), 2166136261) >>> 0;
}
