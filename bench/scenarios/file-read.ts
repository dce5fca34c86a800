/**
 * Reads of 4 KiB at random places of a file of 64 MiB that is in the page cache, so many at once.
 *
 * For: what a read costs beyond copying the bytes. Not for: how fast a disk is; a page that is not cached
 * is brought by a thread of the kernel, and its time hides all else.
 */
import { blockFile, readsChecksum } from "../file-data.ts";
import { peerWork } from "../file-work.ts";
import { readWithPromises } from "../js/files.ts";
import { type Params, param, type Scenario } from "../scenario.ts";
import { readOn } from "../stackful/files.ts";

const BLOCKS = 16_384;

function depths(reads: number): readonly Params[] {
  return [1, 32, 128].map((depth) => ({ depth, reads, blocks: BLOCKS }));
}

export const scenario: Scenario = {
  name: "file-read",
  summary: "random reads of 4 KiB from the page cache",
  metrics: ["reads/s", "us-cpu/read"],
  params: { smoke: depths(200), full: depths(200_000) },
  checksum: (params) => readsChecksum(param(params, "reads"), param(params, "blocks")),
  implementations: {
    "stackful-uring": readOn("uring"),
    "stackful-node": readOn("node"),
    node: readWithPromises,
    c: peerWork("c", "file-read", (params) => blockFile(param(params, "blocks"))),
  },
  against: ["node", "c"],
};
