//! Operations that wait for the same thing, in the order in which they came. The links are in the
//! operations, each of which is in one queue at most.

import type { Operation } from "./operation.ts";

export class OperationQueue {
  #oldest: Operation | undefined;
  #newest: Operation | undefined;

  get empty(): boolean {
    return this.#oldest === undefined;
  }

  get oldest(): Operation | undefined {
    return this.#oldest;
  }

  add(operation: Operation): void {
    operation.queue = this;
    operation.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = operation;
    else this.#newest.newer = operation;
    this.#newest = operation;
  }

  /** Returns whether it was in this queue. */
  remove(operation: Operation): boolean {
    if (operation.queue !== this) return false;
    const { older, newer } = operation;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    operation.queue = operation.older = operation.newer = undefined;
    return true;
  }
}
