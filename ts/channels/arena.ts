//! The memory that the channels between executors lie in, the same for all of them.
//!
//!   | header | a word each: to look at its channels | a word each: its tasks | ring | ring | ...
//!
//! A party is an executor, or the pool itself, which comes last. Memory is handed out and never taken back.
//! Nothing of it is in any guest's memory: no guest can damage it.

import { ERRNO } from "../abi.gen.ts";
import { lock, unlock, unlockFor } from "./shared-lock.ts";
import { RING, ringBytes, SharedRing } from "./shared-ring.ts";

/** In words. */
const HEADER = { lock: 0, end: 1, last: 2, parties: 3, size: 4 } as const;

/** What a pool, or a runtime alone, has for channels. Pages that are not used cost nothing. */
export const CHANNEL_BYTES = 16 * 1024 * 1024;

/** Longest name of a channel, in bytes of UTF-8. */
export const NAME_BYTES_MAX = 64;

/** In place of a number of tasks; below 0 also when somebody adds to it meanwhile. */
const GONE = -(2 ** 31);

const ALIGN = 8;

export class Arena {
  readonly buffer: ArrayBufferLike;
  /** Which party uses it through this object. */
  readonly party: number;
  /** How many there are. */
  readonly parties: number;
  readonly #words: Int32Array;
  readonly #rings = new Map<number, SharedRing>();
  /** Tells a party's thread to look, this one's too; set once there is a way. */
  tell: (party: number) => void = () => {};

  /** For `parties`, one of which gets it as it is, and the others by `buffer`. */
  static create(buffer: ArrayBufferLike, parties: number, party: number): Arena {
    const words = new Int32Array(buffer);
    words[HEADER.parties] = parties;
    words[HEADER.end] = align(4 * (HEADER.size + 2 * parties));
    return new Arena(buffer, party);
  }

  constructor(buffer: ArrayBufferLike, party: number) {
    this.buffer = buffer;
    this.party = party;
    this.#words = new Int32Array(buffer);
    this.parties = this.#words[HEADER.parties]!;
  }

  /** The channel of this id; undefined: there is none. */
  find(id: number): SharedRing | undefined {
    const known = this.#rings.get(id);
    if (known !== undefined) return known;
    for (const ring of this.all()) if (ring.id === id) return ring;
    return undefined;
  }

  /** Every channel, the newest first. */
  *all(): Generator<SharedRing> {
    for (let id = Atomics.load(this.#words, HEADER.last); id !== 0; ) {
      const ring = this.#ring(id);
      yield ring;
      id = ring.next;
    }
  }

  /**
   * The channel of this name, made if there is none; without a name always a new one.
   *
   * @returns a negated errno: EINVAL for a size, or one that is not the other's; ENOMEM.
   */
  open(name: Uint8Array, capacity: number, itemBytes: number): SharedRing | number {
    if (capacity < 1 || itemBytes < 1 || name.length > NAME_BYTES_MAX) return -ERRNO.EINVAL;
    lock(this.#words, HEADER.lock, this.party);
    try {
      const known = name.length === 0 ? undefined : this.#named(name);
      if (known === undefined) return this.#create(name, capacity, itemBytes);
      const same = known.capacity === capacity && known.itemBytes === itemBytes;
      return same ? known : -ERRNO.EINVAL;
    } finally {
      unlock(this.#words, HEADER.lock);
    }
  }

  /** A party has crashed: its locks open, and channels that it leaves to nobody, or one alone, end. */
  leave(party: number): void {
    unlockFor(this.#words, HEADER.lock, party);
    for (const ring of this.all()) ring.leave(party);
  }

  /** Tasks that live on an executor, as it said last. */
  load(party: number): number {
    return Atomics.load(this.#words, this.#loadAt(party));
  }

  /** Whether it has not crashed or ended. */
  runs(party: number): boolean {
    return this.load(party) >= 0;
  }

  setLoad(tasks: number): void {
    Atomics.store(this.#words, this.#loadAt(this.party), tasks);
  }

  addLoad(party: number, tasks: number): void {
    Atomics.add(this.#words, this.#loadAt(party), tasks);
  }

  /** It starts no task any more. */
  setGone(party: number): void {
    Atomics.store(this.#words, this.#loadAt(party), GONE);
  }

  /** Has a party look at its channels. */
  wake(party: number): void {
    if (Atomics.exchange(this.#words, HEADER.size + party, 1) === 0) this.tell(party);
  }

  /** Whether this party is to look at its channels; it is told once. */
  takeWake(): boolean {
    const at = HEADER.size + this.party;
    return Atomics.load(this.#words, at) !== 0 && Atomics.exchange(this.#words, at, 0) !== 0;
  }

  #loadAt(party: number): number {
    return HEADER.size + this.parties + party;
  }

  #named(name: Uint8Array): SharedRing | undefined {
    for (const ring of this.all()) if (equal(ring.name(), name)) return ring;
    return undefined;
  }

  #create(name: Uint8Array, capacity: number, itemBytes: number): SharedRing | number {
    const words = this.#words;
    const id = words[HEADER.end]!;
    const end = id + align(ringBytes(this.parties, name.length, capacity, itemBytes));
    if (end > this.buffer.byteLength) return -ERRNO.ENOMEM;
    const at = id / 4;
    words[at + RING.capacity] = capacity;
    words[at + RING.itemBytes] = itemBytes;
    words[at + RING.next] = words[HEADER.last]!;
    words[at + RING.nameBytes] = name.length;
    const ring = this.#ring(id);
    ring.name().set(name);
    words[HEADER.end] = end;
    Atomics.store(words, HEADER.last, id);
    return ring;
  }

  #ring(id: number): SharedRing {
    let ring = this.#rings.get(id);
    if (ring === undefined) {
      ring = new SharedRing(this, this.#words, id);
      this.#rings.set(id, ring);
    }
    return ring;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}
