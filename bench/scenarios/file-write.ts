/**
 * Small files of 4 KiB that are made, written, synced (fsync) and closed, 32 at once; then all are read
 * again. The program in C has a thread for each of the 32, the one in Go a goroutine.
 *
 * For: how well the waits for a device overlap. The figure is the device's and its file system's most of all:
 * compare within a run. Each run has a directory of its own, and nothing is deleted before all are done.
 */
import { deleteWritten, emptyDirectory, writeChecksum } from "../file-tree.ts";
import { peerWork } from "../file-work.ts";
import { writeWithPromises } from "../js/files.ts";
import { type Params, param, type Scenario } from "../scenario.ts";
import { writeOn } from "../stackful/files.ts";

export const scenario: Scenario = {
  name: "file-write",
  summary: "1,000 small files, written and synced",
  metrics: ["files/s", "us-cpu/file"],
  params: { smoke: [{ depth: 8, files: 20 }], full: [{ depth: 32, files: 1000 }] },
  checksum: (params: Params) => writeChecksum(param(params, "files")),
  implementations: {
    "stackful-uring": writeOn("uring"),
    "stackful-node": writeOn("node"),
    go: peerWork("go", "file-write", emptyDirectory),
    node: writeWithPromises,
    c: peerWork("c", "file-write", emptyDirectory),
  },
  against: ["go", "node", "c"],
  cleanUp: deleteWritten,
};
