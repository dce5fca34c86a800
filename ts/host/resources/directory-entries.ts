//! What is in a directory, as records of struct sf_directory_entry.

import { DIRECTORY_ENTRY, ERRNO } from "../../abi.gen.ts";
import type { GuestRing } from "../ring.ts";
import type { Operation } from "./operation.ts";

export interface DirectoryEntry {
  readonly name: Uint8Array;
  /** One of FILE_KIND. */
  readonly kind: number;
  /** 0n: the host does not say. */
  readonly inode: bigint;
}

const NAME_BYTES_MAX = 255;

/** Why a READ_DIRECTORY cannot be, as a negated errno; undefined: it can. */
export function directoryReadRefused(ring: GuestRing, operation: Operation): number | undefined {
  const { pointer, length, argument } = operation.submission;
  if (length === 0 || argument > 1) return -ERRNO.EINVAL;
  return ring.inRange(pointer, length) ? undefined : -ERRNO.EFAULT;
}

/** A directory as it is at one time, and how far it was read. */
export class DirectoryListing {
  readonly #entries: readonly DirectoryEntry[];
  #next = 0;

  constructor(entries: readonly DirectoryEntry[]) {
    this.#entries = entries.filter(({ name }) => name.length <= NAME_BYTES_MAX);
  }

  /** Writes as many entries as fit; returns the operation's result. */
  fill(ring: GuestRing, { submission: { pointer, length } }: Operation): number {
    let filled = 0;
    for (; this.#next < this.#entries.length; this.#next++) {
      const record = encode(this.#entries[this.#next]!);
      if (filled + record.length > length) return filled === 0 ? -ERRNO.EINVAL : filled;
      ring.copyIn(pointer + filled, record);
      filled += record.length;
    }
    return filled;
  }
}

function encode({ name, kind, inode }: DirectoryEntry): Uint8Array {
  const record = new Uint8Array((DIRECTORY_ENTRY.size + name.length + 7) & ~7);
  const view = new DataView(record.buffer);
  view.setBigUint64(DIRECTORY_ENTRY.inode, inode, true);
  view.setUint16(DIRECTORY_ENTRY.recordBytes, record.length, true);
  view.setUint8(DIRECTORY_ENTRY.kind, kind);
  view.setUint8(DIRECTORY_ENTRY.nameBytes, name.length);
  record.set(name, DIRECTORY_ENTRY.size);
  return record;
}
