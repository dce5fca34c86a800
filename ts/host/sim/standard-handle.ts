//! STDIO: a stream of the process as a guest's handle, whatever it leads to.

import type { Operation } from "../resources/operation.ts";
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
