//! Plays the guest: lays out sf_shared and the two rings in a plain memory, submits records, and
//! turns the backend as the turn loop does when the host's event loop owns the thread.

import { COMPLETION, IOVEC, OP, SHARED, SUBMISSION } from "../../ts/abi.gen.ts";
import type { Backend } from "../../ts/host/backend.ts";
import type { DrivenLoop, Driver } from "../../ts/host/driver.ts";

export interface Submit {
  readonly op: number;
  readonly flags?: number;
  /** Absent: -1, none. */
  readonly handle?: number;
  /** Absent: one that no other operation has. */
  readonly token?: number;
  readonly pointer?: number;
  readonly length?: number;
  readonly argument?: number;
  readonly offset?: number | bigint;
  readonly mode?: number;
  readonly otherHandle?: number;
  readonly otherOffset?: number | bigint;
  readonly otherPointer?: number;
  readonly otherLength?: number;
}

export interface Completion {
  readonly token: number;
  readonly result: number;
}

export interface DriverOptions {
  /** Records in each ring, a power of two. */
  readonly capacity?: number;
  /** Where heads and tails start. */
  readonly firstIndex?: number;
}

/** The heads and tails of both rings. */
export const RING_INDICES = [
  "submissionsHead",
  "submissionsTail",
  "completionsHead",
  "completionsTail",
] as const;

const PAGE_BYTES = 65_536;
const SHARED_AT = 1024;

export class RingDriver {
  readonly memory = new WebAssembly.Memory({ initial: 8, maximum: 1024 });
  readonly shared = SHARED_AT;
  readonly backend: Backend;
  readonly capacity: number;
  /** Every completion, in order of delivery. */
  readonly log: Completion[] = [];
  /** Codes of all that was submitted. */
  readonly submitted = new Set<number>();
  /** False: only the test turns the backend, and only the test drains the completion ring. */
  automatic = true;
  #waiting = new Map<number, ((result: number) => void)[]>();
  #allocated: number;
  #nextToken = 1;
  #turnQueued = false;
  /** Asks the backend's driver, if it has one, for a turn. */
  #wake: (() => void) | undefined;

  constructor(backend: Backend, { capacity = 256, firstIndex = 0 }: DriverOptions = {}) {
    this.backend = backend;
    this.capacity = capacity;
    const submissions = SHARED_AT + 256;
    const completions = submissions + capacity * SUBMISSION.size;
    this.#allocated = completions + capacity * COMPLETION.size;
    this.setShared("submissions", submissions);
    this.setShared("submissionsCapacity", capacity);
    this.setShared("completions", completions);
    this.setShared("completionsCapacity", capacity);
    for (const index of RING_INDICES) this.setShared(index, firstIndex);
    backend.bind(this.memory, SHARED_AT);
    backend.onReady = () => {
      if (this.automatic) this.turn();
    };
    if (backend.driver !== undefined) this.#drive(backend.driver);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  getShared(field: keyof typeof SHARED): number {
    return this.view.getUint32(SHARED_AT + SHARED[field], true);
  }

  setShared(field: keyof typeof SHARED, value: number): void {
    this.view.setUint32(SHARED_AT + SHARED[field], value, true);
  }

  /** Fresh guest bytes, aligned to 8 and zero. Grows the memory when it has to. */
  alloc(bytes: number): number {
    const at = (this.#allocated + 7) & ~7;
    this.#allocated = at + bytes;
    const missing = this.#allocated - this.memory.buffer.byteLength;
    if (missing > 0) this.grow(Math.ceil(missing / PAGE_BYTES));
    return at;
  }

  grow(pages: number): void {
    this.memory.grow(pages);
    this.backend.bind(this.memory, SHARED_AT);
  }

  put(data: Uint8Array | string): { pointer: number; length: number } {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const pointer = this.alloc(bytes.length);
    new Uint8Array(this.memory.buffer).set(bytes, pointer);
    return { pointer, length: bytes.length };
  }

  /** A copy of guest memory. */
  bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer).slice(pointer, pointer + length);
  }

  iovecs(pieces: readonly { pointer: number; length: number }[]): number {
    const at = this.alloc(pieces.length * IOVEC.size);
    pieces.forEach(({ pointer, length }, index) => {
      this.view.setUint32(at + index * IOVEC.size + IOVEC.pointer, pointer, true);
      this.view.setUint32(at + index * IOVEC.size + IOVEC.length, length, true);
    });
    return at;
  }

  /** The result of one operation. Operations submitted without an await between go as one batch. */
  submit(submission: Submit): Promise<number> {
    return this.start(submission).result;
  }

  /** Like `submit`, for operations that something else will refer to by token. */
  start(submission: Submit): { token: number; result: Promise<number> } {
    const token = this.add(submission);
    const result = new Promise<number>((resolve) => {
      const waiting = this.#waiting.get(token);
      if (waiting === undefined) this.#waiting.set(token, [resolve]);
      else waiting.push(resolve);
    });
    return { token, result };
  }

  cancel(token: number): void {
    this.add({ op: OP.CANCEL, token });
  }

  /** Adds a record to the ring; its completion goes to the log alone. */
  add(submission: Submit): number {
    const token = submission.token ?? this.#nextToken++;
    this.addRaw(encode(submission, token));
    return token;
  }

  /** Has the backend make a transfer at once, as the core does: its record is written, and not added. */
  attempt(submission: Submit): number {
    this.submitted.add(submission.op);
    this.#write(encode(submission, 0));
    if (this.backend.attempt === undefined) throw new Error("the backend makes nothing at once");
    return this.backend.attempt();
  }

  #write(record: Uint8Array): void {
    const slot = (this.getShared("submissionsTail") & (this.capacity - 1)) * SUBMISSION.size;
    new Uint8Array(this.memory.buffer).set(record, this.getShared("submissions") + slot);
  }

  addRaw(record: Uint8Array): void {
    const tail = this.getShared("submissionsTail");
    const used = (tail - this.getShared("submissionsHead")) >>> 0;
    if (used >= this.capacity) {
      if (!this.automatic) throw new Error("the submission ring is full");
      this.turn();
      this.addRaw(record);
      return;
    }
    this.submitted.add(new DataView(record.buffer).getUint16(SUBMISSION.op, true));
    this.#write(record);
    this.setShared("submissionsTail", (tail + 1) >>> 0);
    if (this.automatic) this.#queueTurn();
  }

  /** Turns the backend and takes what it delivers, until it delivers nothing more. */
  turn(): void {
    while (this.backend.turn(0) > 0) this.drain();
  }

  /** Takes what is in the completion ring; returns how many. */
  drain(): number {
    const mask = this.capacity - 1;
    let head = this.getShared("completionsHead");
    const tail = this.getShared("completionsTail");
    const count = (tail - head) >>> 0;
    if (count > this.capacity) throw new Error(`completion ring holds ${count} records`);
    for (; head !== tail; head = (head + 1) >>> 0) {
      const at = this.getShared("completions") + (head & mask) * COMPLETION.size;
      const token = this.view.getUint32(at + COMPLETION.token, true);
      this.#complete(token, this.view.getInt32(at + COMPLETION.result, true));
    }
    this.setShared("completionsHead", tail);
    return count;
  }

  #complete(token: number, result: number): void {
    this.log.push({ token, result });
    const waiting = this.#waiting.get(token);
    waiting?.shift()?.(result);
    if (waiting?.length === 0) this.#waiting.delete(token);
  }

  /** Turns when the driver says so; what waits for the results is JavaScript that it has to let run. */
  #drive(driver: Driver): void {
    let steps = 0;
    const loop: DrivenLoop = {
      step: () => {
        steps++;
        if (this.automatic) this.turn();
        return false;
      },
      fail: () => {},
      deadlineNs: Number.POSITIVE_INFINITY,
      get hostCalls() {
        return steps;
      },
    };
    driver.add(loop);
    this.#wake = () => driver.wake(loop);
    this.backend.onReady = this.#wake;
  }

  #queueTurn(): void {
    if (this.#wake !== undefined) {
      this.#wake();
      return;
    }
    if (this.#turnQueued) return;
    this.#turnQueued = true;
    queueMicrotask(() => {
      this.#turnQueued = false;
      if (this.automatic) this.turn();
    });
  }
}

function encode(submission: Submit, token: number): Uint8Array {
  const record = new DataView(new ArrayBuffer(SUBMISSION.size));
  record.setUint16(SUBMISSION.op, submission.op, true);
  record.setUint16(SUBMISSION.flags, submission.flags ?? 0, true);
  record.setInt32(SUBMISSION.handle, submission.handle ?? -1, true);
  record.setUint32(SUBMISSION.token, token, true);
  record.setUint32(SUBMISSION.pointer, submission.pointer ?? 0, true);
  record.setUint32(SUBMISSION.length, submission.length ?? 0, true);
  record.setUint32(SUBMISSION.argument, submission.argument ?? 0, true);
  record.setBigInt64(SUBMISSION.offset, BigInt(submission.offset ?? 0), true);
  record.setUint32(SUBMISSION.mode, submission.mode ?? 0, true);
  record.setInt32(SUBMISSION.otherHandle, submission.otherHandle ?? -1, true);
  record.setBigInt64(SUBMISSION.otherOffset, BigInt(submission.otherOffset ?? 0), true);
  record.setUint32(SUBMISSION.otherPointer, submission.otherPointer ?? 0, true);
  record.setUint32(SUBMISSION.otherLength, submission.otherLength ?? 0, true);
  return new Uint8Array(record.buffer);
}
