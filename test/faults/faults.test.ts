//! The scenarios of `npm run faults`, each once and small.

import { beforeAll, describe, expect, test } from "vitest";
import { buildGuest } from "../support/build-guest.ts";
import { type FaultBackend, whyNot } from "./backends.ts";
import { type FaultJob, runApart, runHere } from "./run.ts";
import { scenarios } from "./scenarios/index.ts";

const BACKENDS: readonly FaultBackend[] = ["uring", "epoll", "poll", "node"];
const SEED = "1";

const missing = new Map(
  await Promise.all(BACKENDS.map(async (backend) => [backend, await whyNot(backend)] as const)),
);

beforeAll(async () => {
  await Promise.all(["faults", "descriptors", "disk"].map((name) => buildGuest(name)));
});

describe.each(BACKENDS)("%s", (backend) => {
  for (const scenario of scenarios) {
    const { name, law, surroundings } = scenario;
    const reason = missing.get(backend) ?? scenario.without?.[backend];
    if (reason !== undefined) {
      test.skip(`${law} [skipped: ${reason}]`);
      continue;
    }
    test(law, async (context) => {
      const job: FaultJob = { scenario: name, backend, seed: SEED, size: "short", minutes: 0 };
      if (surroundings === undefined) {
        await runHere(scenario, job);
        return;
      }
      const outcome = await runApart(scenario, job);
      if ("skipped" in outcome) context.skip(outcome.skipped);
      expect(outcome).toHaveProperty("counts");
    });
  }
});
