//! Threads for functions that block, in a browser: none, whose workers are scripts of the page's own.

import { StackfulError } from "../errors.ts";
import type { BlockingThread, BlockingThreadEvents } from "./blocking-thread.ts";

/** @throws {StackfulError} SF_IO, always. */
export function startBlockingThread(_events: BlockingThreadEvents): BlockingThread {
  throw new StackfulError("SF_IO", "running a blocking function: a browser has no threads for it", {
    errno: "ENOSYS",
    hint: "start a worker of your own",
  });
}
