//! The shared suite in this JavaScript runtime, on each of its backends.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { COLUMNS } from "../../scripts/matrix/results.ts";
import type { BackendName } from "../../ts/host/backend.ts";
import { BACKENDS, openBackend } from "../../ts/host/open-backend.ts";
import { Runtime } from "../../ts/index.ts";
import { unavailable } from "../support/unavailable.ts";
import type { Place } from "./bench.ts";
import { buildHostGuests } from "./guests.ts";
import { CASES, runCase, skipReason } from "./shared-suite.ts";

let directory: string;
let guests: Place["guests"];
beforeAll(async () => {
  const { hosts, io } = await buildHostGuests();
  guests = { hosts: hosts.wasm, io: io.wasm };
  directory = await mkdtemp(join(tmpdir(), "stackful-hosts-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function whyNot(backend: BackendName): Promise<string | undefined> {
  if (!BACKENDS.includes(backend)) return `this JavaScript runtime has no backend ${backend}`;
  // It overrides what a case asks for.
  const forced = process.env.STACKFUL_BACKEND || "auto";
  if (forced !== "auto" && forced !== backend) return `STACKFUL_BACKEND is ${forced}`;
  return unavailable(async (options) => (await openBackend(backend, options)).backend);
}

for (const backend of COLUMNS) {
  const reason = await whyNot(backend);
  describe(`backend ${backend}`, () => {
    if (reason !== undefined) {
      test.skip(`runs guests [skipped: ${reason}]`);
      return;
    }
    for (const hostCase of CASES) {
      const lacks = skipReason(hostCase, backend);
      if (lacks !== undefined) {
        test.skip(`${hostCase.title} [skipped: ${lacks}]`);
        continue;
      }
      test(hostCase.title, async () => {
        await runCase(hostCase, { backend, guests, directory, Runtime });
      });
    }
  });
}
