//! One guest for all tests of a file.

import { beforeAll } from "vitest";
import { buildGuest, type GuestOptions, type TestGuest } from "./build-guest.ts";

/** Built before the tests, and once. */
export function guestOfFile(name: string, options: GuestOptions = {}): () => Promise<TestGuest> {
  let guest: Promise<TestGuest> | undefined;
  const load = (): Promise<TestGuest> => {
    guest ??= buildGuest(name, options);
    return guest;
  };
  beforeAll(async () => void (await load()));
  return load;
}
