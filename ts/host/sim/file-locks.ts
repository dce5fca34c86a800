//! The locks of one file or directory: shared by many or held by one, as flock(2) has it. Who waits gets it
//! in the order of asking.

import { LOCK } from "../../abi.gen.ts";

interface Waiting {
  readonly owner: object;
  readonly exclusive: boolean;
  readonly granted: () => void;
}

export class FileLocks {
  /** Who has it: an open file, not a process. */
  readonly #holders = new Set<object>();
  #exclusive = false;
  #waiting: Waiting[] = [];

  /**
   * Takes, changes or gives back the owner's lock. What it had before is gone first, as Linux has it.
   *
   * @param granted - Called later, if it has to wait; absent: it does not.
   * @returns whether it has it now.
   */
  lock(owner: object, how: number, granted?: () => void): boolean {
    this.release(owner);
    if (how === LOCK.NONE) return true;
    const exclusive = how === LOCK.EXCLUSIVE;
    if (this.#take(owner, exclusive)) return true;
    if (granted !== undefined) this.#waiting.push({ owner, exclusive, granted });
    return false;
  }

  /** `granted` will not be called. */
  cancel(granted: () => void): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.granted !== granted);
    this.#grant();
  }

  release(owner: object): void {
    if (!this.#holders.delete(owner)) return;
    this.#exclusive = false;
    this.#grant();
  }

  #take(owner: object, exclusive: boolean): boolean {
    if (this.#holders.size > 0 && (exclusive || this.#exclusive)) return false;
    this.#holders.add(owner);
    this.#exclusive = exclusive;
    return true;
  }

  #grant(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!this.#take(next.owner, next.exclusive)) return;
      this.#waiting.shift();
      next.granted();
    }
  }
}
