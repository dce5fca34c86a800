//! A TCP connection on Deno.Conn, whose reads and writes are the kernel's own: nothing is read ahead.
//!
//! Deno cannot take a read back. When the READ that it was started for is cancelled, it goes on, and
//! its bytes wait for the next READ: one read's worth at most. The read keeps the event loop alive
//! only while a READ waits; bytes on their way to the kernel do so by themselves.

import { OPTION } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { ConnectionBase, LINGER_MS } from "../resources/connection.ts";
import { errnoOf } from "../resources/errno.ts";
import { type Context, TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import { SocketOptions } from "../resources/socket-options.ts";
import type { Segments } from "../ring.ts";
import { endpointOf } from "./deno-address.ts";
import type { DenoConn } from "./deno-api.ts";

const NOTHING = new Uint8Array(0);

/** What Deno can set. Its keep-alive has no time. */
export const OPTIONS = [OPTION.NO_DELAY];

export class DenoConnection extends ConnectionBase {
  override readonly options = new SocketOptions("tcp", {
    options: OPTIONS,
    set: (_option, value) => {
      this.#conn.setNoDelay?.(value === 1);
      return 0;
    },
  });
  readonly #conn: DenoConn;
  /** Read, and not yet taken by a READ. */
  #bytes = NOTHING;
  #reading: Promise<void> | undefined;
  #sending: Promise<void> | undefined;
  /** Writing ends when what is on its way is out. */
  #writeEnded = false;
  #released = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #keepsAlive = true;

  constructor(context: Context, conn: DenoConn) {
    super(context);
    this.#conn = conn;
    conn.setNoDelay?.(true);
    this.keepAlive(false);
  }

  override get local(): Endpoint | undefined {
    return endpointOf(this.#conn.localAddr);
  }

  override get peer(): Endpoint | undefined {
    return endpointOf(this.#conn.remoteAddr);
  }

  protected override take(buffers: Segments): number {
    const count = Math.min(this.#bytes.length, buffers.bytes);
    if (count === 0) return 0;
    this.context.ring.scatter(this.#bytes.subarray(0, count), buffers);
    this.#bytes = count === this.#bytes.length ? NOTHING : this.#bytes.subarray(count);
    return count;
  }

  protected override awaitBytes(buffers: Segments): void {
    this.#reading ??= this.#read(Math.min(buffers.bytes, TRANSFER_BYTES_MAX));
  }

  async #read(length: number): Promise<void> {
    const into = new Uint8Array(length);
    try {
      const count = await this.#conn.read(into);
      if (count === null) this.ended = true;
      else this.#bytes = into.subarray(0, count);
    } catch (error) {
      this.readFailure = errnoOf(error);
    }
    this.#reading = undefined;
    if (!this.#released) this.pumpReads();
  }

  protected override send(buffers: Segments): number | undefined {
    if (this.#sending !== undefined) return undefined;
    // A copy, because the guest may reuse or grow its memory before the kernel has taken it all.
    const data = new Uint8Array(Math.min(buffers.bytes, TRANSFER_BYTES_MAX));
    this.context.ring.gather(buffers, data);
    this.#sending = this.#send(data);
    return data.length;
  }

  async #send(data: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < data.length; ) {
        sent += await this.#conn.write(data.subarray(sent));
        if (this.#released) this.#lingerOn();
      }
    } catch (error) {
      this.writeFailure = errnoOf(error);
    }
    this.#sending = undefined;
    if (this.#writeEnded) this.#closeWrite();
    if (!this.#released) this.pumpWrites();
  }

  protected override endWriting(): void {
    this.#writeEnded = true;
    if (this.#sending === undefined) this.#closeWrite();
  }

  #closeWrite(): void {
    // It fails for a connection that is gone, which says the same.
    this.#conn.closeWrite().catch(() => {});
  }

  protected override release(): number | Promise<number> {
    // Deno keeps the descriptor until a read has noticed, which has to happen.
    this.keepAlive(this.#reading !== undefined);
    this.#released = true;
    if (this.#sending !== undefined) {
      // Bytes the guest was told are sent must still go, as they would from the kernel's buffer; only
      // not for ever, to a peer that never takes them.
      this.#lingerOn();
      void this.#sending.then(() => {
        clearTimeout(this.#linger);
        this.#close();
      });
      return 0;
    }
    this.#close();
    return this.#reading === undefined ? 0 : this.#reading.then(() => 0);
  }

  #lingerOn(): void {
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.#close(), LINGER_MS);
  }

  #close(): void {
    try {
      this.#conn.close();
    } catch {
      // Twice: it lingered for too long.
    }
  }

  protected override keepAlive(waiting: boolean): void {
    if (waiting === this.#keepsAlive || this.#released) return;
    this.#keepsAlive = waiting;
    if (waiting) this.#conn.ref();
    else this.#conn.unref();
  }
}
