//! Operations that a backend does not have.

import { expect } from "vitest";
import type { Bench } from "./backend-conformance.ts";
import { errnoName } from "./guest.ts";

/** Whether the backend has the operation; where it has not, it says so. */
export async function has({ backend, guest }: Bench, op: number): Promise<boolean> {
  if (backend.capability(op) !== "unsupported") return true;
  expect(errnoName(await guest.submit({ op }))).toBe("ENOSYS");
  return false;
}
