/**
 * Readers and one writer share a value under a lock that lets readers in together.
 *
 * For: the price of a read lock when writers are few. The readers yield inside each
 * `yieldEvery`-th time, the writer always, so each side runs into the other. Not for: the balance
 * between readers and writers, which every runtime strikes in its own way.
 */
import { param, type Scenario } from "../scenario.ts";
import { rwlock } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "rwlock",
  summary: "eight readers and a writer share a readers-writer lock",
  metrics: ["ns/op"],
  params: {
    smoke: [{ readers: 8, reads: 100, writes: 10, yieldEvery: 16 }],
    full: [{ readers: 8, reads: 20_000, writes: 2000, yieldEvery: 16 }],
  },
  /** The value that the writer counted up, and all reads whose value was not below the last. */
  checksum: (params) =>
    String(param(params, "writes") + param(params, "readers") * param(params, "reads")),
  implementations: { stackful: rwlock },
  peers: ["go", "tokio"],
};
