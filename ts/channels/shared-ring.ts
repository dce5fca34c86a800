//! A bounded channel in an arena: a ring of items behind a lock. Whoever finds it full or empty may say
//! that it waits, under the lock, and is told once that has changed.
//!
//!   | words of RING | one word a party: its part | name | items |

import { ERRNO } from "../abi.gen.ts";
import type { Arena } from "./arena.ts";
import { lock, unlock, unlockFor } from "./shared-lock.ts";

/** In words. `head` and `tail` go round from 0 to 2 * capacity - 1: so full and empty differ. */
export const RING = {
  lock: 0,
  /** What sends, and receives of an empty ring, fail with; 0: they do not. */
  sendError: 1,
  receiveError: 2,
  capacity: 3,
  itemBytes: 4,
  head: 5,
  tail: 6,
  next: 7,
  nameBytes: 8,
  size: 9,
} as const;

/** What a party does with it. */
const PART = { open: 1, sends: 2, receives: 4, waitsToSend: 8, waitsToReceive: 16 } as const;

/** For SharedRing.try...: whether to be told when it has failed with EAGAIN. */
export type OnAgain = "tell" | "forget";

export function ringBytes(
  parties: number,
  nameBytes: number,
  capacity: number,
  itemBytes: number,
): number {
  return 4 * (RING.size + parties) + nameBytes + capacity * itemBytes;
}

export class SharedRing {
  /** The same for all parties. */
  readonly id: number;
  readonly capacity: number;
  readonly itemBytes: number;
  readonly #arena: Arena;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  /** Of its words. */
  readonly #at: number;
  /** Of the parties' words. */
  readonly #parts: number;
  readonly #items: number;

  constructor(arena: Arena, words: Int32Array, id: number) {
    this.id = id;
    this.#arena = arena;
    this.#words = words;
    this.#bytes = new Uint8Array(arena.buffer);
    this.#at = id / 4;
    this.#parts = this.#at + RING.size;
    this.capacity = this.#word(RING.capacity);
    this.itemBytes = this.#word(RING.itemBytes);
    this.#items = 4 * (this.#parts + arena.parties) + this.#word(RING.nameBytes);
  }

  /** The id of the next older one; 0: there is none. */
  get next(): number {
    return this.#word(RING.next);
  }

  /** Its bytes. */
  name(): Uint8Array {
    const start = 4 * (this.#parts + this.#arena.parties);
    return this.#bytes.subarray(start, start + this.#word(RING.nameBytes));
  }

  /** Items in it now. */
  get count(): number {
    const span = 2 * this.capacity;
    return (this.#atomic(RING.tail) - this.#atomic(RING.head) + span) % span;
  }

  /** This party is going to use it. */
  open(): void {
    Atomics.or(this.#words, this.#parts + this.#arena.party, PART.open);
  }

  /** Whether an attempt would not fail with EAGAIN now; with "tell" this party waits from now on if it would. */
  isReady(to: "send" | "receive", onAgain: OnAgain): boolean {
    const sends = to === "send";
    const result = this.#locked(() => {
      this.#played(sends ? PART.sends : PART.receives);
      const blocked = this.count === (sends ? this.capacity : 0);
      if (!blocked || this.#word(sends ? RING.sendError : RING.receiveError) !== 0) return 0;
      return this.#again(onAgain, sends ? PART.waitsToSend : PART.waitsToReceive);
    });
    return result === 0;
  }

  /** Copies an item in: 0; -EAGAIN when it is full; what it ended with. */
  trySend(from: Uint8Array, at: number, onAgain: OnAgain): number {
    const result = this.#locked(() => {
      this.#played(PART.sends);
      const failed = this.#word(RING.sendError);
      if (failed !== 0) return -failed;
      if (this.count === this.capacity) return this.#again(onAgain, PART.waitsToSend);
      const tail = this.#word(RING.tail);
      this.#bytes.set(from.subarray(at, at + this.itemBytes), this.#slot(tail));
      this.#advance(RING.tail, tail);
      return 0;
    });
    if (result === 0) this.#wake(PART.waitsToReceive);
    return result;
  }

  /** Copies the oldest item out: 0; -EAGAIN when there is none; what it ended with, once it is empty. */
  tryReceive(into: Uint8Array, at: number, onAgain: OnAgain): number {
    const result = this.#locked(() => {
      this.#played(PART.receives);
      if (this.count === 0) {
        const failed = this.#word(RING.receiveError);
        return failed === 0 ? this.#again(onAgain, PART.waitsToReceive) : -failed;
      }
      const head = this.#word(RING.head);
      const slot = this.#slot(head);
      into.set(this.#bytes.subarray(slot, slot + this.itemBytes), at);
      this.#advance(RING.head, head);
      return 0;
    });
    if (result === 0) this.#wake(PART.waitsToSend);
    return result;
  }

  /** No send is accepted any more; what is in it can be received. Idempotent. */
  close(): void {
    this.#locked(() => {
      this.#end(RING.sendError, ERRNO.EPIPE);
      this.#end(RING.receiveError, ERRNO.EPIPE);
      return 0;
    });
    this.#wake(PART.waitsToSend | PART.waitsToReceive);
  }

  /** Whether this party has said that it waits to, and has not been told yet. */
  waits(to: "send" | "receive"): boolean {
    const part = to === "send" ? PART.waitsToSend : PART.waitsToReceive;
    return (Atomics.load(this.#words, this.#parts + this.#arena.party) & part) !== 0;
  }

  /**
   * A party has crashed. Sends fail from now on if it was the last that received, receives if it was the last
   * that sent, and both if no more than one is left that has the channel open.
   */
  leave(party: number): void {
    unlockFor(this.#words, this.#at + RING.lock, party);
    this.#locked(() => {
      const was = Atomics.exchange(this.#words, this.#parts + party, 0);
      if (was === 0) return 0;
      const left = Array.from({ length: this.#arena.parties }, (_, other) =>
        Atomics.load(this.#words, this.#parts + other),
      ).filter((part) => part !== 0);
      const lastTo = (part: number): boolean =>
        left.length <= 1 || ((was & part) !== 0 && !left.some((other) => (other & part) !== 0));
      if (lastTo(PART.receives)) this.#end(RING.sendError, ERRNO.EOWNERDEAD);
      if (lastTo(PART.sends)) this.#end(RING.receiveError, ERRNO.EOWNERDEAD);
      return 0;
    });
    this.#wake(PART.waitsToSend | PART.waitsToReceive);
  }

  #locked(body: () => number): number {
    lock(this.#words, this.#at + RING.lock, this.#arena.party);
    try {
      return body();
    } finally {
      unlock(this.#words, this.#at + RING.lock);
    }
  }

  #again(onAgain: OnAgain, part: number): number {
    if (onAgain === "tell") this.#played(part);
    return -ERRNO.EAGAIN;
  }

  #played(part: number): void {
    Atomics.or(this.#words, this.#parts + this.#arena.party, part);
  }

  #end(at: number, error: number): void {
    if (this.#word(at) === 0) this.#words[this.#at + at] = error;
  }

  /** Every party that waits for one of `parts`. All of them: who is told first may be busy, or gone. */
  #wake(parts: number): void {
    for (let party = 0; party < this.#arena.parties; party++) {
      const at = this.#parts + party;
      if ((Atomics.load(this.#words, at) & parts) === 0) continue;
      if ((Atomics.and(this.#words, at, ~parts) & parts) !== 0) this.#arena.wake(party);
    }
  }

  /** Last of all: a thread that ends before has done nothing. */
  #advance(at: number, from: number): void {
    Atomics.store(this.#words, this.#at + at, (from + 1) % (2 * this.capacity));
  }

  #slot(at: number): number {
    return this.#items + (at % this.capacity) * this.itemBytes;
  }

  #word(at: number): number {
    return this.#words[this.#at + at]!;
  }

  #atomic(at: number): number {
    return Atomics.load(this.#words, this.#at + at);
  }
}
