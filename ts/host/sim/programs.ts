//! The programs of a simulated host, by their paths, and its processes.

import { ERRNO } from "../../abi.gen.ts";
import { pathFailure } from "../resources/guest-path.ts";
import type { SimDisk } from "./disk.ts";
import type { ProcessOptions } from "./options.ts";
import type { Random } from "./random.ts";
import type { SimProgram } from "./sim-process.ts";

/** Where a name without a path is looked for, as in any shell's PATH. */
export const SIM_PATH = "/usr/local/bin:/usr/bin:/bin";

const ANYBODY_RUNS = 0o111;

/** What runs for a path. */
export interface Found {
  readonly program: SimProgram;
  /** Of a script: its interpreter, and what comes before the script's path. */
  readonly before: readonly string[];
}

export class Programs {
  readonly #disk: SimDisk;
  readonly #random: Random;
  readonly #options: () => ProcessOptions;
  readonly #programs = new Map<string, SimProgram>();

  constructor(disk: SimDisk, random: Random, options: () => ProcessOptions) {
    this.#disk = disk;
    this.#random = random;
    this.#options = options;
  }

  /** @throws {TypeError} `path` is no absolute path of a program. */
  add(path: string, program: SimProgram): void {
    if (!/^(\/[^/\0]+)+$/.test(path)) {
      throw new TypeError(`program ${path}: it is no absolute path of a program`);
    }
    this.#programs.set(path, program);
  }

  /** What a SPAWN takes, in nanoseconds. */
  delayNs(): number {
    const { startMs, jitterMs } = this.#options();
    const jitter = jitterMs === 0 ? 0 : jitterMs * this.#random.next();
    return Math.round((startMs + jitter) * 1e6);
  }

  /** Whether a SPAWN fails with EAGAIN. */
  fails(): boolean {
    return this.#random.chance(this.#options().spawnFailures);
  }

  /**
   * A program that was added, or a script on the disk whose interpreter was.
   *
   * @throws {StackfulError} `SF_IO` with the errno of SPAWN.
   */
  find(path: string): Found {
    const program = this.#programs.get(path);
    if (program !== undefined) return { program, before: [] };
    const real = this.#disk.realPath(path);
    const target = this.#programs.get(real);
    if (target !== undefined) return { program: target, before: [] };
    const node = this.#disk.find(real);
    if (node === undefined) throw pathFailure(this.#whyMissing(path), path);
    if (node.kind !== "file" || (node.mode & ANYBODY_RUNS) === 0) throw pathFailure("EACCES", path);
    const [first = ""] = new TextDecoder().decode(this.#disk.readFile(real)).split("\n");
    const [, interpreter = "", argument] = /^#! *(\/[^ ]+) *(.*)$/.exec(first) ?? [];
    // A program of another machine is none here.
    if (interpreter === "") throw pathFailure("ENOEXEC", path);
    const run = this.#programs.get(interpreter);
    if (run === undefined) throw pathFailure("ENOENT", interpreter);
    return { program: run, before: [interpreter, ...(argument ? [argument] : []), path] };
  }

  #whyMissing(path: string): "ENOENT" | "ENOTDIR" {
    const names = path.split("/");
    const above = names.map((_name, index) => this.#disk.find(names.slice(0, index).join("/")));
    return above.some((node) => node?.kind === "file") ? "ENOTDIR" : "ENOENT";
  }
}

/** Whether the next of several paths is tried after it. */
export function triesNext(errno: number): boolean {
  return errno === ERRNO.ENOENT || errno === ERRNO.ENOTDIR || errno === ERRNO.EACCES;
}
