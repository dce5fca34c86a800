//! An open file on node:fs.
//!
//! Positioned operations run side by side. READ and WRITE share the file's position and therefore
//! run one after the other, in the order of submission.

import * as fs from "node:fs";
import { ERRNO, OP } from "../../abi.gen.ts";
import type { Operation } from "../resources/operation.ts";
import { refusedByFile } from "../resources/refusals.ts";
import { oldest, TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import { Descriptor } from "./descriptor.ts";

export class File extends Descriptor {
  /** READs and WRITEs at the file's own position; the oldest is running. */
  readonly #lane = new Set<Operation>();

  override start(operation: Operation): number | undefined {
    const { code, offset } = operation.submission;
    switch (code) {
      case OP.READ:
      case OP.WRITE:
      case OP.READV:
      case OP.WRITEV:
        return this.#startTransfer(operation, null);
      case OP.PREAD:
      case OP.PWRITE:
        return offset < 0 ? -ERRNO.EINVAL : this.#startTransfer(operation, offset);
      case OP.FSYNC:
        return this.startSync(operation);
      default:
        return refusedByFile(code);
    }
  }

  override cancel(operation: Operation): void {
    if (oldest(this.#lane) === operation || !this.#lane.delete(operation)) return;
    this.finish(operation, -ERRNO.ECANCELED);
  }

  override close(): Promise<number> {
    this.#lane.clear();
    return super.close();
  }

  /** @param position - Null: the file's own. */
  #startTransfer(operation: Operation, position: number | null): number | undefined {
    const buffers = this.context.ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    if (buffers.bytes === 0) return 0;
    if (position !== null && position > Number.MAX_SAFE_INTEGER) {
      // Past the end of every file, and more than node:fs can say.
      return isWrite(operation) ? -ERRNO.EFBIG : 0;
    }
    operation.buffers = buffers;
    this.begin(operation);
    if (position === null) {
      operation.owner = this;
      this.#lane.add(operation);
      if (this.#lane.size > 1) return undefined;
    }
    this.#transfer(operation, position);
    return undefined;
  }

  #transfer(operation: Operation, position: number | null): void {
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
        this.finish(operation, result);
        if (position === null) this.#nextInLane(operation);
      },
    );
  }

  #nextInLane(finished: Operation): void {
    this.#lane.delete(finished);
    const next = oldest(this.#lane);
    if (next !== undefined) this.#transfer(next, null);
  }
}

function isWrite({ submission: { code } }: Operation): boolean {
  return code === OP.WRITE || code === OP.WRITEV || code === OP.PWRITE;
}
