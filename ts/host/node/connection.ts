//! A TCP connection on node:net, made to behave as the kernel's: reads pull, writes push back.
//!
//! Node fills its stream buffer to the high-water mark and then stops reading the socket; before the
//! first READ it does not read at all. The socket is ref'd while operations wait here; bytes on
//! their way to the kernel keep the event loop alive by themselves.

import type { Socket } from "node:net";
import { ERRNO, OPTION } from "../../abi.gen.ts";
import { jsRuntime } from "../../js-runtime.ts";
import type { Endpoint } from "../grants.ts";
import { ConnectionBase, LINGER_MS } from "../resources/connection.ts";
import { errnoOf } from "../resources/errno.ts";
import { type Context, TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import { SocketOptions } from "../resources/socket-options.ts";
import type { Segments } from "../ring.ts";
import { endpointOf } from "./address.ts";

/** Options for every socket, connected or accepted. */
export const SOCKET_OPTIONS = {
  allowHalfOpen: true,
  noDelay: true,
  highWaterMark: 64 * 1024,
} as const;

/** What node:net can set. */
export const OPTIONS = [OPTION.NO_DELAY, OPTION.KEEP_ALIVE, OPTION.LINGER];

/**
 * Before Node 24, libuv tells an end where a reset follows bytes. The kernel tells them apart when it is
 * given nothing to send.
 */
const HIDES_RESETS = jsRuntime() === "node" && Number.parseInt(process.versions.node, 10) < 24;
const NOTHING = new Uint8Array(0);

export class Connection extends ConnectionBase {
  readonly peer: Endpoint | undefined;
  readonly local: Endpoint | undefined;
  override readonly options = new SocketOptions("tcp", {
    options: OPTIONS,
    set: (option, value) => this.#setOption(option, value),
  });
  readonly #socket: Socket;
  #reading = false;

  /** @param socket - Connected; nothing has been read from it. */
  constructor(context: Context, socket: Socket) {
    super(context);
    this.#socket = socket;
    this.peer = endpointOf(socket.remoteAddress, socket.remotePort);
    this.local = endpointOf(socket.localAddress, socket.localPort);
    socket.unref();
    socket.on("end", () => {
      this.ended = !this.#wasReset();
      this.pumpReads();
    });
    socket.on("error", (error) => {
      this.#failed(error);
      this.pumpReads();
      this.pumpWrites();
    });
  }

  /** Of what Node calls an end. */
  #wasReset(): boolean {
    const { writableEnded, writableLength, destroyed } = this.#socket;
    if (!HIDES_RESETS || this.peer === undefined) return false; // Of Unix sockets it hides nothing.
    if (writableEnded || writableLength > 0 || destroyed) return false;
    this.#socket.write(NOTHING, this.#onWritten);
    const { errored } = this.#socket;
    if (errored === null) return false;
    this.#failed(errored);
    return true;
  }

  #failed(error: Error): void {
    this.writeFailure = errnoOf(error);
    // A write found the reset first; to a reader it is one as well.
    this.readFailure = this.writeFailure === ERRNO.EPIPE ? ERRNO.ECONNRESET : this.writeFailure;
  }

  protected override take(buffers: Segments): number {
    const ready = this.#socket.readableLength;
    if (ready === 0) return 0;
    // Works on a destroyed socket too.
    const data: Buffer = this.#socket.read(Math.min(ready, buffers.bytes));
    this.context.ring.scatter(data, buffers);
    return data.length;
  }

  protected override awaitBytes(): void {
    if (this.#reading) {
      this.#socket.read(0); // Lets Node read on, or announce an end that it has seen.
    } else {
      this.#reading = true;
      this.#socket.on("readable", () => this.pumpReads());
    }
  }

  protected override send(buffers: Segments): number | undefined {
    if (this.#socket.destroyed) return -ERRNO.EPIPE;
    if (this.#socket.writableLength > 0) return undefined;
    // A copy, because Node may hold on to it while the guest reuses or grows its memory.
    const data = Buffer.allocUnsafe(Math.min(buffers.bytes, TRANSFER_BYTES_MAX));
    this.context.ring.gather(buffers, data);
    this.#socket.write(data, this.#onWritten);
    // What the kernel says at once; its "error" event comes later.
    const { errored } = this.#socket;
    if (errored !== null) this.#failed(errored);
    return data.length;
  }

  /** A WRITE that fails later is finished already; the "error" event keeps that for the next. */
  readonly #onWritten = (error?: Error | null): void => {
    if (error == null) this.pumpWrites();
  };

  protected override endWriting(): void {
    this.#socket.end();
  }

  protected override release(): number {
    // Bytes the guest was told are sent must still go, as they would from the kernel's buffer; only
    // not for ever, to a peer that never takes them.
    if (this.options.get(OPTION.LINGER) === 0) {
      this.#socket.resetAndDestroy();
    } else if (this.#socket.writableLength > 0) {
      this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy());
      this.#socket.destroySoon();
    } else {
      this.#socket.destroy();
    }
    return 0;
  }

  #setOption(option: number, value: number): number {
    if (option === OPTION.NO_DELAY) this.#socket.setNoDelay(value === 1);
    else if (option === OPTION.KEEP_ALIVE) this.#socket.setKeepAlive(value > 0, value * 1000);
    else if (value > 0) return -ERRNO.ENOPROTOOPT; // Of lingering it knows the reset alone.
    return 0;
  }

  protected override keepAlive(waiting: boolean): void {
    if (this.#socket.destroyed) return; // Holds nothing; ref() would only wait for a "connect".
    if (waiting) this.#socket.ref();
    else this.#socket.unref();
  }
}
