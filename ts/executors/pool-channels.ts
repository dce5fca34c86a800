//! The pool's own part in the channels between executors: it makes them, sends and receives like an
//! executor, and ends what a crash leaves.

import { ERRNO } from "../abi.gen.ts";
import { Arena, CHANNEL_BYTES } from "../channels/arena.ts";
import { StackfulError } from "../errors.ts";
import type { ItemOf, ItemType } from "../runtime/item.ts";
import { SharedChannel, type SharedChannelOptions } from "./shared-channel.ts";

export class PoolChannels {
  readonly #arena: Arena;
  readonly #channels = new Map<number, SharedChannel>();
  #ended = false;

  /** @param wake - tells an executor that a channel has changed. */
  constructor(executors: number, wake: (executor: number) => void) {
    const buffer = new SharedArrayBuffer(CHANNEL_BYTES);
    this.#arena = Arena.create(buffer, executors + 1, executors);
    this.#arena.tell = (party) => {
      if (party === executors) queueMicrotask(() => this.look());
      else wake(party);
    };
  }

  get buffer(): SharedArrayBuffer {
    return this.#arena.buffer as SharedArrayBuffer;
  }

  /** @throws {RangeError} @throws {StackfulError} SF_LIMIT. */
  open<I extends ItemType = "i32">(options: SharedChannelOptions<I>): SharedChannel<ItemOf<I>> {
    const { name = "", capacity = 16, item = "i32" } = options;
    const codec = SharedChannel.codec<ItemOf<I>>(item, capacity);
    const opened = this.#arena.open(new TextEncoder().encode(name), capacity, codec.bytes);
    if (typeof opened === "number") throw refused(name, -opened);
    const known = this.#channels.get(opened.id);
    if (known !== undefined) return known as SharedChannel<ItemOf<I>>;
    opened.open();
    const channel = new SharedChannel<ItemOf<I>>(opened, codec, name);
    if (this.#ended) channel.end();
    this.#channels.set(opened.id, channel as unknown as SharedChannel);
    return channel;
  }

  /** Serves whoever waits on this side for a channel that has changed. */
  look(): void {
    if (!this.#arena.takeWake()) return;
    for (const channel of this.#channels.values()) channel.serve();
  }

  /** An executor starts no task any more. */
  setGone(executor: number): void {
    this.#arena.setGone(executor);
  }

  /** An executor has crashed. */
  leave(executor: number): void {
    this.#arena.leave(executor);
  }

  /** The pool has ended: nobody is left to send or to receive. */
  endAll(): void {
    this.#ended = true;
    for (const channel of this.#channels.values()) channel.end();
  }
}

function refused(name: string, errno: number): Error {
  if (errno === ERRNO.ENOMEM) {
    const message = `channel: the ${CHANNEL_BYTES} bytes for channels of the pool are used up`;
    return new StackfulError("SF_LIMIT", message, { errno: "ENOMEM" });
  }
  return new RangeError(
    `channel: name ${JSON.stringify(name)} is over 64 bytes, or has another capacity or item`,
  );
}
