//! Threads in a browser: none.

import { StackfulError } from "../errors.ts";
import type { Thread } from "./start-thread.ts";

export function processors(): number {
  return 1;
}

/** @throws {StackfulError} SF_IO, always. */
export function startThread(): Thread {
  throw new StackfulError("SF_IO", "starting executors: a browser has no threads for them", {
    errno: "ENOSYS",
    hint: "create a Runtime",
  });
}

export function connectThreads(): never[][] {
  return [[]];
}
