//! Operations from submission to completion: found by token to be cancelled, finished once, and
//! kept until the completion ring has room.

import { type GuestRing, NO_SEGMENTS, type Segments, type Submission } from "../ring.ts";
import type { OperationQueue } from "./operation-queue.ts";

/** Whoever works on an operation and may be asked to end it early. */
export interface Owner {
  /** Completes `operation` with -ECANCELED if it can still be taken back, else does nothing. */
  cancel(operation: Operation): void;
}

export class Operation {
  readonly submission: Submission;
  /** Set when the operation does not finish at once. */
  owner: Owner | undefined;
  /** Where a waiting READ or WRITE has its bytes. */
  buffers: Segments = NO_SEGMENTS;
  finished = false;
  result = 0;
  /** Where it waits, and its neighbours there. */
  queue: OperationQueue | undefined;
  older: Operation | undefined;
  newer: Operation | undefined;
  /** Neighbours among the operations in flight with the same token. */
  next: Operation | undefined;
  previous: Operation | undefined;

  constructor(submission: Submission) {
    this.submission = submission;
  }
}

export class Operations {
  /** In flight, by token: the first of a chain, because a guest may repeat its tokens. */
  readonly #byToken = new Map<number, Operation>();
  readonly #onFinished: () => void;
  #finished: Operation[] = [];
  /** How many of `#finished` are in the ring already. */
  #delivered = 0;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  /** @param onFinished - Called for every operation that finishes. */
  constructor(onFinished: () => void) {
    this.#onFinished = onFinished;
  }

  /** In flight, or finished and not delivered. */
  get pending(): number {
    return this.#inFlight + this.undelivered;
  }

  get undelivered(): number {
    return this.#finished.length - this.#delivered;
  }

  add(submission: Submission): Operation {
    const operation = new Operation(submission);
    const first = this.#byToken.get(submission.token);
    if (first !== undefined) {
      operation.next = first;
      first.previous = operation;
    }
    this.#byToken.set(submission.token, operation);
    this.#inFlight++;
    return operation;
  }

  /** Ends `operation` with `result`. Whoever comes second has lost the race and changes nothing. */
  finish(operation: Operation, result: number): void {
    if (operation.finished) return;
    operation.finished = true;
    operation.result = result;
    operation.owner = undefined;
    this.#unlink(operation);
    this.#finished.push(operation);
    this.#inFlight--;
    this.#onFinished();
    if (this.#inFlight === 0) this.#idle?.();
  }

  /** Asks every operation in flight with this token to end. */
  cancel(token: number): void {
    // The whole chain first: ending one operation may finish others and so take the chain apart.
    const chain: Operation[] = [];
    for (let at = this.#byToken.get(token); at !== undefined; at = at.next) chain.push(at);
    for (const operation of chain) operation.owner?.cancel(operation);
  }

  /** Moves finished operations into the ring while it has room; returns how many. */
  deliver(ring: GuestRing): number {
    const first = this.#delivered;
    while (this.#delivered < this.#finished.length) {
      const { submission, result } = this.#finished[this.#delivered]!;
      if (!ring.complete(submission.token, result)) break;
      this.#delivered++;
    }
    const count = this.#delivered - first;
    // Compacting at the half keeps both the memory and the moves proportional to the completions.
    if (this.#delivered * 2 >= this.#finished.length) {
      this.#finished = this.#finished.slice(this.#delivered);
      this.#delivered = 0;
    }
    return count;
  }

  cancelAll(): void {
    for (const token of [...this.#byToken.keys()]) this.cancel(token);
  }

  /** Resolves when nothing is in flight. One caller at a time. */
  async idle(): Promise<void> {
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Forgets completions that nobody will take any more. */
  discard(): void {
    this.#finished = [];
    this.#delivered = 0;
  }

  #unlink(operation: Operation): void {
    const { next, previous, submission } = operation;
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else if (next !== undefined) this.#byToken.set(submission.token, next);
    else this.#byToken.delete(submission.token);
    operation.next = undefined;
    operation.previous = undefined;
  }
}
