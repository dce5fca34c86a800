//! An end of a pipe, or of a Unix connection, as a guest's handle.

import { ERRNO, OP, SHUTDOWN } from "../../abi.gen.ts";
import { writeEndpoint } from "../resources/endpoint.ts";
import type { Operation } from "../resources/operation.ts";
import { BUFFER_BYTES } from "../resources/socket-options.ts";
import { StreamResource } from "../resources/stream.ts";
import type { Segments } from "../ring.ts";
import { LocalChannel, PIPE_BYTES } from "./local-channel.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimContext } from "./sim-backend.ts";
import { unixOptions } from "./unix-options.ts";

/** What an end is made of. A pipe's has one direction. */
export interface LocalEnds {
  readonly in?: LocalChannel;
  readonly out?: LocalChannel;
}

/** The end to read from and the end to write to. */
export function pipeEnds(scheduler: Scheduler): [LocalEnds, LocalEnds] {
  const channel = new LocalChannel(scheduler, PIPE_BYTES);
  return [{ in: channel }, { out: channel }];
}

/** The two ends of a Unix connection. */
export function connectionEnds(scheduler: Scheduler): [LocalEnds, LocalEnds] {
  const there = new LocalChannel(scheduler, BUFFER_BYTES);
  const back = new LocalChannel(scheduler, BUFFER_BYTES);
  return [
    { in: back, out: there },
    { in: there, out: back },
  ];
}

/** Lets go of an end that no handle has. */
export function closeEnds(ends: LocalEnds): void {
  // Linux tells a peer whose bytes nobody will read.
  ends.out?.finish((ends.in?.available ?? 0) > 0);
  ends.in?.abandon();
}

export class LocalStream extends StreamResource<SimContext> {
  /** A Unix socket has none that can be told. */
  override readonly local = undefined;
  override readonly peer = undefined;
  override readonly options = unixOptions("tcp");
  readonly #ends: LocalEnds;
  #readShut = false;
  #writeShut = false;

  constructor(context: SimContext, ends: LocalEnds) {
    super(context);
    this.#ends = ends;
    if (ends.in !== undefined) ends.in.onReadable = () => this.pumpReads();
    if (ends.out !== undefined) ends.out.onWritable = () => this.pumpWrites();
  }

  get #pipe(): boolean {
    return this.#ends.in === undefined || this.#ends.out === undefined;
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
    const from = this.#ends.in;
    if (from === undefined) return -ERRNO.EBADF;
    const count = Math.min(from.available, buffers.bytes);
    for (let done = 0; done < count; ) {
      const data = from.take(count - done);
      this.context.ring.scatter(data, buffers, done);
      done += data.length;
    }
    if (count > 0) return count;
    if (from.takeReset()) return -ERRNO.ECONNRESET;
    return from.ended || this.#readShut ? 0 : undefined;
  }

  protected override tryWrite(buffers: Segments): number | undefined {
    const to = this.#ends.out;
    if (to === undefined) return -ERRNO.EBADF;
    if (this.#writeShut || to.abandoned) return -ERRNO.EPIPE;
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
      this.#readShut = true;
      this.pumpReads();
    }
    if (how !== SHUTDOWN.READ) {
      this.#writeShut = true;
      this.#ends.out?.finish(false);
      this.pumpWrites();
    }
    return 0;
  }

  protected override release(): number {
    const { in: from, out: to } = this.#ends;
    if (from !== undefined) from.onReadable = () => {};
    if (to !== undefined) to.onWritable = () => {};
    closeEnds(this.#ends);
    return 0;
  }

  protected override keepAlive(): void {}
}
