//! The file system of a simulated host, from the outside: what the embedder puts there and finds.

import type { ERRNO } from "../../abi.gen.ts";
import { StackfulError } from "../../errors.ts";
import type { LinkReaderSync, PathKind } from "../grants.ts";
import {
  DirectoryNode,
  type DiskNode,
  FileNode,
  LinkNode,
  SocketNode,
  type Volume,
} from "./disk-node.ts";
import { type CrashedPages, type CrashRates, PAGE_BYTES, type Room } from "./file-content.ts";
import { NameJournal } from "./name-journal.ts";
import type { Random } from "./random.ts";

const NAME_BYTES_MAX = 255;
/** Permission bits of a socket that is made. */
const SOCKET_MODE = 0o755;
const LINKS_MAX = 40;
/** The root's, as on Linux. */
const INODE_FIRST = 2n;

const encoder = new TextEncoder();

/** What a crash left. */
export interface DiskCrash extends CrashedPages {
  /** Operations on names that were taken back because nobody had synced them: files that are gone, say. */
  namesLost: number;
}

/**
 * The files of a host. Paths are absolute. What is done here is on the disk at once; what guests do is
 * there for certain after their `sf_fsync`, as ext4 has it: of a file its names as well, of a directory the
 * names in it. A crash takes the rest back or not, each rename as a whole.
 *
 * Errors are StackfulError `SF_IO` with the errno: ENOENT, ENOTDIR, EISDIR, EEXIST, ELOOP, ENOSPC.
 */
export class SimDisk implements LinkReaderSync {
  /** @internal */
  readonly volume: Volume;
  readonly #root: DirectoryNode;
  readonly #room: PageRoom;

  /**
   * @internal
   * @param bytesMax - what all files hold together, asked anew every time.
   * @param wallNs - nanoseconds since 1970.
   */
  constructor(bytesMax: () => number, wallNs: () => bigint) {
    const journal = new NameJournal();
    this.#room = new PageRoom(bytesMax, () => journal.commitAll());
    let inodes = INODE_FIRST;
    this.volume = { room: this.#room, journal, wallNs, nextInode: () => inodes++ };
    this.#root = new DirectoryNode(this.volume, 0o755);
  }

  /** What the files take, in bytes, by whole pages. */
  get bytesUsed(): number {
    return this.#room.pages * PAGE_BYTES;
  }

  readFile(path: string): Uint8Array {
    const { content } = this.#file(path);
    return content.read(0, content.size);
  }

  /**
   * Replaces the file, or makes it, with the directories that lead there.
   *
   * @param mode - permission bits of one that is made.
   */
  writeFile(path: string, data: Uint8Array | string, mode = 0o644): void {
    this.makeDirectory(dirname(path));
    const node = this.find(path);
    if (node?.kind === "directory") throw failure("EISDIR", path);
    if (node?.kind === "socket") throw failure("ENXIO", path);
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    const file = node?.kind === "file" ? node : this.createFile(path, mode);
    file.content.truncate();
    const written = file.content.write(bytes, 0);
    file.modified();
    file.sync();
    if (written < bytes.length) throw failure("ENOSPC", path);
  }

  /** Names in the directory, sorted. */
  list(path: string): string[] {
    return [...this.#directory(path).entries.keys()].sort();
  }

  /** Makes the directory, and those that lead there, unless it is there. */
  makeDirectory(path: string): void {
    let at = "";
    for (const name of namesOf(path)) {
      at += `/${name}`;
      const node = this.find(at);
      if (node === undefined) this.#add(at, new DirectoryNode(this.volume, 0o755));
      else if (node.kind !== "directory") throw failure("ENOTDIR", at);
    }
  }

  /** Makes a symbolic link at `path`. */
  makeLink(target: string, path: string): void {
    this.#add(path, new LinkNode(this.volume, target));
  }

  /** Removes a file, a link, or a directory with all in it. Who has it open keeps it. */
  remove(path: string): void {
    const node = this.#node(path);
    if (node === undefined) throw failure("ENOENT", path);
    const name = basename(path);
    const directory = this.#directory(dirname(path));
    if (node.kind === "directory") node.empty();
    this.volume.journal.commit(directory, name);
    directory.put(name, undefined);
  }

  exists(path: string): boolean {
    return this.find(path) !== undefined;
  }

  /** Permission bits. */
  mode(path: string): number {
    const node = this.find(path);
    if (node === undefined) throw failure("ENOENT", path);
    return node.mode;
  }

  /** Size in bytes. */
  size(path: string): number {
    return this.#file(path).content.size;
  }

  // ── For the host ──

  /** @internal What is at `path`, which may not lead over links, the last name included. */
  kind(path: string): PathKind {
    const node = this.#node(path);
    if (node === undefined) return "missing";
    return node.kind === "file" || node.kind === "socket" ? "other" : node.kind;
  }

  /** @internal */
  readLink(path: string): string {
    const node = this.#node(path);
    if (node?.kind !== "link") throw failure("EINVAL", path);
    return node.target;
  }

  /** @internal The path without links. */
  realPath(path: string): string {
    const done: string[] = [];
    const left = namesOf(path).reverse();
    let links = 0;
    while (left.length > 0) {
      const name = left.pop()!;
      if (name === "..") {
        done.pop();
        continue;
      }
      done.push(name);
      const node = this.#node(`/${done.join("/")}`);
      if (node?.kind !== "link") continue;
      if (++links > LINKS_MAX) throw failure("ELOOP", path);
      done.pop();
      if (node.target.startsWith("/")) done.length = 0;
      left.push(...namesOf(node.target).reverse());
    }
    return `/${done.join("/")}`;
  }

  /** @internal What is at `path`, links followed. */
  find(path: string): DiskNode | undefined {
    return this.#node(this.realPath(path));
  }

  /** @internal What is at `path`, which may not lead over links, the last name included. */
  at(path: string): DiskNode | undefined {
    return this.#node(path);
  }

  /** @internal The directory that holds the last name of `path`, which may not lead over links, and the name. */
  parentOf(path: string): { readonly directory: DirectoryNode; readonly name: string } {
    const directory = this.#node(dirname(path));
    if (directory?.kind !== "directory") throw failure("ENOENT", path);
    return { directory, name: basename(path) };
  }

  /** @internal An empty file whose name a crash may lose. */
  createFile(path: string, mode: number): FileNode {
    const real = this.realPath(path);
    const directory = this.#directory(dirname(real));
    const name = basename(real);
    const file = new FileNode(this.volume, mode);
    directory.change(name, file);
    return file;
  }

  /** @internal An empty file in the directory at `path`, where nobody finds it. */
  createUnnamed(path: string, mode: number): FileNode {
    this.#directory(path);
    return new FileNode(this.volume, mode);
  }

  /** @internal Where the directory is now; undefined when it was removed. */
  pathOf(directory: DirectoryNode): string | undefined {
    return directory.pathBelow(this.#root);
  }

  /** @internal The name of a socket, which a crash may lose. */
  createSocket(path: string): SocketNode {
    const node = new SocketNode(this.volume, SOCKET_MODE);
    this.#directory(dirname(path)).change(basename(path), node);
    return node;
  }

  /** @internal */
  crash(random: Random, rates: CrashRates): DiskCrash {
    const tally = { lost: 0, torn: 0, kept: 0 };
    const namesLost = this.volume.journal.crash(random, rates);
    this.#root.crash(random, rates, tally);
    return { ...tally, namesLost };
  }

  #add(path: string, node: DiskNode): void {
    const directory = this.#directory(dirname(path));
    const name = basename(path);
    if (directory.entries.has(name)) throw failure("EEXIST", path);
    this.volume.journal.commit(directory, name);
    directory.put(name, node);
  }

  #file(path: string): FileNode {
    const node = this.find(path);
    if (node === undefined) throw failure("ENOENT", path);
    if (node.kind !== "file") throw failure("EISDIR", path);
    return node;
  }

  #directory(path: string): DirectoryNode {
    const node = this.find(path);
    if (node === undefined) throw failure("ENOENT", path);
    if (node.kind !== "directory") throw failure("ENOTDIR", path);
    return node;
  }

  /** No link is followed. */
  #node(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.#root;
    for (const name of namesOf(path)) {
      if (name.length * 3 > NAME_BYTES_MAX && encoder.encode(name).length > NAME_BYTES_MAX) {
        throw failure("ENAMETOOLONG", path);
      }
      node = node?.kind === "directory" ? node.entries.get(name) : undefined;
    }
    return node;
  }
}

class PageRoom implements Room {
  pages = 0;
  readonly #bytesMax: () => number;
  readonly #makeRoom: () => void;

  /** @param makeRoom - gives what it can when there is none. */
  constructor(bytesMax: () => number, makeRoom: () => void) {
    this.#bytesMax = bytesMax;
    this.#makeRoom = makeRoom;
  }

  take(): boolean {
    const full = (): boolean => (this.pages + 1) * PAGE_BYTES > this.#bytesMax();
    if (full()) this.#makeRoom();
    if (full()) return false;
    this.pages++;
    return true;
  }

  give(pages: number): void {
    this.pages -= pages;
  }
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function dirname(path: string): string {
  return `/${namesOf(path).slice(0, -1).join("/")}`;
}

function basename(path: string): string {
  const name = namesOf(path).at(-1);
  if (name === undefined) throw failure("EEXIST", path);
  return name;
}

function failure(errno: keyof typeof ERRNO, path: string): StackfulError {
  return new StackfulError("SF_IO", `disk ${path}: ${errno}`, { errno });
}
