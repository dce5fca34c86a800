//! What the standard streams of simulated processes lead to, when the embedder is at the other end: two pipes
//! and one back, or a terminal.

import { ERRNO } from "../../abi.gen.ts";
import type { Backend, BackendOptions, BackendProvider } from "../backend.ts";
import type { Terminal } from "../resources/standard.ts";
import { Chunks } from "./chunks.ts";
import { LocalChannel } from "./local-channel.ts";
import { LocalEnd, LocalStream } from "./local-stream.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Shareable } from "./shareable.ts";
import type { SimSignal } from "./signals.ts";
import type { SimContext } from "./sim-backend.ts";
import type { SimProcess } from "./sim-process.ts";
import { TerminalInput } from "./terminal-input.ts";

export interface ConsoleOptions {
  /** A terminal of so many columns and rows, from 0 to 65535, in place of pipes. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

/** What a console needs of its host. */
export interface ConsoleHost {
  readonly scheduler: Scheduler;
  open(options: BackendOptions, console: SimConsole): Promise<Backend>;
}

const encoder = new TextEncoder();

/**
 * The embedder's end of standard streams: give it as a runtime's `backend`, and grant the guest `stdio`. What
 * the embedder writes is there to be read at once, and it takes what comes, however much: nobody waits for it.
 *
 * A terminal has one stream for all: `output` of 1. It shows what is typed, and has lines to be read, until a
 * handle makes it raw. In lines, backspace (or DEL) takes a character back, ^D ends the input, and ^C and ^\ are signals.
 */
export class SimConsole implements BackendProvider {
  /** Called with what processes write: to stdout, and of pipes to stderr. Then `output` has nothing. */
  onOutput: ((data: Uint8Array, stream: 1 | 2) => void) | undefined;
  /** Called with the signals of a terminal, for the guest: `(signal) => runtime.raise(signal)`. */
  onSignal: ((signal: SimSignal) => void) | undefined;
  readonly #host: ConsoleHost;
  readonly #input: LocalChannel;
  readonly #ends: readonly [LocalEnd, LocalEnd, LocalEnd];
  readonly #written = { 1: new Chunks(), 2: new Chunks() };
  readonly #processes = new Set<SimProcess>();
  readonly #terminal: TerminalInput | undefined;
  #size: readonly [number, number];
  #rawHandles = 0;

  /** @internal */
  constructor(host: ConsoleHost, { terminal }: ConsoleOptions) {
    this.#host = host;
    const channel = () => new LocalChannel(host.scheduler, Number.POSITIVE_INFINITY);
    const input = channel();
    const output = this.#taken(channel(), 1);
    this.#input = input;
    this.#size = sizeOf(terminal ?? { columns: 0, rows: 0 });
    if (terminal === undefined) {
      this.#ends = [
        new LocalEnd({ in: input }),
        new LocalEnd({ out: output }),
        new LocalEnd({ out: this.#taken(channel(), 2) }),
      ];
    } else {
      const end = new LocalEnd({ in: input, out: output });
      this.#ends = [end, end, end];
      this.#terminal = new TerminalInput({
        input: (data) => input.write(data),
        end: () => input.finish(false),
        echo: (data) => output.write(data),
        signal: (signal) => this.#signal(signal),
      });
    }
    // Processes come and go; these stay.
    for (const end of this.#ends) end.hold();
  }

  /** Whether it is a terminal that some handle has raw. */
  get raw(): boolean {
    return this.#rawHandles > 0;
  }

  /** Types, or writes to the pipe that is stdin. Not after `end`. */
  write(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? encoder.encode(data) : data.slice();
    if (this.#input.ended) throw new RangeError("write to a console: its input has ended");
    if (this.#terminal !== undefined) this.#terminal.type(bytes, this.raw);
    else if (bytes.length > 0) this.#input.write(bytes);
  }

  /** Nothing more is to be read, once what was written is. */
  end(): void {
    this.#terminal?.flush();
    this.#input.finish(false);
  }

  /** Takes what was written to a stream, 1 or 2, since it was last taken. */
  output(stream: 1 | 2 = 1): Uint8Array {
    const written = this.#written[stream];
    const out = new Uint8Array(written.bytes);
    for (let done = 0; done < out.length; ) {
      const data = written.take(out.length - done);
      out.set(data, done);
      done += data.length;
    }
    return out;
  }

  /**
   * The terminal has another size from now on: SIGWINCH tells.
   *
   * @throws {TypeError} it is none.
   * @throws {RangeError} columns or rows are not from 0 to 65535.
   */
  resize(columns: number, rows: number): void {
    if (this.#terminal === undefined) throw new TypeError("resize a console: it is no terminal");
    this.#size = sizeOf({ columns, rows });
    this.#signal("SIGWINCH");
  }

  /** Begins a process of the host whose streams these are. */
  open(options: BackendOptions): Promise<Backend> {
    return this.#host.open(options, this);
  }

  /** @internal One of the three, for a process. */
  stream(number: number, context: SimContext): Shareable {
    const end = this.#ends[number]!;
    if (this.#terminal === undefined) return new LocalStream(context, end);
    return new TerminalStream(context, end, this);
  }

  /** @internal Its signals reach the process until that ends. */
  add(process: SimProcess): void {
    this.#processes.add(process);
    process.whenEnded(() => this.#processes.delete(process));
  }

  /** @internal */
  get size(): readonly [number, number] {
    return this.#size;
  }

  /** @internal One handle more that has it raw, or one less. */
  setRaw(raw: boolean): void {
    this.#rawHandles += raw ? 1 : -1;
    if (this.raw) this.#terminal?.flush();
  }

  #signal(signal: SimSignal): void {
    this.#host.scheduler.javascript();
    for (const process of [...this.#processes]) process.signal(signal);
    this.onSignal?.(signal);
  }

  /** What is written to the channel comes here. */
  #taken(channel: LocalChannel, stream: 1 | 2): LocalChannel {
    channel.readers.add(() => {
      while (channel.available > 0) {
        const data = channel.take(channel.available);
        if (this.onOutput === undefined) {
          this.#written[stream].push(data);
          continue;
        }
        this.#host.scheduler.javascript();
        this.onOutput(data, stream);
      }
    });
    return channel;
  }
}

/** A terminal as a handle, raw or not. */
class TerminalStream extends LocalStream {
  readonly terminal: Terminal;
  readonly #end: LocalEnd;
  readonly #console: SimConsole;
  #raw = false;

  constructor(context: SimContext, end: LocalEnd, console: SimConsole) {
    super(context, end);
    this.#end = end;
    this.#console = console;
    this.terminal = {
      size: () => console.size,
      setRaw: (raw) => this.#setRaw(raw),
    };
  }

  override share(context: SimContext): TerminalStream {
    return new TerminalStream(context, this.#end, this.#console);
  }

  protected override shutdown(): number {
    return -ERRNO.ENOTSOCK;
  }

  protected override release(): number {
    this.#setRaw(false);
    return super.release();
  }

  #setRaw(raw: boolean): number {
    if (raw !== this.#raw) this.#console.setRaw(raw);
    this.#raw = raw;
    return 0;
  }
}

function sizeOf({ columns, rows }: { columns: number; rows: number }): readonly [number, number] {
  for (const count of [columns, rows]) {
    if (Number.isInteger(count) && count >= 0 && count <= 0xffff) continue;
    throw new RangeError(`a terminal has 0 to 65535 columns and rows, not ${count}`);
  }
  return [columns, rows];
}
