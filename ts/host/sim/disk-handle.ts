//! What an open file and an open directory have in common: an operation takes its time and then happens
//! at once. Until then it can be canceled, and has not happened.

import { ERRNO, LOCK, OP, SYNC } from "../../abi.gen.ts";
import { errnoOf } from "../resources/errno.ts";
import type { Operation } from "../resources/operation.ts";
import type { Opened, PathRequest } from "../resources/path-request.ts";
import { oldest } from "../resources/resource.ts";
import { QueuedEvent } from "./event-queue.ts";
import type { FileLocks } from "./file-locks.ts";
import { pathEvent } from "./path-event.ts";
import type { SimContext } from "./sim-backend.ts";
import type { FaultEvent, FileEvent } from "./world-event.ts";

/** The end of an operation. */
class OperationEnd extends QueuedEvent {
  readonly #operation: Operation;
  readonly #run: (operation: Operation) => void;

  constructor(operation: Operation, run: (operation: Operation) => void) {
    super();
    this.#operation = operation;
    this.#run = run;
  }

  override run(): void {
    this.#run(this.#operation);
  }
}

/** What the handles of one open file have in common. */
export class OpenDescription {
  position = 0;
  holders = 0;
}

export abstract class DiskHandle implements Opened {
  protected readonly context: SimContext;
  protected readonly path: string;
  protected readonly description: OpenDescription;
  readonly #locks: FileLocks;
  /** Unfinished, each with its end when that is set. */
  readonly #ends = new Map<Operation, OperationEnd | undefined>();
  /** What uses the position; the oldest is running. */
  readonly #lane = new Set<Operation>();
  /** Of operations whose path is empty. */
  readonly #requests = new Map<Operation, PathRequest>();
  /** LOCKs that wait for others to give theirs back. */
  readonly #waits = new Map<Operation, () => void>();

  constructor(
    context: SimContext,
    path: string,
    locks: FileLocks,
    description = new OpenDescription(),
  ) {
    this.context = context;
    this.path = path;
    this.#locks = locks;
    this.description = description;
    description.holders++;
  }

  abstract readonly readOnly: boolean;
  abstract start(operation: Operation): number | undefined;

  /** The operation's time has come: its result; undefined: `finish` tells it. */
  protected abstract happens(operation: Operation): number | undefined;

  /** Whether it takes the time of a sync. */
  protected syncs({ submission }: Operation): boolean {
    return submission.code === OP.FSYNC;
  }

  /** The operation is over, whatever became of it. */
  protected over(_operation: Operation): void {}

  cancel(operation: Operation): void {
    this.finish(operation, -ERRNO.ECANCELED);
  }

  close(): number {
    for (const operation of [...this.#ends.keys()].reverse()) this.finish(operation, -ERRNO.EBADF);
    if (--this.description.holders === 0) this.#locks.release(this.description);
    return 0;
  }

  /** An operation whose path is empty: on this itself. */
  startPath(operation: Operation, request: PathRequest): void {
    this.#requests.set(operation, request);
    this.begin(operation);
  }

  /** Throws what becomes a negated errno. */
  protected abstract performPath(request: PathRequest): number;

  protected startSync(operation: Operation): number | undefined {
    if (operation.submission.argument > SYNC.DATA) return -ERRNO.EINVAL;
    this.begin(operation);
    return undefined;
  }

  protected startLock(operation: Operation): number | undefined {
    if ((operation.submission.argument & ~LOCK.TRY) >>> 0 > LOCK.EXCLUSIVE) return -ERRNO.EINVAL;
    this.begin(operation);
    return undefined;
  }

  protected lock(operation: Operation): number | undefined {
    const { argument } = operation.submission;
    const tries = (argument & LOCK.TRY) !== 0;
    const granted = (): void => {
      this.#waits.delete(operation);
      this.finish(operation, 0);
    };
    const has = this.#locks.lock(
      this.description,
      argument & ~LOCK.TRY,
      tries ? undefined : granted,
    );
    if (has) return 0;
    if (tries) return -ERRNO.EAGAIN;
    this.#waits.set(operation, granted);
    return undefined;
  }

  protected begin(operation: Operation): void {
    const { network, files } = this.context;
    const end = new OperationEnd(operation, this.#happens);
    operation.owner = this;
    this.#ends.set(operation, end);
    network.scheduler.after(files.delayNs(this.syncs(operation)), end);
  }

  /** After those before it. */
  protected beginInLane(operation: Operation): void {
    this.#lane.add(operation);
    if (this.#lane.size === 1) {
      this.begin(operation);
      return;
    }
    operation.owner = this;
    this.#ends.set(operation, undefined);
  }

  /** The result of `perform`, unless the disk fails; who watches is told. */
  protected performed(what: FileEvent["what"], perform: () => number): number {
    let result = -ERRNO.EIO;
    if (this.context.files.fails()) this.tellFault("EIO");
    else result = perform();
    const { observer } = this.context.network;
    if (observer.watched) {
      observer.tell({ type: "file", host: this.context.host.name, what, path: this.path, result });
    }
    return result;
  }

  protected tellFault(fault: FaultEvent["fault"]): void {
    const { observer } = this.context.network;
    if (observer.watched) observer.tell({ type: "fault", host: this.context.host.name, fault });
  }

  readonly #happens = (operation: Operation): void => {
    const request = this.#requests.get(operation);
    const result =
      request === undefined
        ? this.happens(operation)
        : this.performed(pathEvent(request.code), () => this.#tryPath(request));
    if (result !== undefined) this.finish(operation, result);
  };

  #tryPath(request: PathRequest): number {
    try {
      return this.performPath(request);
    } catch (error) {
      return -errnoOf(error);
    }
  }

  protected finish(operation: Operation, result: number): void {
    this.#requests.delete(operation);
    const end = this.#ends.get(operation);
    if (!this.#ends.delete(operation)) return;
    if (end !== undefined) this.context.network.scheduler.cancel(end);
    const granted = this.#waits.get(operation);
    if (granted !== undefined && this.#waits.delete(operation)) this.#locks.cancel(granted);
    this.over(operation);
    const ran = oldest(this.#lane) === operation;
    this.#lane.delete(operation);
    this.context.operations.finish(operation, result);
    const next = ran ? oldest(this.#lane) : undefined;
    if (next !== undefined) this.begin(next);
  }
}
