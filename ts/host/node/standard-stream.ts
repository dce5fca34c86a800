//! A pipe, a socket or a terminal among the process's own streams, on Node's object for it, which the
//! embedder may use too. What Node has read stays with that object when the handle is closed.

import type { Socket } from "node:net";
import { ConnectionBase } from "../resources/connection.ts";
import { errnoOf } from "../resources/errno.ts";
import type { Operation } from "../resources/operation.ts";
import { type Context, TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import { SocketOptions } from "../resources/socket-options.ts";
import { type Direction, refusedByStandard, type Terminal } from "../resources/standard.ts";
import type { Segments } from "../ring.ts";

/** Those that have somebody to tell of an error, however late it comes. */
const heard = new WeakSet<Socket>();

export class StandardStream extends ConnectionBase {
  override readonly local = undefined;
  override readonly peer = undefined;
  override readonly options = new SocketOptions("tcp", { options: [], set: () => 0 });
  readonly terminal: Terminal | undefined;
  readonly #stream: Socket;
  readonly #direction: Direction;
  readonly #onReadable = (): void => this.pumpReads();
  readonly #onEnd = (): void => {
    this.ended = true;
    this.pumpReads();
  };
  readonly #onError = (error: Error): void => {
    this.readFailure = this.writeFailure = errnoOf(error);
    this.pumpReads();
    this.pumpWrites();
  };

  constructor(
    context: Context,
    stream: Socket,
    direction: Direction,
    terminal: (Terminal & { close(): void }) | undefined,
  ) {
    super(context);
    this.#stream = stream;
    this.#direction = direction;
    this.terminal = terminal;
    this.#closeTerminal = () => terminal?.close();
    if (!heard.has(stream)) stream.on("error", () => {});
    heard.add(stream);
    stream.on("error", this.#onError);
    if (direction === "output") return;
    this.ended = stream.readableEnded;
    stream.on("end", this.#onEnd);
  }

  readonly #closeTerminal: () => void;

  override start(operation: Operation): number | undefined {
    return refusedByStandard(this.#direction, operation.submission.code) ?? super.start(operation);
  }

  protected override take(buffers: Segments): number {
    const ready = this.#stream.readableLength;
    if (ready === 0) return 0;
    const data: Buffer = this.#stream.read(Math.min(ready, buffers.bytes));
    this.context.ring.scatter(data, buffers);
    return data.length;
  }

  protected override awaitBytes(): void {
    if (!this.#stream.listeners("readable").includes(this.#onReadable)) {
      this.#stream.on("readable", this.#onReadable);
    }
    this.#stream.read(0);
  }

  protected override send(buffers: Segments): number | undefined {
    if (this.#stream.writableLength > 0) return undefined;
    const data = Buffer.allocUnsafe(Math.min(buffers.bytes, TRANSFER_BYTES_MAX));
    this.context.ring.gather(buffers, data);
    this.#stream.write(data, (error) => {
      if (error == null) this.pumpWrites();
    });
    const { errored } = this.#stream;
    if (errored !== null) this.writeFailure = errnoOf(errored);
    return data.length;
  }

  protected override endWriting(): void {}

  protected override release(): number {
    this.#stream.off("error", this.#onError);
    this.#stream.off("end", this.#onEnd);
    this.#stream.off("readable", this.#onReadable);
    this.#closeTerminal();
    this.keepAlive(false);
    return 0;
  }

  protected override keepAlive(waiting: boolean): void {
    if (this.#stream.destroyed || this.#direction === "output") return;
    // In Deno those of a pipe are missing.
    if (waiting) this.#stream.ref?.();
    else if (!this.#othersRead) this.#stream.unref?.();
  }

  get #othersRead(): boolean {
    const readers = this.#stream.listeners("readable").filter((one) => one !== this.#onReadable);
    return readers.length + this.#stream.listenerCount("data") > 0;
  }
}
