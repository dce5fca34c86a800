/** A tree of empty files to walk, and small files to write: where they are, and what must come of it. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { BLOCK_BYTES, dataDirectory, wordOf } from "./file-data.ts";

/** Directories of a tree, in two levels: 10 of 10. */
const DIRECTORIES = 100;

/** Where file number `index` is, below the tree. */
function placeOf(index: number): { readonly directory: string; readonly name: string } {
  const at = index % DIRECTORIES;
  return { directory: `part-${Math.floor(at / 10)}/sub-${at % 10}`, name: `file-${index}` };
}

/** The path of a tree of so many files, made when it is missing; it is the only thing in its directory. */
export function fileTree(files: number): string {
  const parent = `${dataDirectory}/walk-${files}`;
  if (existsSync(parent)) return `${parent}/tree`;
  const temporary = `${parent}.${process.pid}`;
  for (let index = 0; index < files; index++) {
    const { directory, name } = placeOf(index);
    if (index < DIRECTORIES) mkdirSync(`${temporary}/tree/${directory}`, { recursive: true });
    closeSync(openSync(`${temporary}/tree/${directory}/${name}`, "w"));
  }
  renameSync(temporary, parent);
  return `${parent}/tree`;
}

/** FNV-1a, of ASCII. */
export function hashOf(name: string): number {
  let hash = 2166136261;
  for (let at = 0; at < name.length; at++)
    hash = Math.imul(hash ^ name.charCodeAt(at), 16777619) >>> 0;
  return hash;
}

/** Each file counts its name's hash and 1; one that is looked at, its links and bytes besides: 1 and 0. */
export function walkChecksum(files: number, looks: boolean): string {
  let sum = 0;
  for (let index = 0; index < files; index++)
    sum = (sum + hashOf(placeOf(index).name) + (looks ? 2 : 1)) >>> 0;
  return String(sum);
}

const writeDirectory = `${dataDirectory}/write`;

/** Where directories go that were written to. */
const usedDirectory = `${dataDirectory}/write-used`;

/**
 * The path of an empty directory; it is the only thing in its own. What was there is put aside and not
 * deleted: ext4 without a journal uses no inode again that was free for less than minutes, and looks
 * at each of them for every file that is made. That would be measured, and nothing else.
 */
export function emptyDirectory(): string {
  const path = `${writeDirectory}/written`;
  if (existsSync(path)) {
    mkdirSync(usedDirectory, { recursive: true });
    renameSync(path, mkdtempSync(`${usedDirectory}/written-`));
  }
  mkdirSync(path, { recursive: true });
  return path;
}

/** Deletes what emptyDirectory has put aside. */
export function deleteWritten(): void {
  rmSync(usedDirectory, { recursive: true, force: true });
}

/** What was written there: the sum of the first words of files of one block each. */
export function writtenChecksum(files: number): string {
  let sum = 0;
  for (let index = 0; index < files; index++) {
    const content = readFileSync(`${writeDirectory}/written/file-${index}`);
    if (content.length !== BLOCK_BYTES)
      throw new Error(`file-${index} has ${content.length} bytes`);
    sum = (sum + content.readUInt32LE()) >>> 0;
  }
  return String(sum);
}

export function writeChecksum(files: number): string {
  let sum = 0;
  for (let index = 0; index < files; index++) sum = (sum + wordOf(index)) >>> 0;
  return String(sum);
}
