//! The program at the other end of a guest's connections: plain node:net. See peer-plan.ts.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { areNumbered, numberedBytes } from "./numbered.ts";
import type { PeerEvent, PeerPlan, PlannedConnection } from "./peer-plan.ts";

const CHUNK_BYTES = 16_384;
const HEAD_BYTES = 8;

/** How much more comes over a connection that waits to be killed. */
const MORE_BYTES_MAX = 500_000;

/** A stream without a length. */
const OPEN = 0xffff_ffff;

const { calls, accepts } = JSON.parse(process.argv[2]!) as PeerPlan;
const problems: string[] = [];
let bytes = 0;
let early = (calls?.connections.length ?? 0) + (accepts?.length ?? 0);

/** Where several wait for each other. */
class Meeting {
  readonly all: Promise<void>;
  #resolve: () => void = () => {};
  #missing: number;

  constructor(count: number) {
    this.#missing = count;
    this.all = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (count === 0) this.#resolve();
  }

  arrive(): void {
    if (--this.#missing === 0) this.#resolve();
  }
}

const meeting = new Meeting(calls?.together === undefined ? 0 : calls.connections.length);

function tell(event: PeerEvent): void {
  process.send?.(event);
}

function isThere(): void {
  if (--early === 0) tell({ what: "middle" });
}

/** One end of a stream, whose bytes come in `take`. */
class End {
  readonly #socket: Socket;
  readonly #plan: PlannedConnection;
  /** Of the bytes that have come. */
  #position = 0;
  #faulted = false;
  /** No more are sent. */
  finished = false;
  /** No more are read. */
  stalled = false;

  constructor(socket: Socket, planned: PlannedConnection) {
    this.#socket = socket;
    this.#plan = planned;
  }

  /** Checks what has come, and does what is due now. */
  take(number: number, data: Uint8Array): void {
    if (!areNumbered(number, this.#position, data)) {
      problems.push(`stream ${number}: other bytes than its own after ${this.#position}`);
      this.#socket.destroy();
    }
    this.#position += data.length;
    bytes += data.length;
    const { fault, at } = this.#plan;
    if (fault === "none" || this.#position < at) return;
    if (fault === "stalled" || (fault === "killed" && this.#position > at + MORE_BYTES_MAX)) {
      this.stalled = true;
      this.#socket.pause();
    }
    if (this.#faulted) return;
    this.#faulted = true;
    isThere();
    if (fault === "reset") this.#socket.resetAndDestroy();
    if (fault === "abandoned") this.#socket.destroy();
    if (fault === "finished") {
      this.finished = true;
      this.#socket.end();
    }
  }

  /** `sent`: how many bytes should have come; undefined: any number. */
  over(number: number, sent: number | undefined): void {
    if (!this.#faulted) isThere();
    if (sent === undefined || sent === this.#position) return;
    problems.push(`stream ${number}: sent ${sent}, and ${this.#position} came back`);
  }
}

/** Sends a stream, and checks what comes back. */
async function send(port: number, number: number, planned: PlannedConnection): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const end = new End(socket, planned);
  const { fault, at } = planned;
  const closed = new Promise((resolve) => socket.once("close", resolve));
  let failed = false;
  socket.on("error", () => {
    failed = true;
  });
  socket.on("data", (data) => end.take(number, data));
  socket.on("end", () => socket.end());
  let sent = 0;
  const sendSome = (most: number): void => {
    if (socket.destroyed || socket.writableEnded || end.finished) return;
    const left = fault === "none" ? at - sent : CHUNK_BYTES;
    if (left === 0) return void socket.end();
    const chunk = numberedBytes(number, sent, Math.min(left, most));
    sent += chunk.length;
    socket.write(chunk, more);
  };
  const more = (): void => sendSome(CHUNK_BYTES);
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, number, true);
  view.setUint32(4, fault === "none" ? at : OPEN, true);
  await meet(socket, head, () => {
    sent = 1;
    return numberedBytes(number, 0, 1);
  });
  if (sent === 0 && !socket.destroyed) socket.write(head, more);
  else more();
  await closed;
  // Refused by the guest, which had no room for it, unless the stream went on both sides to its end.
  const counts = (fault === "none" || fault === "finished") && !failed && !refusedBy(socket);
  end.over(number, counts ? sent : undefined);
}

/** Waits for the others. With "answered" the head and the first byte are sent before. */
async function meet(socket: Socket, head: Uint8Array, first: () => Uint8Array): Promise<void> {
  const { together } = calls!;
  if (together === undefined) return;
  // One that is over does not keep the others.
  await new Promise((resolve) => {
    socket.once("close", resolve);
    if (together === "connected") return void socket.once("connect", resolve);
    socket.once("data", resolve);
    socket.write(head);
    socket.write(first());
  });
  meeting.arrive();
  await meeting.all;
}

/** The guest closed it before it had read anything. */
function refusedBy(socket: Socket): boolean {
  return socket.bytesRead === 0;
}

/** Sends back what comes over a connection. */
async function sendBack(socket: Socket, planned: PlannedConnection): Promise<void> {
  const end = new End(socket, planned);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  let head = Buffer.alloc(0);
  let number = 0;
  socket.on("data", (data) => {
    let rest = data;
    if (head.length < HEAD_BYTES) {
      head = Buffer.concat([head, data]);
      if (head.length < HEAD_BYTES) return;
      number = head.readUInt32LE(0);
      rest = head.subarray(HEAD_BYTES);
    }
    if (rest.length === 0) return;
    end.take(number, rest);
    if (socket.destroyed || socket.writableEnded || socket.write(rest)) return;
    socket.pause();
    socket.once("drain", () => {
      if (!end.stalled) socket.resume();
    });
  });
  socket.on("end", () => socket.end());
  await closed;
  end.over(number, undefined);
}

async function callAll({ port, first, connections }: NonNullable<typeof calls>): Promise<void> {
  await Promise.all(connections.map((planned, index) => send(port, first + index, planned)));
}

async function acceptAll(planned: readonly PlannedConnection[]): Promise<void> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1", 4096);
  await once(server, "listening");
  const left = [...planned];
  const ends: Promise<void>[] = [];
  const all = new Promise<void>((resolve) => {
    server.on("connection", (socket: Socket) => {
      ends.push(sendBack(socket, left.shift()!));
      if (left.length === 0) resolve();
    });
  });
  tell({ what: "listening", port: (server.address() as AddressInfo).port });
  await all;
  server.close();
  await Promise.all(ends);
}

// Not without the program that wants it.
process.on("disconnect", () => process.exit(1));
await Promise.all([calls && callAll(calls), accepts && acceptAll(accepts)]);
tell({ what: "over", bytes, problems });
process.disconnect?.();
