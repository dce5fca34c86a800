//! The rings in guest memory, as a backend written in JavaScript sees them.
//!
//! The guest can write anything anywhere in its memory at any time, so nothing here believes it:
//! ring addresses and capacities are checked once, at bind, and remembered on the host's side;
//! indices are masked; a head or tail that makes no sense costs the guest its own operations and
//! nothing else. No method throws for what the memory holds, except `bind`.

import { COMPLETION, ERRNO, IOVEC, IOVEC_MAX, OP, SHARED, SUBMISSION } from "../abi.gen.ts";
import { StackfulError } from "../errors.ts";

/** One sf_submission, copied out of the ring. */
export interface Submission {
  readonly code: number;
  readonly flags: number;
  readonly handle: number;
  readonly token: number;
  readonly pointer: number;
  readonly length: number;
  readonly argument: number;
  /** Exact up to 2^53; beyond that merely as large. */
  readonly offset: number;
  readonly mode: number;
  readonly otherHandle: number;
  /** As `offset`. */
  readonly otherOffset: number;
  readonly otherPointer: number;
  readonly otherLength: number;
}

/** Pieces of guest memory that were in range when the operation was taken: they stay in range. */
export interface Segments {
  /** pointer, length, pointer, length, … */
  readonly pieces: readonly number[];
  readonly bytes: number;
  /** Bytes of the host's, in place of all pieces. */
  readonly data?: Uint8Array;
}

/** What an empty READ or WRITE moves. */
export const NO_SEGMENTS: Segments = { pieces: [], bytes: 0 };

const VECTORS: ReadonlySet<number> = new Set([OP.READV, OP.WRITEV, OP.PREADV, OP.PWRITEV]);

interface Ring {
  readonly address: number;
  readonly mask: number;
  /** Addresses of the two indices in sf_shared. */
  readonly head: number;
  readonly tail: number;
}

export class GuestRing {
  #memory: WebAssembly.Memory | undefined;
  #view = new DataView(new ArrayBuffer(0));
  #bytes = new Uint8Array(0);
  #submissions: Ring = { address: 0, mask: 0, head: 0, tail: 0 };
  #completions: Ring = { address: 0, mask: 0, head: 0, tail: 0 };

  get bound(): boolean {
    return this.#memory !== undefined;
  }

  /**
   * Names the memory and its sf_shared block; what they say about the rings is read here and never
   * again.
   *
   * @throws {StackfulError} `SF_MODULE` when the block or a ring does not fit the memory, or a
   *   capacity is not a power of two.
   */
  bind(memory: WebAssembly.Memory, shared: number): void {
    const view = new DataView(memory.buffer);
    if (!fits(view, shared, SHARED.size)) {
      throw new StackfulError("SF_MODULE", `bind rings: no sf_shared fits at address ${shared}`);
    }
    const ring = (name: "submissions" | "completions", recordBytes: number): Ring => {
      const address = view.getUint32(shared + SHARED[name], true);
      const capacity = view.getUint32(shared + SHARED[`${name}Capacity`], true);
      if ((capacity & (capacity - 1)) !== 0 || capacity === 0) {
        throw new StackfulError("SF_MODULE", `bind rings: a capacity of ${capacity} ${name}`);
      }
      if (!fits(view, address, capacity * recordBytes)) {
        throw new StackfulError("SF_MODULE", `bind rings: ${name} lie outside the memory`);
      }
      return {
        address,
        mask: capacity - 1,
        head: shared + SHARED[`${name}Head`],
        tail: shared + SHARED[`${name}Tail`],
      };
    };
    const submissions = ring("submissions", SUBMISSION.size);
    this.#completions = ring("completions", COMPLETION.size);
    this.#submissions = submissions;
    this.#memory = memory;
    this.#view = view;
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** Takes up to `limit` submissions, oldest first. One pass: what arrives meanwhile is next. */
  take(limit: number, accept: (submission: Submission) => void): number {
    const ring = this.#submissions;
    const head = this.#current().getUint32(ring.head, true);
    const filled = (this.#view.getUint32(ring.tail, true) - head) >>> 0;
    // More than the ring can hold is rubbish; taking one ring full of it is bounded and harmless.
    const count = Math.min(filled, ring.mask + 1, limit);
    for (let index = 0; index < count; index++) {
      accept(this.#submissionAt(ring.address + ((head + index) & ring.mask) * SUBMISSION.size));
    }
    this.#current().setUint32(ring.head, (head + count) >>> 0, true);
    return count;
  }

  /** Adds a completion. False when the ring has no room, or claims to be fuller than it can be. */
  complete(token: number, result: number): boolean {
    const ring = this.#completions;
    const view = this.#current();
    const tail = view.getUint32(ring.tail, true);
    if ((tail - view.getUint32(ring.head, true)) >>> 0 > ring.mask) return false;
    const at = ring.address + (tail & ring.mask) * COMPLETION.size;
    view.setUint32(at + COMPLETION.token, token, true);
    view.setInt32(at + COMPLETION.result, result, true);
    view.setUint32(at + COMPLETION.flags, 0, true);
    view.setUint32(at + COMPLETION.reserved, 0, true);
    view.setUint32(ring.tail, (tail + 1) >>> 0, true);
    return true;
  }

  /** Whether `length` bytes at `pointer` lie in the memory. It never shrinks: true stays true. */
  inRange(pointer: number, length: number): boolean {
    return fits(this.#current(), pointer, length);
  }

  /** What an operation reads into or writes from, or a negated errno. */
  buffers({ code, pointer, length }: Submission): Segments | number {
    if (length === 0) return NO_SEGMENTS;
    if (VECTORS.has(code)) return this.#vector(pointer, length);
    return this.inRange(pointer, length)
      ? { pieces: [pointer, length], bytes: length }
      : -ERRNO.EFAULT;
  }

  /** A copy of guest bytes; undefined when they are out of range. */
  copyOut(pointer: number, length: number): Uint8Array | undefined {
    return this.inRange(pointer, length) ? this.#bytes.slice(pointer, pointer + length) : undefined;
  }

  /** Writes `data`, which must be in range. */
  copyIn(pointer: number, data: Uint8Array): void {
    this.#current();
    this.#bytes.set(data, pointer);
  }

  /** Writes an integer of 64 bits, which must be in range. */
  putInt64(pointer: number, value: number): void {
    this.#current().setBigInt64(pointer, BigInt(value), true);
  }

  /** Fills `out`, which must not be longer than `from`, with guest bytes. */
  gather(from: Segments, out: Uint8Array): void {
    if (from.data !== undefined) {
      out.set(from.data.subarray(0, out.length));
      return;
    }
    this.#current();
    let done = 0;
    for (let index = 0; done < out.length; index += 2) {
      const pointer = from.pieces[index]!;
      const length = Math.min(from.pieces[index + 1]!, out.length - done);
      out.set(this.#bytes.subarray(pointer, pointer + length), done);
      done += length;
    }
  }

  /** Spreads `data` over guest memory, after the first `skip` bytes of `to`, where it has to fit. */
  scatter(data: Uint8Array, to: Segments, skip = 0): void {
    this.#current();
    let done = 0;
    let left = skip;
    for (let index = 0; done < data.length; index += 2) {
      const length = to.pieces[index + 1]!;
      if (left >= length) {
        left -= length;
        continue;
      }
      const count = Math.min(length - left, data.length - done);
      const part = count === data.length ? data : data.subarray(done, done + count);
      this.#bytes.set(part, to.pieces[index]! + left);
      done += count;
      left = 0;
    }
  }

  /**
   * The memory as it is now. Growing it detaches the buffer that earlier views were made of, which
   * empties them: to look for that costs less than to ask the memory for its buffer.
   */
  #current(): DataView {
    if (this.#bytes.length === 0 && this.#memory !== undefined) {
      this.#view = new DataView(this.#memory.buffer);
      this.#bytes = new Uint8Array(this.#memory.buffer);
    }
    return this.#view;
  }

  #vector(pointer: number, count: number): Segments | number {
    if (count > IOVEC_MAX) return -ERRNO.EINVAL;
    if (!this.inRange(pointer, count * IOVEC.size)) return -ERRNO.EFAULT;
    const pieces: number[] = [];
    let bytes = 0;
    for (let at = pointer; at < pointer + count * IOVEC.size; at += IOVEC.size) {
      const piece = this.#view.getUint32(at + IOVEC.pointer, true);
      const length = this.#view.getUint32(at + IOVEC.length, true);
      if (length === 0) continue;
      if (!this.inRange(piece, length)) return -ERRNO.EFAULT;
      pieces.push(piece, length);
      bytes += length;
    }
    return { pieces, bytes };
  }

  #submissionAt(at: number): Submission {
    const view = this.#current();
    return {
      code: view.getUint16(at + SUBMISSION.op, true),
      flags: view.getUint16(at + SUBMISSION.flags, true),
      handle: view.getInt32(at + SUBMISSION.handle, true),
      token: view.getUint32(at + SUBMISSION.token, true),
      pointer: view.getUint32(at + SUBMISSION.pointer, true),
      length: view.getUint32(at + SUBMISSION.length, true),
      argument: view.getUint32(at + SUBMISSION.argument, true),
      offset: int64(view, at + SUBMISSION.offset),
      mode: view.getUint32(at + SUBMISSION.mode, true),
      otherHandle: view.getInt32(at + SUBMISSION.otherHandle, true),
      otherOffset: int64(view, at + SUBMISSION.otherOffset),
      otherPointer: view.getUint32(at + SUBMISSION.otherPointer, true),
      otherLength: view.getUint32(at + SUBMISSION.otherLength, true),
    };
  }
}

function int64(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

/** In doubles, so that no pointer and length can wrap around. */
function fits(view: DataView, pointer: number, length: number): boolean {
  return pointer >= 0 && pointer + length <= view.byteLength;
}
