//! One direction of a TCP connection: what its writer has given and its reader has not taken.
//!
//!   write ─▶ unsent ─▶ segments on the link ─▶ received ─▶ take
//!            send buffer          └── receive buffer ──┘
//!
//! The reader's buffer is the writer's credit: a segment takes from it when it leaves, and it comes
//! back, a while after the reader has taken the bytes, in pieces of half the buffer at least. Segments
//! arrive in order. One that is lost stops the direction: what comes after it waits with it, and all
//! are sent again once the link carries them, or the writer gives up.

import { ERRNO } from "../../abi.gen.ts";
import { Chunks } from "./chunks.ts";
import { QueuedEvent } from "./event-queue.ts";
import type { Link } from "./link.ts";
import type { Network } from "./network.ts";
import { type LinkDrop, Packet } from "./packet.ts";
import type { Socket } from "./socket.ts";

/** Largest payload: what the segmentation of a network card puts together. */
const SEGMENT_BYTES_MAX = 16 * 1024;

const NO_BYTES = new Uint8Array(0);

type SegmentKind = "ack" | "data" | "fin" | "reset";

class Segment extends Packet {
  readonly #stream: Stream;
  readonly kind: SegmentKind;
  readonly data: Uint8Array;

  constructor(stream: Stream, link: Link, kind: SegmentKind, data: Uint8Array) {
    super(link);
    this.#stream = stream;
    this.kind = kind;
    this.data = data;
  }

  protected override arrive(): void {
    this.#stream.arrived(this, undefined);
  }

  protected override dropped(why: LinkDrop): void {
    this.#stream.arrived(this, why);
  }
}

/** What the reader has taken, on its way back to the writer. */
class Credit extends QueuedEvent {
  readonly #stream: Stream;
  readonly #bytes: number;
  readonly #link: Link;

  constructor(stream: Stream, bytes: number, link: Link) {
    super();
    this.#stream = stream;
    this.#bytes = bytes;
    this.#link = link;
  }

  override run(): void {
    this.#link.whenHealed(() => this.#stream.credited(this.#bytes));
  }
}

/** Looks whether the link carries again. */
class Retry extends QueuedEvent {
  readonly #stream: Stream;

  constructor(stream: Stream) {
    super();
    this.#stream = stream;
  }

  override run(): void {
    this.#stream.retry();
  }
}

export class Stream {
  readonly #network: Network;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #link: Link;
  readonly #unsent = new Chunks();
  readonly #received = new Chunks();
  #credit: number;
  readonly #windowBytes: number;
  /** Taken by the reader, not given back yet. */
  #owed = 0;
  #lastArrivalNs = 0;
  #inFlight = 0;
  #finWanted = false;
  #finSent = false;
  /** Since a segment was lost: it, and all that came after it. */
  #stalled: Segment[] | undefined;
  /** What was lost never comes: nor does what is still on its way behind it. */
  #hole = false;
  #stalledSinceNs = 0;
  #retries = 0;
  /** Data segments until something on the way resets the connection. */
  #segmentsLeft: number;

  constructor(network: Network, from: Socket, to: Socket, segmentsLeft: number) {
    this.#network = network;
    this.#from = from;
    this.#to = to;
    this.#link = network.link(from.host, to.host);
    this.#windowBytes = network.options.receiveBufferBytes;
    this.#credit = this.#windowBytes;
    this.#segmentsLeft = segmentsLeft;
  }

  // ── The writer's end ──

  /** How many bytes `write` takes. */
  get room(): number {
    return this.#network.options.sendBufferBytes - this.#unsent.bytes;
  }

  /** @param data - Not empty, and the stream's from here on. */
  write(data: Uint8Array): void {
    this.#unsent.push(data);
    this.#transmit();
  }

  /** The end comes after what was written. */
  finish(): void {
    this.#finWanted = true;
    this.#transmit();
  }

  /** Tells the other end that a connection has begun. */
  acknowledge(): void {
    this.#send(this.#segment("ack", NO_BYTES));
  }

  /** Tells the other end that there is no connection any more. What was not sent is not. */
  reset(): void {
    this.drop();
    this.#send(this.#segment("reset", NO_BYTES));
  }

  /** Forgets what was not sent. */
  drop(): void {
    this.#unsent.clear();
    this.#finWanted = false;
    if (this.#stalled !== undefined) this.#hole = true;
    this.#stalled = undefined;
  }

  // ── The reader's end ──

  get available(): number {
    return this.#received.bytes;
  }

  /** The next bytes, at least one of those available. */
  take(limit: number): Uint8Array {
    const data = this.#received.take(limit);
    this.#owed += data.length;
    if (this.#owed * 2 >= this.#windowBytes) {
      const link = this.#network.link(this.#to.host, this.#from.host);
      const credit = new Credit(this, this.#owed, link);
      this.#network.scheduler.after(this.#network.delayNs(), credit);
      this.#owed = 0;
    }
    return data;
  }

  // ── On the way ──

  credited(bytes: number): void {
    if (this.#from.over) return;
    this.#credit += bytes;
    this.#transmit();
    this.#from.owner?.writable();
  }

  /** A segment has come, or been dropped. */
  arrived(segment: Segment, dropped: LinkDrop | undefined): void {
    this.#inFlight--;
    if (dropped !== undefined) this.#lose(segment, dropped);
    else if (segment.kind === "reset") this.#deliver(segment);
    else if (this.#stalled !== undefined) this.#stalled.push(segment);
    else if (!this.#hole) this.#deliver(segment);
  }

  retry(): void {
    const stalled = this.#stalled;
    if (stalled === undefined || this.#from.lost) return;
    const passes = !this.#link.cut && this.#to.host.up;
    // What left before the stop comes first: it is to be sent again in its order.
    if (passes && this.#inFlight === 0) {
      this.#stalled = undefined;
      for (const segment of stalled) this.#send(segment);
      this.#transmit();
      this.#from.owner?.writable();
      return;
    }
    const { scheduler, options } = this.#network;
    const waitNs = this.#network.retryNs() * 2 ** Math.min(this.#retries++, 9);
    const giveUpNs = this.#stalledSinceNs + options.retransmitTimeoutMs * 1e6;
    if (scheduler.nowNs >= giveUpNs) this.#from.fail(ERRNO.ETIMEDOUT);
    else scheduler.at(Math.min(scheduler.nowNs + waitNs, giveUpNs), new Retry(this));
  }

  #segment(kind: SegmentKind, data: Uint8Array): Segment {
    return new Segment(this, this.#link, kind, data);
  }

  #transmit(): void {
    const unsent = this.#unsent;
    if (this.#stalled !== undefined) return;
    while (unsent.bytes > 0 && this.#credit > 0) {
      const data = unsent.take(Math.min(this.#credit, SEGMENT_BYTES_MAX));
      this.#credit -= data.length;
      this.#send(this.#segment("data", data));
    }
    if (unsent.bytes === 0 && this.#finWanted && !this.#finSent) {
      this.#finSent = true;
      this.#send(this.#segment("fin", NO_BYTES));
    }
  }

  #send(segment: Segment): void {
    const network = this.#network;
    const { observer, options, scheduler, faults } = network;
    if (segment.kind === "data" && this.#strikes(segment)) return;
    const sentNs = network.occupy(segment, segment.data.length);
    let arrivesNs = sentNs + network.delayNs();
    if (segment.kind !== "reset" && faults.chance(options.segmentLoss)) {
      arrivesNs += network.retryNs();
      if (observer.watched) this.#from.tellFault("segment lost");
    }
    arrivesNs = Math.ceil(Math.max(arrivesNs, this.#lastArrivalNs));
    this.#lastArrivalNs = arrivesNs;
    this.#inFlight++;
    scheduler.at(arrivesNs, segment);
    if (observer.watched) {
      observer.tell({
        type: segment.kind,
        connection: this.#from.connection.id,
        from: this.#from.host.name,
        to: this.#to.host.name,
        bytes: segment.kind === "data" ? segment.data.length : 0,
        sentNs: Math.ceil(sentNs),
        arrivesNs,
      });
    }
  }

  /** Whether something on the way resets the connection at both ends, in place of a segment. */
  #strikes({ data }: Segment): boolean {
    const { faults, options } = this.#network;
    if (--this.#segmentsLeft !== 0 && !faults.chance(options.resets)) return false;
    this.#from.tellFault("reset");
    // With the bytes: they are still to come when the reset itself is lost.
    this.#send(this.#segment("reset", data));
    const back = this.#to.out;
    back.#send(back.#segment("reset", NO_BYTES));
    return true;
  }

  #lose(segment: Segment, why: LinkDrop): void {
    const { observer, scheduler } = this.#network;
    if (observer.watched) {
      observer.tell({
        type: "drop",
        what: segment.kind,
        why,
        connection: this.#from.connection.id,
        from: this.#from.host.name,
        to: this.#to.host.name,
      });
    }
    // Nobody remembers to send a reset again; the bytes that it took the place of were never acknowledged.
    if (segment.kind === "reset" && segment.data.length === 0) return;
    const lost = segment.kind === "reset" ? this.#segment("data", segment.data) : segment;
    if (this.#stalled !== undefined) {
      this.#stalled.push(lost);
      return;
    }
    this.#stalled = [lost];
    this.#stalledSinceNs = scheduler.nowNs;
    this.#retries = 0;
    scheduler.after(this.#network.retryNs(), new Retry(this));
  }

  #deliver({ kind, data }: Segment): void {
    const to = this.#to;
    if (kind === "reset") {
      to.wasReset();
      return;
    }
    if (to.over || (kind === "data" && to.refusesData)) {
      to.refuse();
      return;
    }
    switch (kind) {
      case "ack":
        to.acknowledged();
        break;
      case "data":
        this.#received.push(data);
        to.owner?.readable();
        break;
      case "fin":
        this.#from.finArrived();
        to.finReceived();
        break;
    }
  }
}
