//! A connection as a guest's handle.

import { OPTION } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { SocketOptions } from "../resources/socket-options.ts";
import { StreamResource } from "../resources/stream.ts";
import type { Segments } from "../ring.ts";
import type { Shareable } from "./shareable.ts";
import type { SimContext } from "./sim-backend.ts";
import type { Socket, SocketOwner } from "./socket.ts";

/** All there are. Most change nothing here; nobody waits for a CLOSE that lingers. */
export const OPTIONS = Object.values(OPTION);

/** The handles of one connection. */
class Holders implements SocketOwner {
  readonly options = new SocketOptions("tcp", { options: OPTIONS, set: () => 0 });
  readonly handles = new Set<StreamHandle>();

  readable(): void {
    for (const handle of [...this.handles]) handle.readable();
  }

  writable(): void {
    for (const handle of [...this.handles]) handle.writable();
  }
}

export class StreamHandle extends StreamResource<SimContext> implements Shareable {
  override readonly options: SocketOptions;
  readonly #socket: Socket;
  readonly #holders: Holders;

  constructor(context: SimContext, socket: Socket, holders = new Holders()) {
    super(context);
    this.#socket = socket;
    this.#holders = holders;
    this.options = holders.options;
    holders.handles.add(this);
    socket.owner = holders;
  }

  share(context: SimContext): StreamHandle {
    return new StreamHandle(context, this.#socket, this.#holders);
  }

  override get local(): Endpoint {
    return this.#socket.local;
  }

  override get peer(): Endpoint | undefined {
    return this.#socket.peerAddress;
  }

  override get origin(): Endpoint {
    return this.#socket.peer;
  }

  readable(): void {
    this.pumpReads();
  }

  writable(): void {
    this.pumpWrites();
  }

  protected override tryRead(buffers: Segments): number | undefined {
    const stream = this.#socket.in;
    const ready = Math.min(stream.available, buffers.bytes);
    if (ready === 0) return this.#socket.readEnd;
    const { ring, network } = this.context;
    const count = this.#perhapsLess(ready, network.options.shortReads, "short read");
    for (let done = 0; done < count; ) {
      const data = stream.take(count - done);
      ring.scatter(data, buffers, done);
      done += data.length;
    }
    return count;
  }

  protected override tryWrite(buffers: Segments): number | undefined {
    const end = this.#socket.writeEnd;
    if (end !== undefined) return end;
    const stream = this.#socket.out;
    const room = Math.min(stream.room, buffers.bytes);
    if (room <= 0) return undefined;
    const { ring, network } = this.context;
    const count = this.#perhapsLess(room, network.options.shortWrites, "short write");
    const data = new Uint8Array(count);
    ring.gather(buffers, data);
    stream.write(data);
    return count;
  }

  protected override shutdown(how: number): number {
    return this.#socket.shutdown(how);
  }

  protected override release(): number {
    const { handles } = this.#holders;
    handles.delete(this);
    if (handles.size === 0) this.#socket.close(this.options.get(OPTION.LINGER) === 0);
    return 0;
  }

  protected override keepAlive(): void {}

  #perhapsLess(count: number, probability: number, fault: "short read" | "short write"): number {
    const { faults } = this.context.network;
    if (count < 2 || !faults.chance(probability)) return count;
    this.#socket.tellFault(fault);
    return 1 + faults.integer(count - 1);
  }
}
