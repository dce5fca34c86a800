//! What Node can do with a terminal: its size, and whether it is raw. The mode is the terminal's, so it is
//! raw from the first handle that wants that to the last that has.

import * as fs from "node:fs";
import { ReadStream, WriteStream } from "node:tty";
import { StackfulError } from "../../errors.ts";
import { permitted } from "../../permissions.ts";
import { errnoOf } from "../resources/errno.ts";
import type { Terminal } from "../resources/standard.ts";

interface RawTerminal {
  readonly stream: ReadStream;
  users: number;
}

/** By device. */
const raw = new Map<number, RawTerminal>();

/** Node does it itself; Deno does not. */
function restoreAll(): void {
  for (const { stream } of raw.values()) stream.setRawMode(false);
}

export class NodeTerminal implements Terminal {
  readonly #fd: number;
  readonly #device: number;
  #raw = false;

  /** @param fd - Of a terminal; not owned. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#device = fs.fstatSync(fd).rdev;
  }

  size(): readonly [number, number] | number {
    return attempt(() => {
      const stream = new WriteStream(this.#open());
      try {
        return stream.getWindowSize();
      } finally {
        stream.destroy();
      }
    });
  }

  setRaw(wanted: boolean): number {
    if (wanted === this.#raw) return 0;
    return attempt(() => {
      if (wanted) this.#acquire();
      else this.#release();
      this.#raw = wanted;
      return 0;
    });
  }

  close(): void {
    this.setRaw(false);
  }

  #acquire(): void {
    let terminal = raw.get(this.#device);
    if (terminal === undefined) {
      const stream = new ReadStream(this.#open());
      stream.on("error", () => {});
      stream.setRawMode(true);
      if (raw.size === 0) process.on("exit", restoreAll);
      terminal = { stream, users: 0 };
      raw.set(this.#device, terminal);
    }
    terminal.users++;
  }

  #release(): void {
    const terminal = raw.get(this.#device)!;
    if (--terminal.users > 0) return;
    raw.delete(this.#device);
    if (raw.size === 0) process.off("exit", restoreAll);
    terminal.stream.setRawMode(false);
    terminal.stream.destroy();
  }

  /** Another description of it, for an object that closes what it is given. Deno is to ask nobody. */
  #open(): number {
    const path = `/dev/fd/${this.#fd}`;
    if (!permitted({ name: "read", path }) || !permitted({ name: "write", path })) {
      throw new StackfulError("SF_IO", `open ${path}: not permitted`, { errno: "ENOTCAPABLE" });
    }
    return fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NOCTTY);
  }
}

function attempt<T>(work: () => T): T | number {
  try {
    return work();
  } catch (error) {
    return -errnoOf(error);
  }
}
