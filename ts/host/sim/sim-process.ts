//! A process of a simulated host that runs a program written in JavaScript, which may run a guest in turn.

import { ERRNO, OP } from "../../abi.gen.ts";
import { StackfulError } from "../../errors.ts";
import type { Backend, BackendOptions, BackendProvider } from "../backend.ts";
import { errnoName } from "../resources/errno.ts";
import { HandleTable } from "../resources/handle-table.ts";
import type { Resource } from "../resources/resource.ts";
import type { ExitStatus } from "../resources/spawn-request.ts";
import { CallEvent } from "./event-queue.ts";
import { ProgramIo } from "./program-io.ts";
import type { Shareable } from "./shareable.ts";
import { SIGNAL_NUMBERS, type SimSignal } from "./signals.ts";
import type { SimContext } from "./sim-backend.ts";
import type { SimConsole } from "./sim-console.ts";
import type { SimHost } from "./sim-host.ts";

/**
 * A program: runs until what it returns has settled, with its exit code, of which the lowest 8 bits count. It
 * is called at a moment of virtual time, and waits for nothing but its process (`read`, `write`, `sleep`),
 * its world, and runtimes that live in it: what waits for the real world comes at a moment that no seed knows.
 *
 * One that throws ends with the code 1, after the error on its stderr; of a write that nobody will read, as
 * SIGPIPE ends it.
 */
export type SimProgram = (process: SimProcess) => number | Promise<number>;

/** What a process begins with. */
export interface ProcessStart {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A path on the host's disk. */
  readonly directory: string;
  readonly console: SimConsole | undefined;
  /** Its streams 0 to 2, each made for its context. */
  streams(context: SimContext): readonly [Shareable, Shareable, Shareable];
}

/** What a host gives its processes. */
export interface ProcessHost {
  readonly pid: number;
  readonly host: SimHost;
  readonly context: Pick<SimContext, "host" | "network" | "files">;
  open(options: BackendOptions, process: SimProcess): Promise<Backend>;
  /** It has ended. */
  onEnd(process: SimProcess, status: ExitStatus): void;
}

type ProcessChange =
  | { readonly type: "exec" }
  | { readonly type: "signal"; readonly signal: string }
  | { readonly type: "exit"; readonly code: number; readonly signal: number };

const READ_BYTES = 64 * 1024;

const encoder = new TextEncoder();

/** A running program: give it as a runtime's `backend`, and the guest has its streams, and ends with it. */
export class SimProcess implements BackendProvider {
  readonly host: SimHost;
  /** From 1, in the order in which the processes of a host begin. */
  readonly pid: number;
  readonly path: string;
  /** With argv[0]. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where it starts: a path on the host's disk. */
  readonly directory: string;
  /** @internal Of the terminal that it belongs to. */
  readonly console: SimConsole | undefined;
  /** @internal */
  readonly context: SimContext;
  readonly #parts: ProcessHost;
  readonly #io: ProgramIo;
  readonly #streams: readonly [Shareable, Shareable, Shareable];
  readonly #closed = new Set<number>();
  readonly #handlers = new Map<SimSignal, (() => void) | "ignore">();
  readonly #onEnd = new Set<(status: ExitStatus) => void>();
  readonly #sleeps = new Set<CallEvent>();
  #status: ExitStatus | undefined;
  /** What a write threw. */
  #brokenPipe: unknown;

  /** @internal */
  constructor(parts: ProcessHost, start: ProcessStart) {
    this.#parts = parts;
    this.host = parts.host;
    this.pid = parts.pid;
    this.path = start.path;
    this.arguments = start.arguments;
    this.environment = start.environment;
    this.directory = start.directory;
    this.console = start.console;
    const { scheduler } = parts.context.network;
    this.#io = new ProgramIo(scheduler);
    const { ring, operations } = this.#io;
    const handles = new HandleTable<Resource>(0);
    this.context = { ...parts.context, ring, operations, handles };
    this.#streams = start.streams(this.context);
  }

  /** Whether it has ended: then it can do nothing more. */
  get ended(): boolean {
    return this.#status !== undefined;
  }

  /**
   * Reads from stdin: what there is, at least one byte and at most `bytesMax`; nothing at its end.
   *
   * @throws {StackfulError} `SF_IO`, with the errno; ESRCH once the process has ended.
   */
  async read(bytesMax = READ_BYTES): Promise<Uint8Array> {
    const data = new Uint8Array(bytesMax);
    return data.subarray(0, await this.#transfer(0, OP.READ, data));
  }

  /**
   * Writes all of it to stdout, or to stderr: 2.
   *
   * @throws {StackfulError} as `read`; EPIPE when nobody will read it.
   */
  async write(data: string | Uint8Array, stream: 1 | 2 = 1): Promise<void> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data.slice();
    for (let done = 0; done < bytes.length; ) {
      done += await this.#transfer(stream, OP.WRITE, bytes.subarray(done));
    }
  }

  /** Closes one of its streams before the end of the process. */
  close(stream: 0 | 1 | 2): void {
    if (this.ended || this.#closed.has(stream)) return;
    this.#closed.add(stream);
    void this.#streams[stream].close();
  }

  /**
   * Resolves in so many milliseconds of virtual time.
   *
   * @throws {StackfulError} as `read`.
   */
  async sleep(ms: number): Promise<void> {
    const { scheduler } = this.context.network;
    this.#check("sleep");
    await new Promise<void>((resolve) => {
      const wake = new CallEvent(() => {
        this.#sleeps.delete(wake);
        scheduler.javascript();
        resolve();
      });
      this.#sleeps.add(wake);
      scheduler.after(ms * 1e6, wake);
    });
    this.#check("sleep");
  }

  /**
   * What a signal does from now on: calls `handler`, nothing, or what it does by default: SIGWINCH nothing,
   * any other ends the process.
   */
  onSignal(signal: SimSignal, handler: (() => void) | "ignore" | "default"): void {
    if (handler === "default") this.#handlers.delete(signal);
    else this.#handlers.set(signal, handler);
  }

  /** Sends it a signal. */
  signal(signal: SimSignal | "SIGKILL"): void {
    if (this.ended) return;
    this.#tell({ type: "signal", signal });
    const handler = signal === "SIGKILL" ? undefined : this.#handlers.get(signal);
    if (handler === "ignore" || (handler === undefined && signal === "SIGWINCH")) return;
    if (handler === undefined) {
      this.#end({ code: -1, signal: SIGNAL_NUMBERS[signal] });
      return;
    }
    const { scheduler } = this.context.network;
    const call = new CallEvent(() => {
      if (this.ended) return;
      scheduler.javascript();
      handler();
    });
    scheduler.after(0, call);
  }

  /** Ends it at once, whatever its program is at. */
  exit(code: number): void {
    this.#end({ code: code & 0xff, signal: 0 });
  }

  /** Opens what a guest needs that runs in this process: its STDIO are this one's streams. */
  async open(options: BackendOptions): Promise<Backend> {
    this.#check("open a runtime");
    return await this.#parts.open(options, this);
  }

  /** @internal Stream `number`, for another process. */
  stream(number: number, context: SimContext): Shareable {
    return this.#streams[number]!.share(context);
  }

  /** @internal Calls `tell` once, when it ends. */
  whenEnded(tell: (status: ExitStatus) => void): void {
    if (this.#status === undefined) this.#onEnd.add(tell);
    else tell(this.#status);
  }

  /** @internal In an event of the scheduler. */
  run(program: SimProgram): void {
    this.context.network.scheduler.javascript();
    this.#tell({ type: "exec" });
    void this.#run(program);
  }

  async #run(program: SimProgram): Promise<void> {
    try {
      this.exit(await program(this));
    } catch (error) {
      await this.#failed(error);
    }
  }

  async #failed(error: unknown): Promise<void> {
    if (this.ended) return;
    if (error === this.#brokenPipe) {
      this.#end({ code: -1, signal: SIGNAL_NUMBERS.SIGPIPE });
      return;
    }
    await this.write(`${error}\n`, 2).catch(() => {});
    this.exit(1);
  }

  async #transfer(stream: number, code: number, data: Uint8Array): Promise<number> {
    const what = code === OP.READ ? "read" : "write";
    this.#check(what);
    const result = this.#closed.has(stream)
      ? -ERRNO.EBADF
      : await this.#io.transfer(this.#streams[stream]!, code, data);
    this.#check(what);
    if (result >= 0) return result;
    const errno = errnoName(-result);
    const message = `${what} stream ${stream} of ${this.path}: ${errno}`;
    const error = new StackfulError("SF_IO", message, { errno });
    if (errno === "EPIPE") this.#brokenPipe = error;
    throw error;
  }

  #tell(what: ProcessChange): void {
    const { observer } = this.context.network;
    if (!observer.watched) return;
    const { host, pid, path } = this;
    observer.tell({ ...what, host: host.name, pid, path });
  }

  #check(what: string): void {
    if (!this.ended) return;
    throw new StackfulError("SF_IO", `${what}: process ${this.pid} (${this.path}) has ended`, {
      errno: "ESRCH",
    });
  }

  #end(status: ExitStatus): void {
    if (this.ended) return;
    this.#status = status;
    this.#tell({ type: "exit", ...status });
    this.#streams.forEach((stream, number) => {
      if (!this.#closed.has(number)) void stream.close();
    });
    const { scheduler } = this.context.network;
    for (const wake of this.#sleeps) {
      scheduler.cancel(wake);
      wake.run();
    }
    this.#parts.onEnd(this, status);
    for (const tell of this.#onEnd) tell(status);
    this.#onEnd.clear();
    scheduler.javascript();
  }
}
