//! The guest of the tests about what guest and host share.

import { beforeAll } from "vitest";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest, type TestGuest } from "./build-guest.ts";
import { openRuntime, withRuntime } from "./runtime.ts";

/** What the guest's `env.call` does. */
export interface Calls {
  on(value: number): void;
}

export function sharedGuest() {
  let guest: TestGuest;
  beforeAll(async () => {
    guest = await buildGuest("shared");
  });
  const calls: Calls = { on: () => {} };
  const call = (value: number): number => {
    calls.on(value);
    return value;
  };
  const options = { imports: { env: { call } } };
  return {
    calls,
    open: (): Promise<Runtime> => openRuntime(guest, options),
    run: (body: (runtime: Runtime) => Promise<void>): Promise<void> =>
      withRuntime(guest, options, body),
  };
}

/** Lets the host's event loop go round, and with it the guest. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** How a promise stands after some turns: "pending", its value, or its error. */
export async function stateOf(promise: PromiseLike<unknown>): Promise<unknown> {
  const pending = turns().then(() => "pending");
  return await Promise.race([Promise.resolve(promise).catch((error: unknown) => error), pending]);
}
