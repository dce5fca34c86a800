//! Channels between executors, from a guest's side.
//!
//! For each channel that the guest opens the host makes two sources in guest memory, which tasks wait
//! for; they stay as long as the guest. Their poll is a function of the guest, which comes back here:
//!
//!   task ─▶ select ─▶ poll ─▶ ring: there is an item, or the executor says that it waits
//!   ... another executor's send ─▶ look ─▶ sf_source_notify ─▶ poll ─▶ the task is ready

import { ERRNO } from "../abi.gen.ts";
import type { Guest } from "../guest/guest.ts";
import { type Arena, NAME_BYTES_MAX } from "./arena.ts";
import type { OnAgain, SharedRing } from "./shared-ring.ts";

/** struct sf_shared_end in executor.h: a source, and the id of its channel. */
const END = { poll: 0, id: 16, size: 24 } as const;

/** struct sf_shared_channel in executor.h. */
const CHANNEL = { readable: 0, writable: 4, id: 8, itemBytes: 12, size: 16 } as const;

interface Opened {
  readonly ring: SharedRing;
  /** Addresses of its ends. */
  readonly readable: number;
  readonly writable: number;
}

export class GuestChannels {
  readonly #arena: Arena;
  readonly #opened = new Map<number, Opened>();
  #guest: Guest | undefined;
  #wake: () => void = () => {};

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** @param wake - asks for a turn. */
  attach(guest: Guest, wake: () => void): void {
    this.#guest = guest;
    this.#wake = wake;
  }

  /** Serves the tasks that wait for a channel that has changed. After every run, and when told. */
  look(): void {
    if (!this.#arena.takeWake()) return;
    try {
      for (const { ring, readable, writable } of this.#opened.values()) {
        if (!ring.waits("receive")) this.#notify(readable);
        if (!ring.waits("send")) this.#notify(writable);
      }
    } catch {
      return; // The guest has damaged itself; the runtime has been told.
    }
    this.#wake();
  }

  get functions(): Record<string, (...args: number[]) => number> {
    type Numbers = (...args: number[]) => number;
    const guarded =
      (body: Numbers): Numbers =>
      (...args) =>
        body(...args.map((arg) => arg >>> 0));
    return {
      open: guarded((out, name, nameBytes, capacity, itemBytes, receive, send) => {
        if (nameBytes > NAME_BYTES_MAX) return -ERRNO.EINVAL;
        if (!this.#fits(name, nameBytes)) return -ERRNO.EFAULT;
        const bytes = this.#memory.slice(name, name + nameBytes);
        return this.#open(out, this.#arena.open(bytes, capacity, itemBytes), receive, send);
      }),
      attach: guarded((out, id, receive, send) =>
        this.#open(out, this.#arena.find(id) ?? -ERRNO.EBADF, receive, send),
      ),
      send: guarded((id, item, waits) => this.#move(id, item, waits, "trySend")),
      receive: guarded((id, item, waits) => this.#move(id, item, waits, "tryReceive")),
      close: guarded((id) => {
        this.#arena.find(id)?.close();
        return 0;
      }),
      queued: guarded((id) => this.#arena.find(id)?.count ?? 0),
    };
  }

  get #memory(): Uint8Array {
    return this.#guest!.bytes;
  }

  #notify(end: number): void {
    this.#guest!.core.sf_source_notify(end);
  }

  #fits(address: number, bytes: number): boolean {
    return address + bytes <= this.#memory.length;
  }

  #move(id: number, item: number, waits: number, how: "trySend" | "tryReceive"): number {
    const ring = this.#arena.find(id);
    if (ring === undefined) return -ERRNO.EBADF;
    if (!this.#fits(item, ring.itemBytes)) return -ERRNO.EFAULT;
    const onAgain: OnAgain = waits === 0 ? "forget" : "tell";
    return ring[how](this.#memory, item, onAgain);
  }

  #open(out: number, ring: SharedRing | number, receive: number, send: number): number {
    if (typeof ring === "number") return ring;
    if (!this.#fits(out, CHANNEL.size)) return -ERRNO.EFAULT;
    const guest = this.#guest!;
    let opened = this.#opened.get(ring.id);
    if (opened === undefined) {
      const ends = guest.allocate(2 * END.size);
      opened = { ring, readable: ends, writable: ends + END.size };
      guest.bytes.fill(0, ends, ends + 2 * END.size);
      guest.setU32(opened.readable + END.poll, receive);
      guest.setU32(opened.readable + END.id, ring.id);
      guest.setU32(opened.writable + END.poll, send);
      guest.setU32(opened.writable + END.id, ring.id);
      this.#opened.set(ring.id, opened);
      ring.open();
    }
    guest.setU32(out + CHANNEL.readable, opened.readable);
    guest.setU32(out + CHANNEL.writable, opened.writable);
    guest.setU32(out + CHANNEL.id, ring.id);
    guest.setU32(out + CHANNEL.itemBytes, ring.itemBytes);
    return 0;
  }
}
