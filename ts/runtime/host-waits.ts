//! Waiting, on the host's side, for what tasks wait for: one arm, or several as a select.
//!
//!   open ─▶ items written ─▶ start ─▶ ready at once: its index
//!                                └──▶ queued in the core ─▶ served: comes back in sf_shared.signaled
//!                                                      └──▶ aborted: taken out again
//!
//! The block of memory (owner, arms, items) is the core's until then, and is given back after.

import { ARM, ERRNO, SHARED, WAITER } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";

/** What one arm waits for; see enum sf_arm_source. */
export interface HostArm {
  readonly source: number;
  /** Address of the channel, event, ... */
  readonly object: number;
  /** Room for what it carries, in bytes. @defaultValue 0 */
  readonly itemBytes?: number;
  /** What the source calls its count: permits of a semaphore. */
  readonly count?: number;
}

/** In sf_waiter.task: it is the host's. */
const HOST_WAITER = 1;

const ALIGN = 8;
const OWNER_BYTES = Math.ceil(WAITER.size / ALIGN) * ALIGN;

/** All waits of a runtime. */
export class HostWaits {
  readonly guest: Guest;
  readonly #wake: () => void;
  readonly #pending = new Map<number, (index: number) => void>();
  #ended = false;

  /** @param wake - asks for a turn. */
  constructor(guest: Guest, wake: () => void) {
    this.guest = guest;
    this.#wake = wake;
  }

  /** The runtime has ended: nothing can be waited for. */
  get ended(): boolean {
    return this.#ended;
  }

  /** @throws {StackfulError} SF_LIMIT when memory is used up. */
  open(arms: readonly HostArm[]): HostWait {
    return new HostWait(this, arms);
  }

  /** Takes the waits that the core has served, and lets the guest go on. */
  progress(): void {
    this.drain();
    this.#wake();
  }

  /** Takes the waits that the core has served. */
  drain(): void {
    const { guest } = this;
    let owner = guest.sharedU32(SHARED.signaled);
    if (owner === 0) return;
    guest.setShared(SHARED.signaled, 0);
    const served: (() => void)[] = [];
    while (owner !== 0) {
      const finish = this.#pending.get(owner);
      if (finish === undefined) break; // Written by the guest: nothing of ours.
      this.#pending.delete(owner);
      const index = guest.i32(owner + WAITER.result);
      served.push(() => finish(index));
      owner = guest.u32(owner + WAITER.next);
    }
    // The core lists the newest first.
    for (const finish of served.reverse()) finish();
  }

  /** The runtime ended: what is pending, and whatever comes, ends with -EPIPE. */
  endAll(): void {
    this.#ended = true;
    for (const finish of [...this.#pending.values()]) finish(-ERRNO.EPIPE);
    this.#pending.clear();
  }

  /** @internal The index of the arm that was served, or -EPIPE when the runtime ended. */
  wait(owner: number, signal: AbortSignal | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.drain();
        if (!this.#pending.delete(owner)) return; // Served in this very turn: that counts.
        this.guest.core.stackful_select_forget(owner);
        this.progress();
        reject(signal!.reason);
      };
      this.#pending.set(owner, (index) => {
        signal?.removeEventListener("abort", abort);
        resolve(index);
      });
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  }
}

/** One wait. Release it, whatever became of it. */
export class HostWait {
  readonly #waits: HostWaits;
  readonly #arms: readonly HostArm[];
  readonly #block: number;

  /** @internal Waits come from `HostWaits.open`. */
  constructor(waits: HostWaits, arms: readonly HostArm[]) {
    this.#waits = waits;
    this.#arms = arms;
    const { guest } = waits;
    const itemsBytes = arms.reduce((sum, arm) => sum + padded(arm.itemBytes ?? 0), 0);
    const bytes = OWNER_BYTES + arms.length * ARM.size + itemsBytes;
    this.#block = guest.allocate(bytes);
    guest.bytes.fill(0, this.#block, this.#block + bytes);
    guest.setU32(this.#block + WAITER.task, HOST_WAITER);
    arms.forEach((arm, index) => {
      const address = this.#arm(index);
      guest.setU32(address + ARM.source, arm.source);
      guest.setU32(address + ARM.object, arm.object);
      guest.setU32(address + ARM.waiter + WAITER.count, arm.count ?? 0);
      guest.setU32(address + ARM.waiter + WAITER.item, this.item(index));
    });
  }

  /** Where the item of an arm is, or will be. */
  item(index: number): number {
    let address = this.#arm(this.#arms.length);
    for (const arm of this.#arms.slice(0, index)) address += padded(arm.itemBytes ?? 0);
    return address;
  }

  /** What the source's own call would have returned, of the arm that won. */
  result(index: number): number {
    return this.#waits.guest.i32(this.#arm(index) + ARM.waiter + WAITER.result);
  }

  /**
   * The index of the arm that won; -EPIPE when the runtime ended first. At once when one is ready.
   *
   * @throws the signal's reason when it was aborted before an arm had won.
   */
  start(signal?: AbortSignal): Promise<number> | number {
    const { core } = this.#waits.guest;
    const index = core.stackful_select(this.#arm(0), this.#arms.length, this.#block);
    this.#waits.progress();
    return index === -ERRNO.EAGAIN ? this.#waits.wait(this.#block, signal) : index;
  }

  release(): void {
    if (!this.#waits.ended) this.#waits.guest.core.stackful_release(this.#block);
  }

  #arm(index: number): number {
    return this.#block + OWNER_BYTES + index * ARM.size;
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}
