//! POLL in a backend written in JavaScript: what waits on a handle until something of what it asks holds.

import { ERRNO, POLL } from "../../abi.gen.ts";
import type { Operation, Operations, Owner } from "./operation.ts";
import { OperationQueue } from "./operation-queue.ts";
import type { Context, Resource } from "./resource.ts";

const EVENTS = POLL.READABLE | POLL.WRITABLE | POLL.ERROR | POLL.HANG_UP;
/** Told whatever is asked. */
const ALWAYS = POLL.ERROR | POLL.HANG_UP;

/** The result of a POLL, or undefined when it waits. */
export function startPoll(
  { operations }: Context,
  operation: Operation,
  resource: Resource,
): number | undefined {
  const { argument } = operation.submission;
  if (argument === 0 || (argument & ~EVENTS) !== 0) return -ERRNO.EINVAL;
  if (resource.readiness === undefined) return -ERRNO.EPERM;
  resource.polls ??= new PollQueue(operations, () => resource.readiness!());
  return resource.polls.start(operation);
}

export class PollQueue implements Owner {
  readonly #operations: Operations;
  readonly #readiness: () => number;
  readonly #waiting = new OperationQueue();

  /** @param readiness - Of POLL, all that holds now. */
  constructor(operations: Operations, readiness: () => number) {
    this.#operations = operations;
    this.#readiness = readiness;
  }

  start(operation: Operation): number | undefined {
    const holding = this.#holding(operation);
    if (holding !== 0) return holding;
    operation.owner = this;
    this.#waiting.add(operation);
    return undefined;
  }

  /** Something may hold that did not. */
  tell(): void {
    let next: Operation | undefined;
    for (let poll = this.#waiting.oldest; poll !== undefined; poll = next) {
      next = poll.newer;
      const holding = this.#holding(poll);
      if (holding !== 0) this.#end(poll, holding);
    }
  }

  cancel(operation: Operation): void {
    this.#end(operation, -ERRNO.ECANCELED);
  }

  /** The handle is closed. */
  close(): void {
    for (let poll = this.#waiting.oldest; poll !== undefined; poll = this.#waiting.oldest) {
      this.#end(poll, -ERRNO.EBADF);
    }
  }

  #holding({ submission }: Operation): number {
    return this.#readiness() & (submission.argument | ALWAYS);
  }

  #end(operation: Operation, result: number): void {
    if (this.#waiting.remove(operation)) this.#operations.finish(operation, result);
  }
}
