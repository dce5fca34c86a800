//! Threads in a browser: none.

import { StackfulError } from "../errors.ts";
import type { Thread, ThreadPort } from "./start-thread.ts";

/** @throws {StackfulError} SF_EXECUTOR, always. */
export function requireThreads(): never {
  throw new StackfulError("SF_EXECUTOR", "starting executors: a browser has no threads for them", {
    errno: "ENOSYS",
    hint: "create a Runtime",
  });
}

export const processors: () => number = requireThreads;
export const startThread: () => Thread = requireThreads;
export const connectThreads: () => never[][] = requireThreads;
export const threadPort: () => ThreadPort = requireThreads;
export const tellsOfIdleness: () => boolean = requireThreads;
