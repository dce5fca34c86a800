import { describe, test } from "vitest";
import { openUring, UringBackend } from "../../ts/host/native/uring-backend.ts";
import { OTHER_HOST, OTHER_URING } from "../native/other-host.ts";
import { backendConformance } from "./backend-conformance.ts";
import { thisMachine } from "./setting.ts";
import { whyNoUring } from "./uring-reason.ts";

const reason = await whyNoUring();
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
