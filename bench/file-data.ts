/** The file that the file scenarios read, and what reading it must give. */
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { root } from "./peers.ts";

export const BLOCK_BYTES = 4096;

/** Of the file that is read. Guests see it as /data. */
export const dataDirectory = `${root}dist/bench-data`;

/** Where read number `index` goes: all implementations read the same blocks. */
export function blockOf(index: number, blocks: number): number {
  let mixed = Math.imul(index, 2654435761);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 2246822519);
  mixed ^= mixed >>> 13;
  return (mixed >>> 0) % blocks;
}

/** With what the block of a file, or a small file, begins. */
export function wordOf(block: number): number {
  return Math.imul(block + 1, 2654435761) >>> 0;
}

/** The path of a file of so many blocks, each beginning with its word; made when it is missing. */
export function blockFile(blocks: number): string {
  const path = `${dataDirectory}/blocks`;
  if (statSync(path, { throwIfNoEntry: false })?.size === blocks * BLOCK_BYTES) return path;
  mkdirSync(dataDirectory, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  const file = openSync(temporary, "w");
  const buffer = Buffer.alloc(256 * BLOCK_BYTES);
  for (let block = 0; block < blocks; block += 256) {
    const count = Math.min(256, blocks - block);
    for (let i = 0; i < count; i++) buffer.writeUInt32LE(wordOf(block + i), i * BLOCK_BYTES);
    writeSync(file, buffer, 0, count * BLOCK_BYTES);
  }
  closeSync(file);
  renameSync(temporary, path);
  return path;
}

/** The sum of the words of all blocks that are read. */
export function readsChecksum(reads: number, blocks: number): string {
  let sum = 0;
  for (let index = 0; index < reads; index++) sum = (sum + wordOf(blockOf(index, blocks))) >>> 0;
  return String(sum);
}
