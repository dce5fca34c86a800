//! An open file on node:fs.
//!
//! Positioned operations run side by side. READ, WRITE and SEEK share the file's position and therefore
//! run one after the other, in the order of submission. The position is kept here: node:fs has no way to
//! ask for it.

import * as fs from "node:fs";
import { promisify } from "node:util";
import { ERRNO, OP, SEEK } from "../../abi.gen.ts";
import { bytesToCopy } from "../resources/copy-range.ts";
import { errnoOf } from "../resources/errno.ts";
import type { OpenRequest } from "../resources/open-request.ts";
import type { Operation } from "../resources/operation.ts";
import { refusedByFile } from "../resources/refusals.ts";
import { type Context, TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import { Descriptor } from "./descriptor.ts";

export class File extends Descriptor {
  readonly #request: OpenRequest;
  /** Of a terminal, say, that has none the system knows it. */
  readonly #hasPosition: boolean;
  #position = 0;

  constructor(context: Context, fd: number, request: OpenRequest, stats: fs.Stats) {
    super(context, fd, request.located.directory.readOnly);
    this.#request = request;
    this.#hasPosition = stats.isFile();
  }

  get givable(): number {
    return this.fd;
  }

  override start(operation: Operation): number | undefined {
    const { code, offset } = operation.submission;
    switch (code) {
      case OP.READ:
      case OP.WRITE:
      case OP.READV:
      case OP.WRITEV:
        return this.#startInTurn(operation);
      case OP.PREAD:
      case OP.PWRITE:
      case OP.PREADV:
      case OP.PWRITEV:
        return offset < 0 ? -ERRNO.EINVAL : this.#startPositioned(operation);
      case OP.SEEK:
        return this.#startSeek(operation);
      case OP.FSYNC:
        return this.startSync(operation);
      case OP.COPY:
        return this.#startCopy(operation);
      default:
        return refusedByFile(code);
    }
  }

  readAt(offset: number, bytes: number, done: (read: Uint8Array | number) => void): void {
    const data = Buffer.allocUnsafe(bytes);
    this.call(
      (settle) =>
        fs.read(this.fd, data, 0, bytes, Math.min(offset, Number.MAX_SAFE_INTEGER), settle),
      (result) => done(result < 0 ? result : data.subarray(0, result)),
    );
  }

  /** Whether there is something to transfer; else the operation's result. */
  #prepare(operation: Operation): number | undefined {
    const buffers = this.context.ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    operation.buffers = buffers;
    return buffers.bytes === 0 ? 0 : undefined;
  }

  #startPositioned(operation: Operation): number | undefined {
    const { offset } = operation.submission;
    const result = this.#prepare(operation);
    if (result !== undefined) return result;
    if (offset > Number.MAX_SAFE_INTEGER) {
      // Past the end of every file, and more than node:fs can say.
      return isWrite(operation) ? -ERRNO.EFBIG : 0;
    }
    this.begin(operation);
    this.#transfer(operation, offset, (moved) => this.finish(operation, moved));
    return undefined;
  }

  #startInTurn(operation: Operation): number | undefined {
    const result = this.#prepare(operation);
    if (result !== undefined) return result;
    this.beginTurn(operation, () => {
      const appends = isWrite(operation) && this.#request.append;
      const position = this.#hasPosition && !appends ? this.#position : null;
      this.#transfer(operation, position, (moved) => {
        if (moved > 0) this.#position += moved;
        if (moved <= 0 || !appends) this.endTurn(operation, moved);
        else this.#findEnd(() => this.endTurn(operation, moved));
      });
    });
    return undefined;
  }

  /** Moves the position there; `then` gets 0, or a negated errno. */
  #findEnd(then: (result: number) => void): void {
    this.call(
      (done) =>
        fs.fstat(this.fd, (error, stats) => {
          if (error === null) this.#position = stats.size;
          done(error);
        }),
      then,
    );
  }

  #startSeek(operation: Operation): number | undefined {
    const { argument, otherPointer } = operation.submission;
    if (argument > SEEK.END) return -ERRNO.EINVAL;
    if (!this.context.ring.inRange(otherPointer, 8)) return -ERRNO.EFAULT;
    if (!this.#hasPosition) return -ERRNO.ESPIPE;
    this.beginTurn(operation, () => {
      const before = this.#position;
      if (argument !== SEEK.END) {
        this.endTurn(operation, this.#seek(operation, argument === SEEK.CURRENT ? before : 0));
        return;
      }
      this.#findEnd((result) => {
        const end = this.#position;
        this.#position = before;
        this.endTurn(operation, result < 0 ? result : this.#seek(operation, end));
      });
    });
    return undefined;
  }

  #seek(operation: Operation, base: number): number {
    const { offset, otherPointer } = operation.submission;
    const position = base + offset;
    if (position < 0 || position > Number.MAX_SAFE_INTEGER) return -ERRNO.EINVAL;
    this.#position = position;
    if (!operation.finished) this.context.ring.putInt64(otherPointer, position);
    return 0;
  }

  /** @param position - Null: the system's. */
  #transfer(operation: Operation, position: number | null, settle: (moved: number) => void): void {
    const { ring } = this.context;
    const { buffers } = operation;
    const writes = isWrite(operation);
    // The guest's memory may grow, and move, while the call is in the thread pool.
    const bounce = Buffer.allocUnsafe(Math.min(buffers.bytes, TRANSFER_BYTES_MAX));
    if (writes) ring.gather(buffers, bounce);
    this.call(
      (done) => {
        if (writes) fs.write(this.fd, bounce, 0, bounce.length, position, done);
        else fs.read(this.fd, bounce, 0, bounce.length, position, done);
      },
      (result) => {
        // After a CLOSE the buffer is the guest's again.
        if (!writes && result > 0 && !operation.finished) {
          ring.scatter(bounce.subarray(0, result), buffers);
        }
        settle(result);
      },
    );
  }

  #startCopy(operation: Operation): number | undefined {
    const { offset, otherHandle, otherOffset } = operation.submission;
    if (offset < 0 || otherOffset < 0) return -ERRNO.EINVAL;
    const to = this.context.handles.get(otherHandle);
    if (to === undefined) return -ERRNO.EBADF;
    if (!(to instanceof File)) return to.directory === undefined ? -ERRNO.EINVAL : -ERRNO.EISDIR;
    if (!this.#request.read || !to.#request.write || to.#request.append) return -ERRNO.EBADF;
    this.begin(operation);
    this.hold();
    to.hold();
    void this.#copy(operation, to).then((result) => {
      this.finish(operation, result);
      to.release();
      this.release();
    });
    return undefined;
  }

  async #copy({ submission }: Operation, to: File): Promise<number> {
    try {
      const [source, target] = await Promise.all([fstat(this.fd), fstat(to.fd)]);
      const same = source.ino === target.ino && source.dev === target.dev;
      const size = source.isFile() && source.size > 0 ? source.size : Number.POSITIVE_INFINITY;
      const bytes = bytesToCopy(submission, size, same);
      if (bytes <= 0) return bytes;
      const read = await readFd(this.fd, Buffer.allocUnsafe(bytes), 0, bytes, submission.offset);
      if (read.bytesRead === 0) return 0;
      const { buffer, bytesRead } = read;
      return (await writeFd(to.fd, buffer, 0, bytesRead, submission.otherOffset)).bytesWritten;
    } catch (error) {
      return -errnoOf(error);
    }
  }
}

const fstat = promisify(fs.fstat);
const readFd = promisify(fs.read);
const writeFd = promisify(fs.write);

function isWrite({ submission: { code } }: Operation): boolean {
  return code === OP.WRITE || code === OP.WRITEV || code === OP.PWRITE || code === OP.PWRITEV;
}
