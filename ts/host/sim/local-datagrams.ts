//! A Unix socket of datagrams as a guest's handle.

import { ADDRESS, ERRNO, OP } from "../../abi.gen.ts";
import { writeEndpoint } from "../resources/endpoint.ts";
import type { Operation } from "../resources/operation.ts";
import { BUFFER_BYTES } from "../resources/socket-options.ts";
import { StreamResource } from "../resources/stream.ts";
import type { Segments } from "../ring.ts";
import { CallEvent } from "./event-queue.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimContext } from "./sim-backend.ts";
import { unixOptions } from "./unix-options.ts";

/** Linux's net.unix.max_dgram_qlen. */
const QUEUE_MAX = 10;

/** Datagrams that wait for their receiver. */
export class Inbox {
  /** Told when it is worth trying again; never from within a call. */
  onArrived: () => void = () => {};
  readonly #waiting: Uint8Array[] = [];
  readonly #senders = new Set<CallEvent>();
  readonly #scheduler: Scheduler;
  readonly #arrived = new CallEvent(() => this.onArrived());
  #closed = false;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Bytes sent, a negated errno, or undefined: it is full, and `again` happens when it is not. */
  put(data: Uint8Array, again: CallEvent | undefined): number | undefined {
    if (this.#closed) return -ERRNO.ECONNREFUSED;
    if (data.length > BUFFER_BYTES) return -ERRNO.EMSGSIZE;
    if (this.#waiting.length > QUEUE_MAX) {
      if (again !== undefined) this.#senders.add(again);
      return undefined;
    }
    this.#waiting.push(data);
    this.#scheduler.after(0, this.#arrived);
    return data.length;
  }

  take(): Uint8Array | undefined {
    const data = this.#waiting.shift();
    if (data !== undefined) this.#wakeSenders();
    return data;
  }

  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    this.#wakeSenders();
  }

  #wakeSenders(): void {
    for (const sender of this.#senders) this.#scheduler.after(0, sender);
    this.#senders.clear();
  }
}

export class LocalDatagrams extends StreamResource<SimContext> {
  override readonly local = undefined;
  override readonly peer = undefined;
  override readonly options = unixOptions("udp");
  protected override readonly datagrams = true;
  readonly #inbox: Inbox;
  readonly #to: Inbox | undefined;
  readonly #onClosed: () => void;
  readonly #again = new CallEvent(() => this.pumpWrites());

  /** @param to - What it is connected to. */
  constructor(context: SimContext, inbox: Inbox, to?: Inbox, onClosed: () => void = () => {}) {
    super(context);
    this.#inbox = inbox;
    this.#to = to;
    this.#onClosed = onClosed;
    inbox.onArrived = () => this.pumpReads();
  }

  override start(operation: Operation): number | undefined {
    const { ring } = this.context;
    const { code, pointer, length, argument } = operation.submission;
    switch (code) {
      case OP.READ:
      case OP.READV:
        return this.#to === undefined ? -ERRNO.ENOTCONN : super.start(operation);
      case OP.WRITE:
      case OP.WRITEV:
        return this.#to === undefined ? -ERRNO.EDESTADDRREQ : super.start(operation);
      case OP.RECEIVE_FROM:
        if (length > 0 && !ring.inRange(pointer, length)) return -ERRNO.EFAULT;
        if (argument !== 0 && !ring.inRange(argument, ADDRESS.size)) return -ERRNO.EFAULT;
        // Nobody that sends here has an address: it is the same before and after.
        if (argument !== 0) writeEndpoint(ring, argument, undefined);
        return this.startRead(operation);
      case OP.SEND_TO:
      case OP.UDP_CONNECT:
        return -ERRNO.EAFNOSUPPORT;
      case OP.SHUTDOWN:
        return -ERRNO.ENOTCONN;
      case OP.LOCAL_ADDRESS:
        return writeEndpoint(ring, pointer, undefined);
      case OP.PEER_ADDRESS:
        return this.#to === undefined ? -ERRNO.ENOTCONN : writeEndpoint(ring, pointer, undefined);
      default:
        return super.start(operation);
    }
  }

  protected override tryRead(buffers: Segments): number | undefined {
    const data = this.#inbox.take();
    if (data === undefined) return undefined;
    const count = Math.min(data.length, buffers.bytes);
    this.context.ring.scatter(data.subarray(0, count), buffers);
    return count;
  }

  protected override tryWrite(buffers: Segments): number | undefined {
    const data = new Uint8Array(buffers.bytes);
    this.context.ring.gather(buffers, data);
    return this.#to?.put(data, this.#again) ?? undefined;
  }

  protected override shutdown(): number {
    return -ERRNO.ENOTCONN;
  }

  protected override release(): number {
    this.context.network.scheduler.cancel(this.#again);
    this.#inbox.onArrived = () => {};
    this.#inbox.close();
    this.#onClosed();
    return 0;
  }

  protected override keepAlive(): void {}
}
