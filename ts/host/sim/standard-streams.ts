//! The three streams that a process begins with, and what they lead to.

import { NullStream } from "./null-stream.ts";
import type { Shareable } from "./shareable.ts";
import type { SimContext } from "./sim-backend.ts";
import type { SimConsole } from "./sim-console.ts";

export interface StandardStreams {
  /** Where signals of a terminal come from. */
  readonly console: SimConsole | undefined;
  /** Stream `number`, from 0 to 2, for the process of `context`. */
  open(number: number, context: SimContext): Shareable;
}

/** They lead nowhere. */
export const NO_STREAMS: StandardStreams = {
  console: undefined,
  open: (_number, context) => new NullStream(context),
};
