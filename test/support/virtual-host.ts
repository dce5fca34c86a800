//! A linked guest with a clock that stands still while anything can run, and then jumps to the next
//! deadline: laws of time need no patience, and every run of one is the same. No I/O.
//!
//! For laws of the core; what needs a Runtime takes virtual-time.ts.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ERRNO, FAULT, SHARED } from "../../ts/abi.gen.ts";
import { Guest } from "../../ts/guest/guest.ts";
import type { LinkInfo } from "../../ts/link/section.ts";
import { type LoadedGuest, loadGuest } from "../../ts/runtime/load.ts";
import { DEFAULT_LIMITS, type Limits } from "../../ts/runtime/options.ts";
import { TaskTable } from "../../ts/runtime/task-table.ts";
import type { GuestOptions, TestGuest } from "./build-guest.ts";
import { guestOfFile } from "./guest-of-file.ts";

/** No timer is armed, or none that a number can tell from that. */
const NEVER_NS = 2 ** 63;

/** Switches per run: few, so that turns end in the middle of things. */
const BUDGET = 61;

/** Compiled once: a law of many cases has an instance for each. */
const loaded = new WeakMap<TestGuest, Promise<LoadedGuest>>();

export class VirtualHost {
  nowNs = 1_000_000_000;
  /** Errors that tasks of the guest's own ended with. */
  readonly failures: unknown[] = [];
  readonly guest: Guest;
  readonly #tasks: TaskTable;
  readonly #entries: LinkInfo["entries"];

  /**
   * Guests may import, from `test`, `advance(ns)`: time passes while the task computes; `raise(kind)`:
   * a signal; and `memory_end()`: where memory ends.
   */
  static async open(guest: TestGuest, limits: Partial<Limits> = {}): Promise<VirtualHost> {
    let loading = loaded.get(guest);
    if (loading === undefined) {
      loading = loadGuest(guest.wasm, []);
      loaded.set(guest, loading);
    }
    const { module, info } = await loading;
    let host: VirtualHost;
    const imports = {
      stackful_host: {
        monotonic_ns: () => BigInt(host.nowNs),
        wall_ns: () => BigInt(host.nowNs),
        probe: () => {},
        attempt: () => -ERRNO.EAGAIN,
      },
      test: {
        advance: (ns: bigint) => {
          host.nowNs += Number(ns);
        },
        raise: (kind: number) => host.guest.core.stackful_signal_raise(kind),
        memory_end: () => host.guest.memory.buffer.byteLength,
      },
    };
    const instance = await WebAssembly.instantiate(module, imports);
    host = new VirtualHost(new Guest(instance), info.entries);
    host.guest.start({ ...DEFAULT_LIMITS, ...limits });
    (instance.exports._initialize as (() => void) | undefined)?.();
    return host;
  }

  private constructor(guest: Guest, entries: LinkInfo["entries"]) {
    this.guest = guest;
    this.#entries = entries;
    this.#tasks = new TaskTable(guest, () => {});
  }

  get tasksLive(): number {
    return this.guest.sharedU32(SHARED.tasksLive);
  }

  /** Runs an export as a task, and everything else until nobody is left. */
  async run(entry: string, args: readonly (number | bigint)[], stackBytes = 65_536) {
    const found = this.#entries[entry];
    if (found === undefined) throw new TypeError(`the guest exports no ${entry}`);
    const task = this.#tasks.create(entry, found, args, stackBytes);
    task.start();
    while (this.tasksLive > 0) {
      if (this.turn()) continue;
      const deadlineNs = this.guest.sharedU64(SHARED.deadlineNs);
      if (this.tasksLive === 0) break;
      if (deadlineNs >= NEVER_NS) {
        const waits = this.#tasks.list().map(({ name, waitsFor }) => `${name}: ${waitsFor}`);
        const result =
          task.status === "ended" ? `${entry} returned ${String(await task)}, but ` : "";
        throw new Error(`${result}nothing can happen any more: ${waits.join(", ")}`);
      }
      this.nowNs = Math.max(this.nowNs, deadlineNs);
    }
    return await task;
  }

  /** Runs the guest once; whether there is more to do before time passes. */
  turn(): boolean {
    const { guest } = this;
    guest.setNow(this.nowNs);
    let ready = true;
    try {
      ready = guest.core.stackful_run(BUDGET) !== 0;
    } catch (error) {
      const address = guest.current;
      if (address === 0) throw error;
      guest.core.stackful_fail_current(FAULT.TRAP);
      if (!this.#tasks.noteFailure(address, error)) this.failures.push(error);
    }
    this.#tasks.drain();
    return ready || guest.sharedU32(SHARED.sleepers) > 0;
  }
}

/** As `lawsOf` in runtime.ts, in virtual time. */
export function virtualLawsOf(name: string, guestOptions: GuestOptions = {}) {
  const load = guestOfFile(name, guestOptions);
  const law = (
    title: string,
    entry: string,
    args: readonly (number | bigint)[] = [],
    limits: Partial<Limits> = {},
  ): void => {
    test(title, async () => {
      const host = await VirtualHost.open(await load(), limits);
      const line = await host.run(entry, args);
      expect(line, `the law broken at ${name}.c:${String(line)}`).toBe(0);
      expect(host.tasksLive).toBe(0);
    });
  };
  /** A law of so many tasks, so many rounds and a seed: under any interleaving that they give. */
  const churn = (title: string, entry: string): void => {
    test(title, async () => {
      const loaded = await load();
      const some = fc.integer({ min: 1, max: 20 });
      const run = fc.asyncProperty(some, some, fc.nat(), async (tasks, rounds, seed) => {
        const host = await VirtualHost.open(loaded, { guestMemoryBytes: 4 << 20 });
        expect(await host.run(entry, [tasks, rounds, seed])).toBe(0);
      });
      await fc.assert(run, { numRuns: 40 });
    });
  };
  return { load, law, churn };
}
