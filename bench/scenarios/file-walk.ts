/**
 * A walk over a tree of empty files in 100 directories, 32 of them at once: by their names alone, and with
 * a look (stat) at each file. The programs in C and Go do one thing after the other: fts(3) as such, and
 * filepath.WalkDir.
 *
 * For: what an operation on a name costs while the names are in the kernel's cache. Not for: disks.
 */
import { fileTree, walkChecksum } from "../file-tree.ts";
import { peerWork } from "../file-work.ts";
import { walkWithPromises } from "../js/files.ts";
import { type Params, param, type Scenario } from "../scenario.ts";
import { walkOn } from "../stackful/files.ts";

function shapes(files: number): readonly Params[] {
  return [0, 1].map((stat) => ({ depth: 32, files, stat }));
}

const tree = (params: Params): string => fileTree(param(params, "files"));

export const scenario: Scenario = {
  name: "file-walk",
  summary: "a walk over a tree of 100,000 files, without and with a look at each",
  metrics: ["files/s", "us-cpu/file"],
  params: { smoke: shapes(500), full: shapes(100_000) },
  checksum: (params) => walkChecksum(param(params, "files"), param(params, "stat") !== 0),
  implementations: {
    "stackful-uring": walkOn("uring"),
    "stackful-node": walkOn("node"),
    go: peerWork("go", "file-walk", tree),
    node: walkWithPromises,
    c: peerWork("c", "file-walk", tree),
  },
  against: ["go", "node", "c"],
};
