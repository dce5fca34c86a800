//! A file, or a device that never waits, among the process's own streams. Its position is the system's, and
//! shared with other programs. Calls run in Node's thread pool, one after the other.

import * as fs from "node:fs";
import { ERRNO, OP } from "../../abi.gen.ts";
import { errnoOf } from "../resources/errno.ts";
import type { Operation } from "../resources/operation.ts";
import { type Context, oldest, type Resource, TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import { type Direction, refusedByStandard } from "../resources/standard.ts";

export class StandardFile implements Resource {
  readonly #context: Context;
  readonly #fd: number;
  readonly #direction: Direction;
  /** The oldest is in the pool. */
  readonly #queue = new Set<Operation>();

  /** @param fd - Not owned. */
  constructor(context: Context, fd: number, direction: Direction) {
    this.#context = context;
    this.#fd = fd;
    this.#direction = direction;
  }

  start(operation: Operation): number | undefined {
    const refused = refusedByStandard(this.#direction, operation.submission.code);
    if (refused !== undefined) return refused;
    const buffers = this.#context.ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    if (buffers.bytes === 0) return 0;
    operation.buffers = buffers;
    operation.owner = this;
    this.#queue.add(operation);
    if (this.#queue.size === 1) this.#run(operation);
    return undefined;
  }

  /** What is in the pool cannot be recalled. */
  cancel(operation: Operation): void {
    if (oldest(this.#queue) === operation || !this.#queue.delete(operation)) return;
    this.#context.operations.finish(operation, -ERRNO.ECANCELED);
  }

  close(): number {
    for (const operation of this.#queue) {
      this.#context.operations.finish(operation, -ERRNO.EBADF);
    }
    this.#queue.clear();
    return 0;
  }

  #run(operation: Operation): void {
    const { ring, operations } = this.#context;
    const { buffers, submission } = operation;
    const writes = submission.code === OP.WRITE || submission.code === OP.WRITEV;
    // The guest's memory may grow, and move, while the call is in the thread pool.
    const bounce = Buffer.allocUnsafe(Math.min(buffers.bytes, TRANSFER_BYTES_MAX));
    if (writes) ring.gather(buffers, bounce);
    const settle = (error: Error | null, moved: number): void => {
      // After a CLOSE the buffer is the guest's again.
      if (operation.finished) return;
      if (!writes && error === null) ring.scatter(bounce.subarray(0, moved), buffers);
      this.#queue.delete(operation);
      operations.finish(operation, error === null ? moved : -errnoOf(error));
      const next = oldest(this.#queue);
      if (next !== undefined) this.#run(next);
    };
    if (writes) fs.write(this.#fd, bounce, 0, bounce.length, null, settle);
    else fs.read(this.#fd, bounce, 0, bounce.length, null, settle);
  }
}
