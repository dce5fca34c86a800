//! A guest under test: its runtime, servers and clients in it, and what must be left of them at the end.

import assert from "node:assert/strict";
import { formatDump } from "../../ts/runtime/dump-format.ts";
import type { Limits, RuntimeGrants } from "../../ts/runtime/options.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import type { Task } from "../../ts/runtime/task.ts";
import { buildGuest } from "../support/build-guest.ts";
import { type FaultBackend, providerOf } from "./backends.ts";
import { checkTally, readTally, type Tally } from "./tally.ts";

/** No run is so slow, however busy the machine: it hangs. */
const HANG_MS = 300_000;

export interface BenchOptions {
  readonly backend: FaultBackend;
  /** @defaultValue "faults" */
  readonly guest?: string;
  readonly limits?: Partial<Limits>;
  readonly grants?: RuntimeGrants;
  /** How long it goes on by intention. @defaultValue 0 */
  readonly lastsMs?: number;
}

export interface Server {
  readonly port: number;
  /** Stops accepting, and waits for the connections. */
  close(): Promise<Tally>;
}

export const LOOPBACK: RuntimeGrants = { connect: ["127.0.0.1:*"], listen: ["127.0.0.1:*"] };

export class Bench {
  readonly runtime: Runtime;

  private constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  /** Runs `body` with a guest; afterwards no task and no handle may be left. */
  static async with<T>(
    { backend, guest = "faults", limits, grants = LOOPBACK, lastsMs = 0 }: BenchOptions,
    body: (bench: Bench) => Promise<T>,
  ): Promise<T> {
    const { wasm } = await buildGuest(guest);
    const runtime = await Runtime.create(wasm, {
      backend: providerOf(backend),
      grants,
      imports: { env: { act: () => 0 } },
      limits: { shutdownMs: 1_000, ...limits },
    });
    const bench = new Bench(runtime);
    try {
      const before = bench.held();
      const result = await bench.ends("the run", body(bench), lastsMs);
      assert.deepEqual(bench.held(), before, "nothing is left of it");
      return result;
    } finally {
      await runtime[Symbol.asyncDispose]();
    }
  }

  /** What the guest has of tasks, handles and memory for stacks. */
  held(): object {
    const { tasksLive, handlesOpen, regionsBytes, regionsFreeBytes } = this.runtime.stats;
    return { tasksLive, handlesOpen, regionsUsed: regionsBytes - regionsFreeBytes };
  }

  /** @throws {Error} it hangs; the message is what the guest waits for. */
  async ends<T>(what: string, promise: Promise<T>, lastsMs = 0): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const hang = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`${what} hangs:\n${formatDump(this.runtime.dump())}`));
      }, lastsMs + HANG_MS);
    });
    try {
      return await Promise.race([promise, hang]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Calls an export in a task; its result is not an error. */
  async call(entry: string, ...args: number[]): Promise<number> {
    const result = await this.spawn(entry, ...args);
    assert(typeof result === "number" && result >= 0, `${entry} gives ${String(result)}`);
    return result;
  }

  /** Calls an export that is a law: 0, or the line that does not hold. */
  async law(entry: string, ...args: number[]): Promise<void> {
    assert.equal(await this.spawn(entry, ...args), 0, `the line of ${entry} that does not hold`);
  }

  spawn(entry: string, ...args: number[]): Task {
    return this.runtime.spawn(entry, args, { stackBytes: 65_536 });
  }

  /** `body` gets a tally, which is checked afterwards. */
  async counted(body: (tally: number) => Promise<void>): Promise<Tally> {
    const address = await this.call("tally_new");
    await body(address);
    return this.#take(address);
  }

  /** Clients of streams with so many bytes, -1: without an end. */
  clients(port: number, first: number, count: number, bytes: number): Promise<Tally> {
    return this.counted(
      async (tally) => void (await this.call("clients", port, first, count, bytes, tally)),
    );
  }

  /** A server that sends back; without `waits` it closes connections that it has no task for. */
  async server({ backlog = 1_024, waits = true } = {}): Promise<Server> {
    const address = await this.call("tally_new");
    const listener = await this.call("server_listen", backlog);
    const port = await this.call("server_port", listener);
    const task = this.spawn("serve", listener, waits ? 1 : 0, address);
    const close = async (): Promise<Tally> => {
      task.cancel();
      assert.equal(await task, 0, "what the server ends with");
      return this.#take(address);
    };
    return { port, close };
  }

  async #take(address: number): Promise<Tally> {
    const tally = readTally(this.runtime.memory, address);
    await this.spawn("tally_free", address);
    checkTally(tally);
    return tally;
  }
}
