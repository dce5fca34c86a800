//! The operations of a simulated program written in JavaScript: what a guest does through its rings, it does
//! through promises. Its bytes are the program's own arrays, and there is no memory.

import { Operations } from "../resources/operation.ts";
import type { Resource } from "../resources/resource.ts";
import { GuestRing, NO_SEGMENTS, type Segments, type Submission } from "../ring.ts";
import { CallEvent } from "./event-queue.ts";
import type { Scheduler } from "./scheduler.ts";

/** What a call takes that need not wait: a program that makes one after the other must not hold the world. */
const CALL_NS = 1000;

const NOTHING: Submission = {
  code: 0,
  flags: 0,
  handle: -1,
  token: 0,
  pointer: 0,
  length: 0,
  argument: 0,
  offset: 0,
  mode: 0,
  otherHandle: -1,
  otherOffset: 0,
  otherPointer: 0,
  otherLength: 0,
};

/** Its pieces are one array. */
interface Transfer extends Submission {
  readonly data: Uint8Array;
}

class ProgramRing extends GuestRing {
  readonly waiting = new Map<number, (result: number) => void>();

  override buffers(submission: Submission): Segments {
    const { data } = submission as Transfer;
    return data.length === 0 ? NO_SEGMENTS : { pieces: [], bytes: data.length, data };
  }

  override scatter(data: Uint8Array, { data: to }: Segments, skip = 0): void {
    to!.set(data, skip);
  }

  override complete(token: number, result: number): boolean {
    this.waiting.get(token)?.(result);
    return this.waiting.delete(token);
  }
}

export class ProgramIo {
  readonly ring = new ProgramRing();
  readonly operations: Operations;
  readonly #scheduler: Scheduler;
  #tokens = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.operations = new Operations(() => {
      scheduler.javascript();
      this.operations.deliver(this.ring);
    });
  }

  /**
   * READ into `data`, or WRITE from it, which is not changed meanwhile.
   *
   * @returns bytes, or a negated errno.
   */
  transfer(stream: Resource, code: number, data: Uint8Array): Promise<number> {
    const submission: Transfer = { ...NOTHING, code, token: ++this.#tokens, data };
    return new Promise((resolve) => {
      this.ring.waiting.set(submission.token, resolve);
      const operation = this.operations.add(submission);
      const result = stream.start(operation);
      if (result === undefined) return;
      const end = new CallEvent(() => this.operations.finish(operation, result));
      this.#scheduler.after(CALL_NS, end);
    });
  }
}
