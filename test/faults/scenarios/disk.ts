//! The disk is full. Its process has a small one.

import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { Bench } from "../bench.ts";
import { addCounts, type Counts, type Scenario } from "../scenario.ts";
import { SMALL_DISK } from "../surroundings.ts";

export const disk: Scenario = {
  name: "disk",
  law: "on a full disk files hold what their writes said, and room that becomes free can be had",
  surroundings: "small-disk",
  async run({ backend, random, size }) {
    const directory = process.env[SMALL_DISK];
    assert(directory !== undefined, `${SMALL_DISK} names no directory`);
    const { bfree } = statfsSync(directory);
    const grants = { directories: [{ host: directory, guest: "/data" }] };
    const counts = await Bench.with({ backend, guest: "disk", grants }, async (bench) => {
      const all: Counts = {};
      for (let left = size === "short" ? 1 : 20; left > 0; left--) {
        const bytes = await bench.call("counter_new");
        await bench.law("disk", random.integer(2 ** 24), bytes);
        addCounts(all, {
          filled: 4,
          bytes: new DataView(bench.runtime.memory.buffer).getUint32(bytes, true),
        });
      }
      return all;
    });
    assert.equal(statfsSync(directory).bfree, bfree, "the room of files that are gone");
    return counts;
  },
};
