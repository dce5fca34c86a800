import { describe, test } from "vitest";
import { StackfulError } from "../../ts/errors.ts";
import { openUring, UringBackend } from "../../ts/host/native/uring-backend.ts";
import { OTHER_HOST, OTHER_URING } from "../native/other-host.ts";
import { backendConformance } from "./backend-conformance.ts";
import { thisMachine } from "./setting.ts";

/** Why this host cannot open the backend; undefined when it can. Any other failure is a failure. */
async function unavailable(): Promise<string | undefined> {
  try {
    const backend = await openUring({ grants: {}, handlesMax: 1 });
    await backend[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    if (error instanceof StackfulError && ["ENOSYS", "EPERM"].includes(error.errno ?? "")) {
      return error.message;
    }
    throw error;
  }
}

const reason = await unavailable();
if (reason === undefined) {
  backendConformance("uring", { setting: () => thisMachine(openUring) });
  // As in Deno and Bun, where this is the same again.
  backendConformance("uring", {
    setting: () => thisMachine(async (options) => UringBackend.open(options, OTHER_HOST)),
    child: OTHER_URING,
  });
} else {
  describe("uring backend", () => {
    test.skip(`keeps the laws [skipped: ${reason}]`);
  });
}
