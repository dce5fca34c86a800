//! What native code has to know of the JavaScript runtime that it is loaded into.

import { jsRuntime } from "../../js-runtime.ts";

export interface HostTraits {
  /**
   * Who wakes the event loop: libuv, which watches a descriptor; or a thread of the addon's, by a
   * threadsafe function. The loop is hidden from the second, so a turn cannot wait in its place: what
   * is due in it would not end the wait.
   */
  readonly wake: "libuv" | "thread";
  /** Whether a memory that is not shared may be at another address after it has grown. */
  readonly memoryMoves: boolean;
}

/**
 * Node: libuv; V8 reserves the addresses that a memory can grow into.
 * Deno: has libuv's functions, whose watches lose events. V8 as well.
 * Bun: has libuv's names, and stops the process when one is called. JavaScriptCore reserves addresses
 * for the first few memories of a process and moves all others.
 */
export function hostTraits(): HostTraits {
  const runtime = jsRuntime();
  // On Windows it watches nothing but sockets.
  const watches = runtime === "node" && process.platform !== "win32";
  return { wake: watches ? "libuv" : "thread", memoryMoves: runtime === "bun" };
}
