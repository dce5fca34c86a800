//! STDIO: a stream of the process as a guest's handle, whatever it leads to.

import { POLL } from "../../abi.gen.ts";
import type { Operation } from "../resources/operation.ts";
import type { PollQueue } from "../resources/poll-queue.ts";
import { type Direction, refusedByStandard, type Terminal } from "../resources/standard.ts";
import type { Shareable } from "./shareable.ts";
import type { SimContext } from "./sim-backend.ts";

export class StandardHandle implements Shareable {
  readonly #stream: Shareable;
  readonly #direction: Direction;

  /** @param stream - This handle's alone. */
  constructor(stream: Shareable, direction: Direction) {
    this.#stream = stream;
    this.#direction = direction;
  }

  get terminal(): Terminal | undefined {
    return this.#stream.terminal;
  }

  get polls(): PollQueue | undefined {
    return this.#stream.polls;
  }

  set polls(polls: PollQueue | undefined) {
    this.#stream.polls = polls;
  }

  /** A file has none. */
  get readiness(): (() => number) | undefined {
    const stream = this.#stream;
    if (stream.readiness === undefined) return undefined;
    const other = this.#direction === "input" ? POLL.WRITABLE : POLL.READABLE;
    return () => stream.readiness!() & ~other;
  }

  share(context: SimContext): Shareable {
    return this.#stream.share(context);
  }

  start(operation: Operation): number | undefined {
    const refused = refusedByStandard(this.#direction, operation.submission.code);
    return refused ?? this.#stream.start(operation);
  }

  cancel(operation: Operation): void {
    this.#stream.cancel(operation);
  }

  close(): number | Promise<number> {
    return this.#stream.close();
  }
}
