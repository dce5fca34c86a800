//! Waiting, on the host's side, for what tasks wait for: one arm of the core, or several.
//!
//!   open ─▶ start ─▶ ready at once
//!              └──▶ queued in the core ─▶ served: comes back in sf_shared.signaled
//!                                    └──▶ stopped: taken out again
//!
//! The block of memory (owner, arms, items) is the core's until then, and is given back after. Whether
//! a wait has been served is known to the host from its own table; the index of the arm that won, and
//! what the arm carries, come from guest memory.

import { ARM, ERRNO, SHARED, WAITER } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import type { CoreArm, Outcome } from "./arm.ts";

/** Told once when a wait is over. `index` is -1 when the runtime ended first. */
export type OnOver = (index: number, outcome: Outcome<unknown>) => void;

/** In sf_waiter.task: it is the host's. */
const HOST_WAITER = 1;

const ALIGN = 8;
const OWNER_BYTES = Math.ceil(WAITER.size / ALIGN) * ALIGN;

/** All waits of a runtime. */
export class HostWaits {
  readonly guest: Guest;
  readonly #wake: () => void;
  readonly #pending = new Map<number, { served(index: number): void; onOver: OnOver }>();
  #ended: StackfulError | undefined;
  #servedCount = 0;

  /** @param wake - asks for a turn. */
  constructor(guest: Guest, wake: () => void) {
    this.guest = guest;
    this.#wake = wake;
  }

  /** Why nothing can be waited for any more: the runtime has ended. */
  get ended(): StackfulError | undefined {
    return this.#ended;
  }

  /** How many waits the core has served so far. */
  get servedCount(): number {
    return this.#servedCount;
  }

  /** @throws {StackfulError} SF_LIMIT when memory is used up; `ended`. */
  open(arms: readonly CoreArm<unknown>[]): HostWait {
    if (this.#ended !== undefined) throw this.#ended;
    return new HostWait(this, arms);
  }

  /** Has the arm's effect and returns its value, if it is ready; else undefined. */
  try<T>(arm: CoreArm<T>): { readonly value: T } | undefined {
    const wait = this.open([arm]);
    try {
      let outcome: Outcome<unknown> | undefined;
      wait.start((_, own) => {
        outcome = own;
      });
      if (outcome === undefined) wait.stop();
      return outcome === undefined ? undefined : { value: outcome() as T };
    } finally {
      wait.release();
    }
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
      const wait = this.#pending.get(owner);
      if (wait === undefined) break; // Written by the guest: nothing of ours.
      this.#pending.delete(owner);
      const index = guest.i32(owner + WAITER.result);
      served.push(() => wait.served(index));
      owner = guest.u32(owner + WAITER.next);
    }
    this.#servedCount += served.length;
    // The core lists the newest first.
    for (const finish of served.reverse()) finish();
  }

  /** The runtime has ended: so does what is pending, and whatever comes. */
  endAll(error: StackfulError): void {
    this.#ended ??= error;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { onOver } of pending) onOver(-1, failing(error));
  }

  /** @internal */
  add(owner: number, wait: { served(index: number): void; onOver: OnOver }): void {
    this.#pending.set(owner, wait);
  }

  /** @internal Takes a wait out of the core's queues. False: it was over already. */
  remove(owner: number): boolean {
    this.drain();
    if (!this.#pending.delete(owner)) return false;
    try {
      this.guest.core.stackful_select_forget(owner);
    } catch {
      return true; // The guest has damaged itself; the runtime has been told.
    }
    this.progress();
    return true;
  }
}

/** One wait. Release it, whatever became of it. */
export class HostWait {
  readonly #waits: HostWaits;
  readonly #arms: readonly CoreArm<unknown>[];
  readonly #block: number;

  /** @internal Waits come from `HostWaits.open`. */
  constructor(waits: HostWaits, arms: readonly CoreArm<unknown>[]) {
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
      guest.setU32(address + ARM.object, arm.object ?? 0);
      guest.view.setBigUint64(address + ARM.value, arm.value ?? 0n, true);
      guest.setU32(address + ARM.waiter + WAITER.count, arm.count ?? 0);
      guest.setU32(address + ARM.waiter + WAITER.item, this.#item(index));
    });
  }

  /** Waits. `onOver` is called in here when an arm is ready at once, or else once it is. */
  start(onOver: OnOver): void {
    const waits = this.#waits;
    const { core } = waits.guest;
    this.#arms.forEach((arm, index) => {
      arm.put?.(this.#item(index));
    });
    const index = core.stackful_select(this.#arm(0), this.#arms.length, this.#block);
    const served = (index: number): void => onOver(index, () => this.#take(index));
    if (index === -ERRNO.EAGAIN) waits.add(this.#block, { served, onOver });
    else served(index);
    waits.progress();
  }

  /** Ends the wait with no effect of any arm. False: it was over already. */
  stop(): boolean {
    return this.#waits.remove(this.#block);
  }

  release(): void {
    if (this.#waits.ended === undefined) this.#waits.guest.core.stackful_release(this.#block);
  }

  #take(index: number): unknown {
    const arm = this.#arms[index];
    if (arm === undefined) {
      throw new StackfulError("SF_TRAP", "waiting: the guest's memory is corrupt");
    }
    const result = this.#waits.guest.i32(this.#arm(index) + ARM.waiter + WAITER.result);
    return arm.take(result, this.#item(index));
  }

  #arm(index: number): number {
    return this.#block + OWNER_BYTES + index * ARM.size;
  }

  #item(index: number): number {
    let address = this.#arm(this.#arms.length);
    for (const arm of this.#arms.slice(0, index)) address += padded(arm.itemBytes ?? 0);
    return address;
  }
}

function failing(error: unknown): Outcome<never> {
  return () => {
    throw error;
  };
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}
