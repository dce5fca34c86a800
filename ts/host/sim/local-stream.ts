//! An end of a pipe, or of a Unix connection, as a guest's handle.

import { ERRNO, OP, SHUTDOWN } from "../../abi.gen.ts";
import { writeEndpoint } from "../resources/endpoint.ts";
import type { Operation } from "../resources/operation.ts";
import { BUFFER_BYTES } from "../resources/socket-options.ts";
import { StreamResource } from "../resources/stream.ts";
import type { Segments } from "../ring.ts";
import { LocalChannel, PIPE_BYTES } from "./local-channel.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Shareable } from "./shareable.ts";
import type { SimContext } from "./sim-backend.ts";
import { unixOptions } from "./unix-options.ts";

/** An end, whoever has a handle of it. A pipe's has one direction. */
export class LocalEnd {
  readonly in: LocalChannel | undefined;
  readonly out: LocalChannel | undefined;
  readShut = false;
  writeShut = false;
  #holders = 0;

  constructor(ends: { readonly in?: LocalChannel; readonly out?: LocalChannel }) {
    this.in = ends.in;
    this.out = ends.out;
  }

  hold(): void {
    this.#holders++;
  }

  /** Is let go of: by the last that holds it, or when nobody does. */
  close(): void {
    if (--this.#holders > 0) return;
    // Linux tells a peer whose bytes nobody will read.
    this.out?.finish((this.in?.available ?? 0) > 0);
    this.in?.abandon();
  }
}

/** The end to read from and the end to write to. */
export function pipeEnds(scheduler: Scheduler): [LocalEnd, LocalEnd] {
  const channel = new LocalChannel(scheduler, PIPE_BYTES);
  return [new LocalEnd({ in: channel }), new LocalEnd({ out: channel })];
}

/** The two ends of a Unix connection. */
export function connectionEnds(scheduler: Scheduler): [LocalEnd, LocalEnd] {
  const there = new LocalChannel(scheduler, BUFFER_BYTES);
  const back = new LocalChannel(scheduler, BUFFER_BYTES);
  return [new LocalEnd({ in: back, out: there }), new LocalEnd({ in: there, out: back })];
}

export class LocalStream extends StreamResource<SimContext> implements Shareable {
  /** A Unix socket has none that can be told. */
  override readonly local = undefined;
  override readonly peer = undefined;
  override readonly options = unixOptions("tcp");
  readonly #end: LocalEnd;
  readonly #onReadable = (): void => this.pumpReads();
  readonly #onWritable = (): void => this.pumpWrites();

  constructor(context: SimContext, end: LocalEnd) {
    super(context);
    this.#end = end;
    end.hold();
    end.in?.readers.add(this.#onReadable);
    end.out?.writers.add(this.#onWritable);
  }

  get #pipe(): boolean {
    return this.#end.in === undefined || this.#end.out === undefined;
  }

  share(context: SimContext): LocalStream {
    return new LocalStream(context, this.#end);
  }

  override start(operation: Operation): number | undefined {
    const { code, pointer } = operation.submission;
    const address = code === OP.LOCAL_ADDRESS || code === OP.PEER_ADDRESS;
    const option = code === OP.SET_OPTION || code === OP.GET_OPTION;
    if (this.#pipe && (address || option)) return -ERRNO.ENOTSOCK;
    if (address) return writeEndpoint(this.context.ring, pointer, undefined);
    return super.start(operation);
  }

  protected override tryRead(buffers: Segments): number | undefined {
    const from = this.#end.in;
    if (from === undefined) return -ERRNO.EBADF;
    const count = Math.min(from.available, buffers.bytes);
    for (let done = 0; done < count; ) {
      const data = from.take(count - done);
      this.context.ring.scatter(data, buffers, done);
      done += data.length;
    }
    if (count > 0) return count;
    if (from.takeReset()) return -ERRNO.ECONNRESET;
    return from.ended || this.#end.readShut ? 0 : undefined;
  }

  protected override tryWrite(buffers: Segments): number | undefined {
    const to = this.#end.out;
    if (to === undefined) return -ERRNO.EBADF;
    if (this.#end.writeShut || to.abandoned) return -ERRNO.EPIPE;
    const count = Math.min(to.room, buffers.bytes);
    if (count <= 0) return undefined;
    const data = new Uint8Array(count);
    this.context.ring.gather(buffers, data);
    to.write(data);
    return count;
  }

  protected override shutdown(how: number): number {
    if (this.#pipe) return -ERRNO.ENOTSOCK;
    if (how !== SHUTDOWN.WRITE) {
      this.#end.readShut = true;
      for (const tell of [...(this.#end.in?.readers ?? [])]) tell();
    }
    if (how !== SHUTDOWN.READ) {
      this.#end.writeShut = true;
      this.#end.out?.finish(false);
      for (const tell of [...(this.#end.out?.writers ?? [])]) tell();
    }
    return 0;
  }

  protected override release(): number {
    this.#end.in?.readers.delete(this.#onReadable);
    this.#end.out?.writers.delete(this.#onWritable);
    this.#end.close();
    return 0;
  }

  protected override keepAlive(): void {}
}
