//! The file scenarios with fs.promises: `depth` async functions at once.

import { open, readdir, stat } from "node:fs/promises";
import { BLOCK_BYTES, blockFile, blockOf, wordOf } from "../file-data.ts";
import { emptyDirectory, fileTree, hashOf, writtenChecksum } from "../file-tree.ts";
import { sampleOf, timedWork } from "../file-work.ts";
import { type Params, param, type Sample } from "../scenario.ts";

export async function readWithPromises(params: Params): Promise<Sample> {
  const [depth, reads] = [param(params, "depth"), param(params, "reads")];
  const blocks = param(params, "blocks");
  const file = await open(blockFile(blocks));
  let next = 0;
  let sum = 0;
  const work = async (): Promise<void> => {
    const buffer = Buffer.alloc(BLOCK_BYTES);
    while (next < reads) {
      const position = blockOf(next++, blocks) * BLOCK_BYTES;
      await file.read(buffer, 0, BLOCK_BYTES, position);
      sum = (sum + buffer.readUInt32LE()) >>> 0;
    }
  };
  const timed = await timedWork(() => Promise.all(Array.from({ length: depth }, work)));
  await file.close();
  return sampleOf("read", reads, { ...timed, result: sum });
}

export async function walkWithPromises(params: Params): Promise<Sample> {
  const [depth, files] = [param(params, "depth"), param(params, "files")];
  const looks = param(params, "stat") !== 0;
  const tree = fileTree(files);
  let sum = 0;
  const walk = async (): Promise<void> => {
    const waiting = [tree];
    const running = new Set<Promise<void>>();
    const walkDirectory = async (path: string): Promise<void> => {
      for (const entry of await readdir(path, { withFileTypes: true })) {
        const below = `${path}/${entry.name}`;
        if (entry.isDirectory()) {
          waiting.push(below);
          continue;
        }
        sum = (sum + hashOf(entry.name) + 1) >>> 0;
        if (!looks) continue;
        const { nlink, size } = await stat(below);
        sum = (sum + nlink + size) >>> 0;
      }
    };
    while (waiting.length > 0 || running.size > 0) {
      while (waiting.length > 0 && running.size < depth) {
        const one = walkDirectory(waiting.shift()!).finally(() => running.delete(one));
        running.add(one);
      }
      await Promise.race(running);
    }
  };
  const timed = await timedWork(walk);
  return sampleOf("file", files, { ...timed, result: sum });
}

export async function writeWithPromises(params: Params): Promise<Sample> {
  const [depth, files] = [param(params, "depth"), param(params, "files")];
  const directory = emptyDirectory();
  let next = 0;
  const work = async (): Promise<void> => {
    const block = Buffer.alloc(BLOCK_BYTES);
    while (next < files) {
      const index = next++;
      block.writeUInt32LE(wordOf(index));
      const file = await open(`${directory}/file-${index}`, "w");
      await file.write(block);
      await file.sync();
      await file.close();
    }
  };
  const timed = await timedWork(() => Promise.all(Array.from({ length: depth }, work)));
  return sampleOf("file", files, { ...timed, result: writtenChecksum(files) });
}
