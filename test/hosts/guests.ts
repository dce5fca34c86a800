//! The guests of the shared suite.

import { buildGuest, type TestGuest } from "../support/build-guest.ts";

export async function buildHostGuests(): Promise<{ hosts: TestGuest; io: TestGuest }> {
  return {
    hosts: await buildGuest("hosts", { asyncImports: ["env.later"] }),
    io: await buildGuest("hosts-io"),
  };
}
