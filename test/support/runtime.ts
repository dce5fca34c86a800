//! Runtimes for tests, and the check that a test left nothing behind.

import { expect, test } from "vitest";
import type { RuntimeOptions } from "../../ts/runtime/options.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import type { GuestOptions, TestGuest } from "./build-guest.ts";
import { guestOfFile } from "./guest-of-file.ts";
import { withVirtualTime } from "./virtual-time.ts";

/** Fails when tasks live or handles are open. Every test that has a runtime ends with it. */
export function leakCheck(runtime: Runtime): void {
  const { tasksLive, handlesOpen } = runtime.stats;
  expect({ tasks: runtime.tasks(), tasksLive, handlesOpen }).toEqual({
    tasks: [],
    tasksLive: 0,
    handlesOpen: 0,
  });
}

/** A runtime on the node backend, whose leftovers are cut short. */
export function openRuntime(
  guest: TestGuest | Uint8Array,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  return Runtime.create("wasm" in guest ? guest.wasm : guest, {
    backend: "node",
    onTaskFailed: () => {},
    ...options,
    limits: { shutdownMs: 1_000, ...options.limits },
  });
}

/** Runs `body` with a runtime, checks that nothing leaked, and disposes of it. */
export async function withRuntime<T>(
  guest: TestGuest | Uint8Array,
  options: RuntimeOptions,
  body: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  const runtime = await openRuntime(guest, options);
  try {
    const result = await body(runtime);
    leakCheck(runtime);
    return result;
  } finally {
    await runtime[Symbol.asyncDispose]();
  }
}

interface LawOptions extends RuntimeOptions {
  readonly stackBytes?: number;
}

/**
 * Laws that are written in C: exports of one guest that return 0, or the number of the line that does
 * not hold. With `virtualLaw` time moves only when everything waits.
 */
export function lawsOf(name: string, guestOptions: GuestOptions = {}) {
  const load = guestOfFile(name, guestOptions);
  const lawIn =
    (time: (run: () => Promise<void>) => Promise<void>) =>
    (
      title: string,
      entry: string,
      args: readonly (number | bigint)[] = [],
      { stackBytes = 65_536, ...options }: LawOptions = {},
    ): void => {
      test(title, async () => {
        const loaded = await load();
        await time(() =>
          withRuntime(loaded, options, async (runtime) => {
            const line = await runtime.spawn(entry, args, { stackBytes });
            expect(line, `the law broken at ${name}.c:${String(line)}`).toBe(0);
          }),
        );
      });
    };
  return { load, law: lawIn((run) => run()), virtualLaw: lawIn(withVirtualTime) };
}
