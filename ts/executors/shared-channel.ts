//! A channel between executors, as the pool's thread uses it.

import { ERRNO } from "../abi.gen.ts";
import type { SharedRing } from "../channels/shared-ring.ts";
import { StackfulError } from "../errors.ts";
import { type Item, ItemCodec, type ItemType } from "../runtime/item.ts";
import type { WaitOptions } from "../runtime/select.ts";

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

/** One that waits; done when `attempt` says so. */
interface Waiting {
  attempt(): boolean;
  end(): void;
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
    if (this.#ended) throw closed();
    await this.#wait(
      this.#senders,
      options,
      () => this.#trySend(value, true),
      () => closed(),
    );
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
    return this.#senders.length === 0 && this.#trySend(value, false) !== undefined;
  }

  /**
   * Receives the oldest item; resolves to undefined once the channel is closed and empty, or the pool
   * has ended. An abort loses nothing: what was not returned stays in the channel.
   *
   * @throws {StackfulError} SF_EXECUTOR when nothing is left, executors have crashed and nobody is
   *   left to send.
   */
  async receive(options: WaitOptions = {}): Promise<T | undefined> {
    if (this.#ended) return undefined;
    return await this.#wait(
      this.#receivers,
      options,
      () => this.#tryReceive(true),
      () => undefined,
    );
  }

  /** The oldest item; undefined when none is there now. @throws as `receive` does. */
  tryReceive(): T | undefined {
    if (this.#ended || this.#receivers.length > 0) return undefined;
    return this.#tryReceive(false)?.value;
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
      while (line.length > 0 && line[0]!.attempt()) line.shift();
    }
  }

  /** @internal The pool has ended. */
  end(): void {
    this.#ended = true;
    for (const { end } of [...this.#senders.splice(0), ...this.#receivers.splice(0)]) end();
  }

  /** Waits in `line` until `attempt` gives something; `ended`: what it comes to with the pool. */
  #wait<V>(
    line: Waiting[],
    { signal }: WaitOptions,
    attempt: () => { readonly value: V } | undefined,
    ended: () => V | Error,
  ): Promise<V> {
    return new Promise<V>((resolve, reject) => {
      const onAbort = (): void => {
        line.splice(line.indexOf(waiting), 1);
        reject(signal!.reason);
      };
      const over = (value: V | Error): void => {
        signal?.removeEventListener("abort", onAbort);
        if (value instanceof Error) reject(value);
        else resolve(value);
      };
      const waiting: Waiting = {
        attempt: () => {
          try {
            const done = attempt();
            if (done !== undefined) over(done.value);
            return done !== undefined;
          } catch (error) {
            over(error as Error);
            return true;
          }
        },
        end: () => over(ended()),
      };
      // What is there is returned in spite of an abort; but nobody jumps the line.
      if (line.length === 0 && waiting.attempt()) return;
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      signal?.addEventListener("abort", onAbort, { once: true });
      line.push(waiting);
    });
  }

  #trySend(value: T, waits: boolean): { readonly value: undefined } | undefined {
    this.#codec.write(this.#memory, 0, value);
    const result = this.#ring.trySend(this.#bytes, 0, waits ? "tell" : "forget");
    if (result === -ERRNO.EAGAIN) return undefined;
    if (result === -ERRNO.EPIPE) throw closed();
    if (result < 0) throw ownersDead("sending", "receive");
    return { value: undefined };
  }

  #tryReceive(waits: boolean): { readonly value: T | undefined } | undefined {
    const result = this.#ring.tryReceive(this.#bytes, 0, waits ? "tell" : "forget");
    if (result === -ERRNO.EAGAIN) return undefined;
    if (result === -ERRNO.EPIPE) return { value: undefined };
    if (result < 0) throw ownersDead("receiving", "send");
    return { value: this.#codec.read(this.#memory, 0) };
  }
}

function closed(): StackfulError {
  return new StackfulError("SF_CLOSED", "sending: the channel is closed, or the pool has ended");
}

function ownersDead(what: string, other: string): StackfulError {
  const message = `${what}: executors have crashed, and none is left to ${other}`;
  return new StackfulError("SF_EXECUTOR", message, { errno: "EOWNERDEAD" });
}
