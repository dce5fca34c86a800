//! What an open file and an open directory on node:fs have in common. Their operations run in Node's
//! thread pool, where nothing can recall them: a CANCEL is ignored once they have started, so
//! -ECANCELED means that nothing happened.

import * as fs from "node:fs";
import { ERRNO, SYNC } from "../../abi.gen.ts";
import { errnoOf } from "../resources/errno.ts";
import type { Operation } from "../resources/operation.ts";
import type { Opened, PathRequest } from "../resources/path-request.ts";
import type { Context } from "../resources/resource.ts";
import { performOnDescriptor } from "./object.ts";

/** Settles one call into node:fs. */
export type Done = (error: Error | null, result?: number) => void;

export abstract class Descriptor implements Opened {
  protected readonly context: Context;
  protected readonly fd: number;
  readonly readOnly: boolean;
  /** Unfinished, for CLOSE. */
  readonly #inFlight = new Set<Operation>();
  /** What uses the position, each with how it begins; the oldest has begun. */
  readonly #lane = new Map<Operation, () => void>();
  /** Calls in the thread pool. The descriptor must outlive them, or they hit its next owner. */
  #calls = 0;
  #onQuiet: (() => void) | undefined;

  /**
   * @param fd - Owned by this object from here on.
   * @param readOnly - Whether its grant allows no changes.
   */
  constructor(context: Context, fd: number, readOnly: boolean) {
    this.context = context;
    this.fd = fd;
    this.readOnly = readOnly;
  }

  abstract start(operation: Operation): number | undefined;

  cancel(operation: Operation): void {
    if (this.#first() === operation || !this.#lane.delete(operation)) return;
    this.finish(operation, -ERRNO.ECANCELED);
  }

  async close(): Promise<number> {
    this.#lane.clear();
    for (const operation of this.#inFlight) this.finish(operation, -ERRNO.EBADF);
    if (this.#calls > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    return new Promise((resolve) => {
      fs.close(this.fd, (error) => resolve(error === null ? 0 : -errnoOf(error)));
    });
  }

  protected startSync(operation: Operation): number | undefined {
    const { argument } = operation.submission;
    if (argument > SYNC.DATA) return -ERRNO.EINVAL;
    const sync = argument === SYNC.DATA ? fs.fdatasync : fs.fsync;
    this.perform(operation, (done) => sync(this.fd, done));
    return undefined;
  }

  /** An operation whose path is empty: on this itself. */
  startPath(operation: Operation, request: PathRequest): void {
    this.perform(operation, (done) => {
      performOnDescriptor(request, this.fd).then(
        ({ result, data }) => {
          // After a CLOSE the memory is the guest's again.
          if (data !== undefined && !operation.finished) {
            this.context.ring.copyIn(request.out, data);
          }
          done(null, result);
        },
        (error: Error) => done(error),
      );
    });
  }

  /** An operation that is one call: what it says is the result. */
  protected perform(operation: Operation, start: (done: Done) => void): void {
    this.begin(operation);
    this.call(start, (result) => this.finish(operation, result));
  }

  /** Has `run` called when those before it have ended; it calls `endTurn`. */
  protected beginTurn(operation: Operation, run: () => void): void {
    this.begin(operation);
    operation.owner = this;
    this.#lane.set(operation, run);
    if (this.#lane.size === 1) run();
  }

  protected endTurn(operation: Operation, result: number): void {
    this.finish(operation, result);
    this.#lane.delete(operation);
    const next = this.#first();
    if (next !== undefined) this.#lane.get(next)!();
  }

  /** The descriptor stays open until `release`. */
  hold(): void {
    this.#calls++;
  }

  release(): void {
    this.#calls--;
    if (this.#calls === 0) this.#onQuiet?.();
  }

  #first(): Operation | undefined {
    for (const operation of this.#lane.keys()) return operation;
    return undefined;
  }

  protected begin(operation: Operation): void {
    this.#inFlight.add(operation);
  }

  protected call(start: (done: Done) => void, settle: (result: number) => void): void {
    this.hold();
    start((error, result = 0) => {
      settle(error === null ? result : -errnoOf(error));
      this.release();
    });
  }

  protected finish(operation: Operation, result: number): void {
    this.#inFlight.delete(operation);
    this.context.operations.finish(operation, result);
  }
}
