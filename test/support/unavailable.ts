//! Whether this host has what a backend is made of.

import { StackfulError } from "../../ts/errors.ts";
import type { Backend, BackendOptions } from "../../ts/host/backend.ts";

/** Why this host cannot open a backend; undefined when it can. Any other failure is a failure. */
export async function unavailable(
  open: (options: BackendOptions) => Promise<Backend>,
): Promise<string | undefined> {
  try {
    const backend = await open({ grants: {}, handlesMax: 1 });
    await backend[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    if (error instanceof StackfulError && ["ENOSYS", "EPERM"].includes(error.errno ?? "")) {
      return error.message;
    }
    throw error;
  }
}
