//! The host's end of a channel in guest memory.

import { ERRNO, SHARED, WAITER } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";

/** How items look in TypeScript; a number is their size in bytes, for Uint8Array items. */
export type ChannelItem = "i32" | "u32" | "i64" | "f64" | number;

export interface ChannelOptions {
  /** Items that fit before a sender parks; 0 is a rendezvous. @defaultValue 16 */
  readonly capacity?: number;
  /** @defaultValue "i32" */
  readonly item?: ChannelItem;
}

export interface WaitOptions {
  /** Ends the wait; its reason is thrown. An item that was handed over already is returned. */
  readonly signal?: AbortSignal;
}

type Item = number | bigint | Uint8Array;

/** sizeof(struct sf_channel) in stackful.h. */
const CHANNEL_BYTES = 64;

/** The core's largest allocation, less its own needs. */
const ALLOCATION_BYTES_MAX = 8 * 1024 * 1024 - 64;

interface Pending {
  readonly waiter: number;
  finish(result: number): void;
}

/** The host's waiters in all channels of a runtime. */
export class HostWaiters {
  readonly #guest: Guest;
  readonly #pending = new Map<number, Pending>();
  ended = false;
  /** Asks for a turn. */
  readonly wake: () => void;

  constructor(guest: Guest, wake: () => void) {
    this.#guest = guest;
    this.wake = wake;
  }

  add(pending: Pending): void {
    this.#pending.set(pending.waiter, pending);
  }

  remove(waiter: number): void {
    this.#pending.delete(waiter);
  }

  /** Takes the waiters that the core has served. */
  drain(): void {
    let waiter = this.#guest.sharedU32(SHARED.signaled);
    if (waiter === 0) return;
    this.#guest.setShared(SHARED.signaled, 0);
    const served: { pending: Pending; result: number }[] = [];
    while (waiter !== 0) {
      const pending = this.#pending.get(waiter);
      if (pending === undefined) break; // Written by the guest: nothing of ours.
      this.#pending.delete(waiter);
      served.push({ pending, result: this.#guest.i32(waiter + WAITER.result) });
      waiter = this.#guest.u32(waiter + WAITER.next);
    }
    // The core lists the newest first.
    for (const { pending, result } of served.reverse()) pending.finish(result);
  }

  /** Whether `waiter` is still queued in its channel. */
  has(waiter: number): boolean {
    return this.#pending.has(waiter);
  }

  /** The runtime ended: what is pending, and whatever comes, finds the channel closed. */
  endAll(): void {
    this.ended = true;
    for (const pending of [...this.#pending.values()]) pending.finish(-ERRNO.EPIPE);
    this.#pending.clear();
  }
}

/**
 * A bounded FIFO channel between guest and host, any number of senders and receivers on either side.
 * The guest uses it through `sf_channel_*` at `address`.
 */
export class Channel implements AsyncIterable<Item> {
  /** Pass it to the guest: a `struct sf_channel *`. */
  readonly address: number;
  readonly capacity: number;
  readonly item: ChannelItem;
  readonly #guest: Guest;
  readonly #waiters: HostWaiters;
  readonly #itemBytes: number;

  /** @internal Channels come from `Runtime.channel`. */
  constructor(guest: Guest, waiters: HostWaiters, options: ChannelOptions) {
    const { capacity = 16, item = "i32" } = options;
    if (!Number.isInteger(capacity) || capacity < 0) {
      throw new RangeError(`channel: capacity must be a whole number from 0 on, not ${capacity}`);
    }
    if (typeof item === "number" && (!Number.isInteger(item) || item < 1)) {
      throw new RangeError(`channel: item must be a size of at least 1 byte, not ${item}`);
    }
    this.#guest = guest;
    this.#waiters = waiters;
    this.capacity = capacity;
    this.item = item;
    this.#itemBytes = itemBytes(item);
    if (CHANNEL_BYTES + (capacity + 1) * this.#itemBytes > ALLOCATION_BYTES_MAX) {
      throw new RangeError(`channel: ${capacity} items of ${this.#itemBytes} bytes exceed 8 MiB`);
    }
    this.address = guest.allocate(CHANNEL_BYTES + capacity * this.#itemBytes);
    const buffer = this.address + CHANNEL_BYTES;
    guest.core.sf_channel_init(this.address, buffer, capacity, this.#itemBytes);
  }

  /** Items in the buffer. */
  get count(): number {
    return this.#guest.core.sf_channel_count(this.address) >>> 0;
  }

  /**
   * Sends an item; resolves once it is in the buffer or was handed over.
   *
   * @throws {StackfulError} SF_CLOSED when the channel is or gets closed: the item was not taken.
   * @throws {RangeError} an item of bytes has another size than the channel's.
   */
  async send(value: Item, options: WaitOptions = {}): Promise<void> {
    if (this.#waiters.ended) throw new StackfulError("SF_CLOSED", "sending: the runtime has ended");
    const waiter = this.#newWaiter();
    try {
      this.#write(waiter + WAITER.size, value);
    } catch (error) {
      this.#guest.core.stackful_release(waiter);
      throw error;
    }
    const result = this.#guest.core.stackful_channel_send(this.address, waiter);
    const outcome = await this.#settled(waiter, result, true, options.signal);
    this.#guest.core.stackful_release(waiter);
    if (outcome < 0) throw new StackfulError("SF_CLOSED", "sending: the channel is closed");
  }

  /**
   * Receives the oldest item; resolves to undefined once the channel is closed and empty, or the
   * runtime has ended.
   */
  async receive(options: WaitOptions = {}): Promise<Item | undefined> {
    if (this.#waiters.ended) return undefined;
    const waiter = this.#newWaiter();
    const result = this.#guest.core.stackful_channel_receive(this.address, waiter);
    const outcome = await this.#settled(waiter, result, false, options.signal);
    const value = outcome < 0 ? undefined : this.#read(waiter + WAITER.size);
    this.#guest.core.stackful_release(waiter);
    return value;
  }

  /** No send is accepted any more; what is in the buffer can be received, unless `immediate`. */
  close(options: { readonly immediate?: boolean } = {}): void {
    if (this.#waiters.ended) return;
    this.#guest.core.sf_channel_close(this.address, options.immediate === true ? 1 : 0);
    this.#waiters.drain();
    this.#waiters.wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Item> {
    for (let value = await this.receive(); value !== undefined; value = await this.receive()) {
      yield value;
    }
  }

  #newWaiter(): number {
    const waiter = this.#guest.allocate(WAITER.size + this.#itemBytes);
    this.#guest.setU32(waiter + WAITER.task, 0);
    this.#guest.setU32(waiter + WAITER.item, waiter + WAITER.size);
    return waiter;
  }

  /** The waiter's result; -EAGAIN means that it was queued. Either way the guest may go on now. */
  #settled(
    waiter: number,
    result: number,
    sending: boolean,
    signal: AbortSignal | undefined,
  ): Promise<number> | number {
    this.#waiters.drain();
    this.#waiters.wake();
    if (result !== -ERRNO.EAGAIN) return result;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiters.drain();
        if (!this.#waiters.has(waiter)) return; // Served in this very turn: the item counts.
        this.#waiters.remove(waiter);
        this.#guest.core.stackful_channel_forget(this.address, waiter, sending ? 1 : 0);
        this.#guest.core.stackful_release(waiter);
        reject(signal!.reason);
      };
      this.#waiters.add({
        waiter,
        finish: (outcome) => {
          signal?.removeEventListener("abort", abort);
          resolve(outcome);
        },
      });
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  }

  #write(address: number, value: Item): void {
    const { view } = this.#guest;
    if (this.item === "i32" || this.item === "u32") view.setInt32(address, Number(value), true);
    else if (this.item === "i64") view.setBigInt64(address, BigInt(value as bigint), true);
    else if (this.item === "f64") view.setFloat64(address, Number(value), true);
    else if (value instanceof Uint8Array && value.length === this.item) {
      this.#guest.bytes.set(value, address);
    } else throw new RangeError(`sending: the item must be a Uint8Array of ${this.item} bytes`);
  }

  #read(address: number): Item {
    const { view } = this.#guest;
    if (this.item === "i32") return view.getInt32(address, true);
    if (this.item === "u32") return view.getUint32(address, true);
    if (this.item === "i64") return view.getBigInt64(address, true);
    if (this.item === "f64") return view.getFloat64(address, true);
    return this.#guest.bytes.slice(address, address + this.item);
  }
}

function itemBytes(item: ChannelItem): number {
  if (typeof item === "number") return item;
  return item === "i64" || item === "f64" ? 8 : 4;
}
