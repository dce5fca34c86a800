//! The host's end of a channel in guest memory.

import { ARM_SOURCE } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import type { HostWait, HostWaits } from "./host-waits.ts";

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

/** sizeof(struct sf_channel) in channel.h. */
const CHANNEL_BYTES = 64;

/** The core's largest allocation, less its own needs. */
const ALLOCATION_BYTES_MAX = 8 * 1024 * 1024 - 64;

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
  readonly #waits: HostWaits;
  readonly #itemBytes: number;

  /** @internal Channels come from `Runtime.channel`. */
  constructor(waits: HostWaits, options: ChannelOptions) {
    const { capacity = 16, item = "i32" } = options;
    if (!Number.isInteger(capacity) || capacity < 0) {
      throw new RangeError(`channel: capacity must be a whole number from 0 on, not ${capacity}`);
    }
    if (typeof item === "number" && (!Number.isInteger(item) || item < 1)) {
      throw new RangeError(`channel: item must be a size of at least 1 byte, not ${item}`);
    }
    const { guest } = waits;
    this.#guest = guest;
    this.#waits = waits;
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
    const wait = this.#open(ARM_SOURCE.SEND);
    try {
      this.#write(wait.item(0), value);
      const index = await wait.start(options.signal);
      if (index < 0 || wait.result(0) < 0) throw closed("the channel is closed");
    } finally {
      wait.release();
    }
  }

  /**
   * Receives the oldest item; resolves to undefined once the channel is closed and empty, or the
   * runtime has ended.
   */
  async receive(options: WaitOptions = {}): Promise<Item | undefined> {
    if (this.#waits.ended) return undefined;
    const wait = this.#open(ARM_SOURCE.RECEIVE);
    try {
      const index = await wait.start(options.signal);
      return index < 0 || wait.result(0) < 0 ? undefined : this.#read(wait.item(0));
    } finally {
      wait.release();
    }
  }

  /** No send is accepted any more; what is in the buffer can be received, unless `immediate`. */
  close(options: { readonly immediate?: boolean } = {}): void {
    if (this.#waits.ended) return;
    this.#guest.core.sf_channel_close(this.address, options.immediate === true ? 1 : 0);
    this.#waits.progress();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Item> {
    for (let value = await this.receive(); value !== undefined; value = await this.receive()) {
      yield value;
    }
  }

  #open(source: number): HostWait {
    if (this.#waits.ended) throw closed("the runtime has ended");
    return this.#waits.open([{ source, object: this.address, itemBytes: this.#itemBytes }]);
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

function closed(why: string): StackfulError {
  return new StackfulError("SF_CLOSED", `sending: ${why}`);
}

function itemBytes(item: ChannelItem): number {
  if (typeof item === "number") return item;
  return item === "i64" || item === "f64" ? 8 : 4;
}
