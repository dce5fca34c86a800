//! The bytes of a simulated file: what its readers see, and what a crash would leave of it.
//!
//! A file is pages of 4096 bytes; one that is not there is zero. The first write to a page since the
//! last sync puts the page aside as it was: that is what the disk has for certain. A sync forgets what
//! was put aside. A crash takes for each page one or the other, or the first part of the new one.

import type { Random } from "./random.ts";

export const PAGE_BYTES = 4096;

/** The largest file of ext4. */
export const FILE_BYTES_MAX = 2 ** 44;

/** What a simulated disk has room for at once, whatever it holds. */
const ALLOCATE_BYTES_MAX = 2 ** 30;

/** How a crash treats what was not synced. */
export interface CrashRates {
  readonly lostWrites: number;
  readonly tornWrites: number;
}

/** What became of unsynced pages. */
export interface CrashedPages {
  lost: number;
  torn: number;
  kept: number;
}

/** Room on the disk, by pages. */
export interface Room {
  /** Takes a page; false: the disk is full. */
  take(): boolean;
  give(pages: number): void;
}

export class FileContent {
  readonly #room: Room;
  #pages = new Map<number, Uint8Array>();
  /** Pages that were changed since the last sync, as they were then. */
  readonly #synced = new Map<number, Uint8Array | undefined>();
  #size = 0;
  #syncedSize = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  get size(): number {
    return this.#size;
  }

  /** A copy of `count` bytes from `offset` on, which must be in the file. */
  read(offset: number, count: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(count);
    for (let done = 0; done < count; ) {
      const within = (offset + done) % PAGE_BYTES;
      const bytes = Math.min(PAGE_BYTES - within, count - done);
      const page = this.#pages.get((offset + done - within) / PAGE_BYTES);
      if (page !== undefined) out.set(page.subarray(within, within + bytes), done);
      done += bytes;
    }
    return out;
  }

  /** Writes as much of `data` as the disk has room for; returns how much. */
  write(data: Uint8Array, offset: number): number {
    let done = 0;
    while (done < data.length) {
      const at = offset + done;
      const within = at % PAGE_BYTES;
      const page = this.#change((at - within) / PAGE_BYTES);
      if (page === undefined) break;
      const count = Math.min(PAGE_BYTES - within, data.length - done);
      page.set(data.subarray(done, done + count), within);
      done += count;
    }
    if (done > 0) this.#size = Math.max(this.#size, offset + done);
    return done;
  }

  /** Takes room for `count` bytes from `offset` on, all or none; the file grows to hold them. */
  allocate(offset: number, count: number): boolean {
    if (count > ALLOCATE_BYTES_MAX) return false;
    const end = offset + count;
    const taken: number[] = [];
    for (let index = Math.floor(offset / PAGE_BYTES); index * PAGE_BYTES < end; index++) {
      if (this.#pages.has(index)) continue;
      if (this.#change(index) === undefined) {
        for (const given of taken) this.#drop(given);
        return false;
      }
      taken.push(index);
    }
    this.#size = Math.max(this.#size, end);
    return true;
  }

  /** Bytes that it takes, by whole pages. */
  get allocated(): number {
    return this.#pages.size * PAGE_BYTES;
  }

  /** Cuts the file, or adds zeros. False: the disk has no room to keep what was synced of its last page. */
  resize(size: number): boolean {
    const within = size % PAGE_BYTES;
    const last = (size - within) / PAGE_BYTES;
    if (size < this.#size && within > 0 && this.#pages.has(last)) {
      const page = this.#change(last);
      if (page === undefined) return false;
      page.fill(0, within);
    }
    for (const index of [...this.#pages.keys()]) {
      if (index * PAGE_BYTES < size) continue;
      this.#putAside(index);
      this.#drop(index);
    }
    this.#size = size;
    return true;
  }

  /** Empties the file. */
  truncate(): void {
    for (const index of this.#pages.keys()) this.#putAside(index);
    this.#room.give(this.#pages.size);
    this.#pages = new Map();
    this.#size = 0;
  }

  sync(): void {
    this.#synced.clear();
    this.#syncedSize = this.#size;
  }

  crash(random: Random, rates: CrashRates, tally: CrashedPages): void {
    // In the order of the file: that of a Map tells when pages were first written.
    for (const index of [...this.#synced.keys()].sort((a, b) => a - b)) {
      this.#crashPage(index, random, rates, tally);
    }
    if (this.#size !== this.#syncedSize && random.chance(rates.lostWrites)) {
      // The length is written apart from the pages: any on the way from one to the other may be left.
      const between = Math.abs(this.#size - this.#syncedSize) + 1;
      this.#size =
        Math.min(this.#size, this.#syncedSize) + random.integer(Math.min(between, 2 ** 32));
    }
    this.#dropBeyondEnd();
    this.sync();
  }

  /** Frees its pages: nobody will read it again. */
  free(): void {
    this.#room.give(this.#pages.size);
    this.#pages = new Map();
  }

  #crashPage(
    index: number,
    random: Random,
    { lostWrites, tornWrites }: CrashRates,
    tally: CrashedPages,
  ): void {
    const before = this.#synced.get(index);
    const now = this.#pages.get(index);
    if (now === undefined) {
      // Cut off by a truncation, which the length tells.
      if (before !== undefined && this.#room.take()) this.#pages.set(index, before);
      return;
    }
    if (random.chance(lostWrites)) {
      tally.lost++;
      if (before !== undefined) this.#pages.set(index, before);
      else if (this.#pages.delete(index)) this.#room.give(1);
    } else if (random.chance(tornWrites)) {
      tally.torn++;
      const torn = before?.slice() ?? new Uint8Array(PAGE_BYTES);
      torn.set(now.subarray(0, random.integer(PAGE_BYTES)));
      this.#pages.set(index, torn);
    } else {
      tally.kept++;
    }
  }

  #dropBeyondEnd(): void {
    for (const [index, page] of this.#pages) {
      const start = index * PAGE_BYTES;
      if (start >= this.#size) {
        this.#pages.delete(index);
        this.#room.give(1);
      } else if (start + PAGE_BYTES > this.#size) {
        page.fill(0, this.#size - start);
      }
    }
  }

  /** The page, to be written to; undefined: the disk is full. */
  #change(index: number): Uint8Array | undefined {
    let page = this.#pages.get(index);
    if (page !== undefined && this.#synced.has(index)) return page;
    if (page === undefined && !this.#room.take()) return undefined;
    this.#putAside(index);
    page = page?.slice() ?? new Uint8Array(PAGE_BYTES);
    this.#pages.set(index, page);
    return page;
  }

  /** Gives back a page that was zero. */
  #drop(index: number): void {
    if (this.#pages.delete(index)) this.#room.give(1);
  }

  #putAside(index: number): void {
    if (!this.#synced.has(index)) this.#synced.set(index, this.#pages.get(index));
  }
}
