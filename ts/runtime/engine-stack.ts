//! The text of stacks, with a function of the guest in every frame that is one.
//!
//! Node and browsers write such a frame as V8 and the others do: "wasm-function[" and its index. Deno and
//! Bun write stacks themselves, Deno with another index, Bun without any name. What the engine would
//! write they still know: it is the call site as a string, V8's with the index, JavaScriptCore's with the
//! name, where there is one.

import { jsRuntime } from "../js-runtime.ts";

interface Engine {
  stackTraceLimit: number | undefined;
  prepareStackTrace?: ((error: unknown, sites: readonly unknown[]) => unknown) | undefined;
}

// Node's types know call sites of V8 alone.
const engine = Error as unknown as Engine;

const RETOLD = jsRuntime() === "deno" || jsRuntime() === "bun";

function retell(error: unknown, sites: readonly unknown[]): string {
  return [String(error), ...sites.map((site) => `    at ${String(site)}`)].join("\n");
}

/** Runs `body`. Stacks of errors that it makes and reads have up to `framesMax` frames, all written so. */
export function withEngineStacks<T>(framesMax: number, body: () => T): T {
  const { stackTraceLimit, prepareStackTrace } = engine;
  engine.stackTraceLimit = framesMax;
  engine.prepareStackTrace = RETOLD ? retell : undefined;
  try {
    return body();
  } finally {
    engine.stackTraceLimit = stackTraceLimit;
    engine.prepareStackTrace = prepareStackTrace;
  }
}

/** Has the stack of an error of the engine's own name the guest's functions. Nobody has read it yet. */
export function nameFrames(error: unknown): void {
  if (!RETOLD || !(error instanceof Error)) return;
  // What is read first is kept.
  withEngineStacks(engine.stackTraceLimit ?? 10, () => error.stack);
}
