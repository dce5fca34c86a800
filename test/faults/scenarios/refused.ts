//! io_uring is refused, as sandboxes do it: what is opened instead does the same.

import assert from "node:assert/strict";
import { Runtime } from "../../../ts/runtime/runtime.ts";
import { buildGuest } from "../../support/build-guest.ts";
import { openBackend } from "../backends.ts";
import { Bench } from "../bench.ts";
import { addCounts, type Counts, type Scenario } from "../scenario.ts";
import { connectsRound } from "./connects.ts";
import { peersRound } from "./peers.ts";

export const refused: Scenario = {
  name: "refused",
  law: "where io_uring is refused epoll does the same",
  surroundings: "no-uring",
  without: {
    epoll: "it does without io_uring",
    poll: "it does without io_uring",
    kqueue: "it does without io_uring",
    node: "it does without io_uring",
  },
  async run({ random, size }) {
    await assert.rejects(openBackend("uring"), { code: "SF_IO", errno: "EPERM" });
    await using runtime = await Runtime.create((await buildGuest("faults")).wasm, {
      imports: { env: { act: () => 0 } },
    });
    const { backend, reasons } = runtime.stats;
    assert.equal(backend, "epoll", "what is taken instead");
    assert.deepEqual(
      reasons.map(({ name }) => name),
      ["uring"],
    );
    return Bench.with({ backend: "epoll" }, async (bench) => {
      const counts: Counts = {};
      addCounts(counts, await peersRound(bench, random, size === "short" ? 3 : 24));
      addCounts(counts, await connectsRound(bench, random, size === "short" ? 100 : 10_000));
      return counts;
    });
  },
};
