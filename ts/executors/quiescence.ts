//! Whether any executor of a pool can still go on: a few words that all its threads share.
//!
//! An executor is quiet while its loop waits for nothing but a message. Messages are counted by receiver: before
//! one is sent, and, once it was taken, after that has ended the quiet. Who is quiet sends nothing. So if all
//! were quiet at one time, and nothing was on its way then, nothing happens any more until the pool's own thread
//! begins something.

/** In words. */
const ASKED = 0;
const PARTY = { first: 1, onWay: 0, state: 1, tasks: 2, size: 3 } as const;

/** In place of a state, which is odd while the executor is quiet, and another one each time. */
const GONE = -1;

export class Quiescence {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #executors: number;

  static create(executors: number): Quiescence {
    const words = PARTY.first + (executors + 1) * PARTY.size;
    return new Quiescence(new SharedArrayBuffer(4 * words), executors);
  }

  constructor(buffer: SharedArrayBuffer, executors: number) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#executors = executors;
  }

  /** The pool's own thread, as a receiver. */
  get pool(): number {
    return this.#executors;
  }

  /** A message goes to a party: before it does. */
  sends(to: number): void {
    Atomics.add(this.#words, this.#at(to, PARTY.onWay), 1);
  }

  /** It was acted on. */
  took(party: number): void {
    Atomics.sub(this.#words, this.#at(party, PARTY.onWay), 1);
  }

  /** An executor does something. */
  begin(executor: number): void {
    const at = this.#at(executor, PARTY.state);
    if ((Atomics.load(this.#words, at) & 1) !== 0) Atomics.add(this.#words, at, 1);
  }

  /** An executor waits for messages, and so do its tasks. Returns whether the pool is to be told. */
  rest(executor: number, tasks: number): boolean {
    const at = this.#at(executor, PARTY.state);
    Atomics.store(this.#words, this.#at(executor, PARTY.tasks), tasks);
    if ((Atomics.load(this.#words, at) & 1) === 0) Atomics.add(this.#words, at, 1);
    return this.isStill && Atomics.exchange(this.#words, ASKED, 0) !== 0;
  }

  /** An executor does nothing any more. */
  leave(executor: number): void {
    Atomics.store(this.#words, this.#at(executor, PARTY.state), GONE);
    Atomics.store(this.#words, this.#at(executor, PARTY.tasks), 0);
  }

  /** Has the next executor that rests while all do tell the pool, once. */
  ask(): void {
    Atomics.store(this.#words, ASKED, 1);
  }

  /** Whether all are quiet, and nothing is on its way. */
  get isStill(): boolean {
    const states = this.#states();
    if (states.some((state) => (state & 1) === 0)) return false;
    for (let party = 0; party <= this.#executors; party++) {
      if (states[party] === GONE) continue;
      if (Atomics.load(this.#words, this.#at(party, PARTY.onWay)) !== 0) return false;
    }
    // Nobody has done anything in between: all were quiet at once.
    return this.#states().every((state, executor) => state === states[executor]);
  }

  /** Tasks on executors that rest, as they said. */
  get tasks(): number {
    let sum = 0;
    for (let executor = 0; executor < this.#executors; executor++) {
      sum += Atomics.load(this.#words, this.#at(executor, PARTY.tasks));
    }
    return sum;
  }

  #states(): number[] {
    return Array.from({ length: this.#executors }, (_, executor) =>
      Atomics.load(this.#words, this.#at(executor, PARTY.state)),
    );
  }

  #at(party: number, word: number): number {
    return PARTY.first + party * PARTY.size + word;
  }
}
