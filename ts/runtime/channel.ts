//! The host's end of a channel in guest memory.

import { ARM_SOURCE, ERRNO } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import type { Arm, CoreArm } from "./arm.ts";
import type { HostWaits } from "./host-waits.ts";
import { type Item, ItemCodec, type ItemType } from "./item.ts";
import { type WaitOptions, wait } from "./select.ts";

export interface ChannelOptions<I extends ItemType = ItemType> {
  /** Items that fit before a sender parks; 0 is a rendezvous. @defaultValue 16 */
  readonly capacity?: number;
  /**
   * Instead of `capacity`: the buffer grows as it fills, up to so many items; then senders park.
   * From 1 on, at most 8 MiB of items.
   */
  readonly limit?: number;
  /** @defaultValue "i32" */
  readonly item?: I;
}

/** sizeof(struct sf_channel) in channel.h. */
const CHANNEL_BYTES = 64;

/** The core's largest allocation, less its own needs. */
const ALLOCATION_BYTES_MAX = 8 * 1024 * 1024 - 64;

/**
 * A FIFO channel between guest and host, any number of senders and receivers on either side. The guest
 * uses it through `sf_channel_*` at `address`. `using` and `await using` close it.
 */
export class Channel<T extends Item = Item> implements AsyncIterable<T>, Disposable {
  /** Pass it to the guest: a `struct sf_channel *`. */
  readonly address: number;
  /** Items that fit before a sender parks: the limit, when it has one. */
  readonly capacity: number;
  readonly item: ItemType;
  readonly #guest: Guest;
  readonly #waits: HostWaits;
  readonly #codec: ItemCodec<T>;

  /** @internal Channels come from `Runtime.channel`. */
  constructor(waits: HostWaits, options: ChannelOptions) {
    const { limit, item = "i32" } = options;
    const capacity = limit ?? options.capacity ?? 16;
    if (limit !== undefined && options.capacity !== undefined) {
      throw new RangeError("channel: give capacity or limit, not both");
    }
    const [name, min] = limit === undefined ? ["capacity", 0] : ["limit", 1];
    if (!Number.isInteger(capacity) || capacity < min) {
      throw new RangeError(
        `channel: ${name} must be a whole number from ${min} on, not ${capacity}`,
      );
    }
    const { guest } = waits;
    this.#guest = guest;
    this.#waits = waits;
    this.#codec = new ItemCodec(item);
    this.capacity = capacity;
    this.item = item;
    const { bytes } = this.#codec;
    if (CHANNEL_BYTES + (capacity + 1) * bytes > ALLOCATION_BYTES_MAX) {
      throw new RangeError(`channel: ${capacity} items of ${bytes} bytes exceed 8 MiB`);
    }
    if (limit !== undefined) {
      this.address = guest.allocate(CHANNEL_BYTES);
      guest.core.sf_channel_init_unbounded(this.address, limit, bytes);
    } else {
      this.address = guest.allocate(CHANNEL_BYTES + capacity * bytes);
      guest.core.sf_channel_init(this.address, this.address + CHANNEL_BYTES, capacity, bytes);
    }
  }

  /** Items in the buffer. */
  get count(): number {
    return this.#guest.core.sf_channel_count(this.address) >>> 0;
  }

  /**
   * Sends an item; resolves once it is in the buffer or was handed over.
   *
   * @throws {StackfulError} SF_CLOSED when the channel is or gets closed, or the runtime has ended: the
   *   item was not taken. SF_LIMIT when an unbounded channel could not grow.
   * @throws {RangeError} an item of bytes has another size than the channel's.
   */
  async send(value: T, options: WaitOptions = {}): Promise<void> {
    const arm = this.onSend(value);
    if (this.#waits.ended !== undefined) throw closed("the runtime has ended");
    try {
      await wait(this.#waits, arm, options);
    } catch (error) {
      throw error === this.#waits.ended ? closed("the runtime has ended") : error;
    }
  }

  /**
   * Sends an item if that needs no waiting.
   *
   * @returns whether it was sent.
   * @throws as `send` does.
   */
  trySend(value: T): boolean {
    const arm = this.#sendArm(value);
    if (this.#waits.ended !== undefined) throw closed("the runtime has ended");
    return this.#waits.try(arm) !== undefined;
  }

  /**
   * Receives the oldest item; resolves to undefined once the channel is closed and empty, or the
   * runtime has ended.
   */
  async receive(options: WaitOptions = {}): Promise<T | undefined> {
    try {
      return await wait(this.#waits, this.onReceive(), options);
    } catch (error) {
      if (error === this.#waits.ended) return undefined;
      throw error;
    }
  }

  /** The oldest item; undefined when none is there now, whether or not the channel is closed. */
  tryReceive(): T | undefined {
    if (this.#waits.ended !== undefined) return undefined;
    return this.#waits.try(this.#receiveArm())?.value;
  }

  /** For a select: `send`. */
  onSend(value: T): Arm<undefined> {
    return this.#sendArm(value);
  }

  /** For a select: `receive`. */
  onReceive(): Arm<T | undefined> {
    return this.#receiveArm();
  }

  /** No send is accepted any more; what is in the buffer can be received, unless `immediate`. */
  close(options: { readonly immediate?: boolean } = {}): void {
    if (this.#waits.ended !== undefined) return;
    this.#guest.core.sf_channel_close(this.address, options.immediate === true ? 1 : 0);
    this.#waits.progress();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (let value = await this.receive(); value !== undefined; value = await this.receive()) {
      yield value;
    }
  }

  #sendArm(value: T): CoreArm<undefined> {
    this.#codec.check(value);
    return {
      source: ARM_SOURCE.SEND,
      object: this.address,
      itemBytes: this.#codec.bytes,
      put: (item) => this.#codec.write(this.#guest, item, value),
      take: (result) => {
        if (result === 0) return undefined;
        if (result === -ERRNO.ENOMEM) {
          throw new StackfulError(
            "SF_LIMIT",
            "sending: the channel cannot grow, memory is used up",
          );
        }
        throw closed("the channel is closed");
      },
    };
  }

  #receiveArm(): CoreArm<T | undefined> {
    return {
      source: ARM_SOURCE.RECEIVE,
      object: this.address,
      itemBytes: this.#codec.bytes,
      take: (result, item) => (result < 0 ? undefined : this.#codec.read(this.#guest, item)),
    };
  }
}

function closed(why: string): StackfulError {
  return new StackfulError("SF_CLOSED", `sending: ${why}`);
}
