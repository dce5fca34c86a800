//! No descriptor is left. Its process may have few.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StackfulError } from "../../../ts/errors.ts";
import { type FaultBackend, isNative, openBackend } from "../backends.ts";
import { Bench, LOOPBACK } from "../bench.ts";
import { addCounts, type Counts, type Scenario } from "../scenario.ts";

export const descriptors: Scenario = {
  name: "descriptors",
  law: "without a descriptor left everything says EMFILE, what is open goes on, and nothing is lost when there are some again",
  surroundings: "few-descriptors",
  async run({ backend, size }) {
    const directory = mkdtempSync(join(tmpdir(), "stackful-faults-"));
    writeFileSync(join(directory, "file"), "");
    const grants = { ...LOOPBACK, directories: [{ host: directory, guest: "/data" }] };
    try {
      return await Bench.with({ backend, guest: "descriptors", grants }, async (bench) => {
        const counts: Counts = {};
        for (let left = size === "short" ? 2 : 40; left > 0; left--) {
          addCounts(counts, await descriptorsRound(bench, backend));
        }
        return counts;
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

async function descriptorsRound(bench: Bench, backend: FaultBackend): Promise<Counts> {
  await bench.law("pairs_open");
  const taken = await bench.call("take_all");
  assert(taken > 4, `only ${taken} descriptors were left`);
  await bench.law("none_left");
  await bench.law("one_left", backend === "node" ? 1 : 0);
  await bench.call("take_all");
  const another = openBackend(backend).then((opened) => opened[Symbol.asyncDispose]());
  if (isNative(backend)) {
    const error: unknown = await another.catch((reason: unknown) => reason);
    assert(error instanceof StackfulError, `a backend without descriptors: ${String(error)}`);
    assert.equal(error.errno, "EMFILE");
  } else {
    await another; // It has none of its own.
  }
  await bench.call("give_back", taken);
  await bench.law("pairs_end");
  await (await openBackend(backend))[Symbol.asyncDispose]();
  return { taken };
}
