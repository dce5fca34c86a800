//! A channel between executors, as the pool's thread uses it.

import { ERRNO } from "../abi.gen.ts";
import type { OnAgain, SharedRing } from "../channels/shared-ring.ts";
import { StackfulError } from "../errors.ts";
import { type Arm, type HostArm, LOST } from "../runtime/arm.ts";
import { type Item, ItemCodec, type ItemType } from "../runtime/item.ts";
import { type WaitOptions, wait } from "../runtime/select.ts";

export interface SharedChannelOptions<I extends ItemType = ItemType> {
  /**
   * What guests open it by, with the same capacity and size of items; at most 64 bytes of UTF-8.
   * Without one they attach to its `id`.
   */
  readonly name?: string;
  /** Items that fit before a sender waits, from 1 on. @defaultValue 16 */
  readonly capacity?: number;
  /** @defaultValue "i32" */
  readonly item?: I;
}

/** One that waits: it leaves its line by itself once its wait is over. */
interface Waiting {
  look(): void;
  end(): void;
}

/** One of the two things that can be waited for. */
interface Side<V> {
  readonly to: "send" | "receive";
  readonly line: Waiting[];
  /** Has the effect, if that can be. @throws what the call throws. */
  attempt(): V | typeof LOST;
  /** What it comes to once the pool has ended. */
  ended(): V;
}

/**
 * A FIFO channel between the executors of a pool and the pool's own thread, any number of senders and
 * receivers on each. Guests use it through `sf_shared_channel_*`. It lives as long as the pool.
 */
export class SharedChannel<T extends Item = Item> implements AsyncIterable<T>, Disposable {
  /** Pass it to the guest, for `sf_shared_channel_attach`. */
  readonly id: number;
  readonly name: string;
  readonly capacity: number;
  readonly item: ItemType;
  readonly #ring: SharedRing;
  readonly #codec: ItemCodec<T>;
  readonly #bytes: Uint8Array;
  readonly #memory: { readonly view: DataView; readonly bytes: Uint8Array };
  readonly #senders: Waiting[] = [];
  readonly #receivers: Waiting[] = [];
  #ended = false;

  /** @internal @throws {RangeError} */
  static codec<T extends Item>(item: ItemType, capacity: number): ItemCodec<T> {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 2 ** 30) {
      throw new RangeError(`channel: capacity must be 1 to ${2 ** 30}, not ${capacity}`);
    }
    return new ItemCodec<T>(item);
  }

  /** @internal Channels come from `ExecutorPool.channel`. */
  constructor(ring: SharedRing, codec: ItemCodec<T>, name: string) {
    this.#ring = ring;
    this.#codec = codec;
    this.#bytes = new Uint8Array(codec.bytes);
    this.#memory = { view: new DataView(this.#bytes.buffer), bytes: this.#bytes };
    this.id = ring.id;
    this.name = name;
    this.capacity = ring.capacity;
    this.item = codec.type;
  }

  /** Items in it. Executors may change that at once. */
  get count(): number {
    return this.#ring.count;
  }

  /**
   * Sends an item; resolves once it is in. Items of this thread arrive in the order of the calls.
   *
   * @throws {StackfulError} SF_CLOSED when the channel is or gets closed, or the pool has ended;
   *   SF_EXECUTOR when executors have crashed and nobody is left to receive. The item was not taken.
   * @throws {RangeError} an item of bytes has another size than the channel's.
   */
  async send(value: T, options: WaitOptions = {}): Promise<void> {
    this.#codec.check(value);
    if (this.trySend(value)) return;
    await wait(undefined, this.#sending(value), options);
  }

  /**
   * An arm of a select, of this pool or of a `Runtime`: sends the item once there is room, if it wins.
   *
   * @throws {RangeError} an item of bytes has another size than the channel's.
   */
  onSend(value: T): Arm<void> {
    this.#codec.check(value);
    return this.#sending(value);
  }

  /**
   * Sends an item if that needs no waiting.
   *
   * @returns whether it was sent.
   * @throws as `send` does.
   */
  trySend(value: T): boolean {
    this.#codec.check(value);
    if (this.#ended) throw closed();
    return this.#senders.length === 0 && this.#trySend(value, "forget") !== LOST;
  }

  /**
   * Receives the oldest item; resolves to undefined once the channel is closed and empty, or the pool
   * has ended. An abort loses nothing: what was not returned stays in the channel.
   *
   * @throws {StackfulError} SF_EXECUTOR when nothing is left, executors have crashed and nobody is
   *   left to send.
   */
  async receive(options: WaitOptions = {}): Promise<T | undefined> {
    if (!this.#ended && this.#receivers.length === 0) {
      const value = this.#tryReceive("forget");
      if (value !== LOST) return value;
    }
    return await wait(undefined, this.onReceive(), options);
  }

  /**
   * An arm of a select, of this pool or of a `Runtime`: what `receive` gives, taken only if it wins. Other
   * executors that wait for the same item may be faster, and then the select goes on waiting.
   */
  onReceive(): Arm<T | undefined> {
    return this.#arm({
      to: "receive",
      line: this.#receivers,
      attempt: () => this.#tryReceive("tell"),
      ended: () => undefined,
    });
  }

  /** The oldest item; undefined when none is there now. @throws as `receive` does. */
  tryReceive(): T | undefined {
    if (this.#ended || this.#receivers.length > 0) return undefined;
    const value = this.#tryReceive("forget");
    return value === LOST ? undefined : value;
  }

  /** No send is accepted any more, on any executor; what is in it can be received. Idempotent. */
  close(): void {
    this.#ring.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (let value = await this.receive(); value !== undefined; value = await this.receive()) {
      yield value;
    }
  }

  /** @internal It may have changed. */
  serve(): void {
    for (const line of [this.#senders, this.#receivers]) {
      for (let first = line[0]; first !== undefined; first = line[0]) {
        first.look();
        if (line[0] === first) break;
      }
    }
  }

  /** @internal The pool has ended. */
  end(): void {
    this.#ended = true;
    for (const { end } of [...this.#senders, ...this.#receivers]) end();
  }

  #sending(value: T): HostArm<void> {
    return this.#arm({
      to: "send",
      line: this.#senders,
      attempt: () => this.#trySend(value, "tell"),
      ended: () => {
        throw closed();
      },
    });
  }

  #arm<V>(side: Side<V>): HostArm<V> {
    const { to, line, attempt, ended } = side;
    const outcome = (): V | typeof LOST => (this.#ended ? ended() : attempt());
    return {
      poll: () => {
        if (this.#ended) return outcome;
        // Nobody jumps the line.
        return line.length === 0 && this.#ring.isReady(to, "forget") ? outcome : undefined;
      },
      watch: (ready) => {
        const waiting: Waiting = {
          look: () => {
            if (this.#ring.isReady(to, "tell")) ready(outcome);
          },
          end: () => ready(outcome),
        };
        line.push(waiting);
        if (line[0] === waiting) waiting.look();
        return () => this.#leave(line, waiting);
      },
    };
  }

  /** Who is first now has not looked yet. */
  #leave(line: Waiting[], waiting: Waiting): void {
    const index = line.indexOf(waiting);
    if (index < 0) return;
    line.splice(index, 1);
    if (index === 0 && line.length > 0) queueMicrotask(() => this.serve());
  }

  #trySend(value: T, onAgain: OnAgain): undefined | typeof LOST {
    this.#codec.write(this.#memory, 0, value);
    const result = this.#ring.trySend(this.#bytes, 0, onAgain);
    if (result === -ERRNO.EAGAIN) return LOST;
    if (result === -ERRNO.EPIPE) throw closed();
    if (result < 0) throw ownersDead("sending", "receive");
    return undefined;
  }

  #tryReceive(onAgain: OnAgain): T | undefined | typeof LOST {
    const result = this.#ring.tryReceive(this.#bytes, 0, onAgain);
    if (result === -ERRNO.EAGAIN) return LOST;
    if (result === -ERRNO.EPIPE) return undefined;
    if (result < 0) throw ownersDead("receiving", "send");
    return this.#codec.read(this.#memory, 0);
  }
}

function closed(): StackfulError {
  return new StackfulError("SF_CLOSED", "sending: the channel is closed, or the pool has ended");
}

function ownersDead(what: string, other: string): StackfulError {
  const message = `${what}: executors have crashed, and none is left to ${other}`;
  return new StackfulError("SF_EXECUTOR", message, { errno: "EOWNERDEAD" });
}
