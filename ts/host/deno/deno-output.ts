//! Standard output and error in Deno, where they are pipes or sockets: what node:process has for them writes
//! at once, and holds the thread until somebody has read.

import { ConnectionBase } from "../resources/connection.ts";
import { errnoOf } from "../resources/errno.ts";
import type { Operation } from "../resources/operation.ts";
import { type Context, TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import { SocketOptions } from "../resources/socket-options.ts";
import { refusedByStandard } from "../resources/standard.ts";
import type { Segments } from "../ring.ts";
import type { DenoWriter } from "./deno-api.ts";

/** What is on its way to each; several handles can share one. */
const busy = new WeakMap<DenoWriter, Promise<void>>();

export class DenoOutput extends ConnectionBase {
  override readonly local = undefined;
  override readonly peer = undefined;
  override readonly options = new SocketOptions("tcp", { options: [], set: () => 0 });
  readonly #writer: DenoWriter;
  #waits = false;

  constructor(context: Context, writer: DenoWriter) {
    super(context);
    this.#writer = writer;
  }

  override start(operation: Operation): number | undefined {
    return refusedByStandard("output", operation.submission.code) ?? super.start(operation);
  }

  protected override send(buffers: Segments): number | undefined {
    const before = busy.get(this.#writer);
    if (before !== undefined) {
      if (!this.#waits) void before.then(() => this.#pump());
      this.#waits = true;
      return undefined;
    }
    const data = new Uint8Array(Math.min(buffers.bytes, TRANSFER_BYTES_MAX));
    this.context.ring.gather(buffers, data);
    busy.set(this.#writer, this.#write(data));
    return data.length;
  }

  async #write(data: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < data.length; ) at += await this.#writer.write(data.subarray(at));
    } catch (error) {
      // Whoever writes next is told.
      this.writeFailure = errnoOf(error);
    }
    busy.delete(this.#writer);
  }

  #pump(): void {
    this.#waits = false;
    this.pumpWrites();
  }

  protected override take(): number {
    return 0;
  }

  protected override awaitBytes(): void {}

  protected override endWriting(): void {}

  protected override release(): number {
    return 0;
  }

  /** What Deno is at keeps the process. */
  protected override keepAlive(): void {}
}
