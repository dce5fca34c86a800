//! What a simulated disk is made of: directories, files and links.

import { type CrashedPages, type CrashRates, FileContent, type Room } from "./file-content.ts";
import { FileLocks } from "./file-locks.ts";
import type { Random } from "./random.ts";

export type DiskNode = DirectoryNode | FileNode | LinkNode;

export class LinkNode {
  readonly kind = "link";
  readonly target: string;

  constructor(target: string) {
    this.target = target;
  }
}

export class FileNode {
  readonly kind = "file";
  readonly content: FileContent;
  readonly locks = new FileLocks();
  /** Permission bits. */
  readonly mode: number;
  #names = 0;
  #opens = 0;
  /** Where it was made, for `sync`. */
  readonly #directory: DirectoryNode;
  readonly #name: string;

  constructor(room: Room, mode: number, directory: DirectoryNode, name: string) {
    this.content = new FileContent(room);
    this.mode = mode;
    this.#directory = directory;
    this.#name = name;
  }

  /** It has one name more. */
  named(): void {
    this.#names++;
  }

  unnamed(): void {
    this.#names--;
    this.#freeUnused();
  }

  opened(): void {
    this.#opens++;
  }

  closed(): void {
    this.#opens--;
    this.#freeUnused();
  }

  #freeUnused(): void {
    if (this.#names === 0 && this.#opens === 0) this.content.free();
  }

  /** Its bytes and its name are on the disk for certain. */
  sync(): void {
    this.content.sync();
    this.#directory.syncName(this.#name, this);
  }
}

export class DirectoryNode {
  readonly kind = "directory";
  readonly entries = new Map<string, DiskNode>();
  readonly locks = new FileLocks();
  /** Names that were made since the last sync, in order: a crash may lose them. */
  readonly #unsynced = new Set<string>();
  /** Undefined: it is the root, or was removed. */
  #parent: DirectoryNode | undefined;
  #name = "";

  /** Where it is now; undefined when it was removed. */
  pathBelow(root: DirectoryNode): string | undefined {
    if (this === root) return "/";
    const above = this.#parent?.pathBelow(root);
    return above === undefined ? undefined : `${above === "/" ? "" : above}/${this.#name}`;
  }

  add(name: string, node: DiskNode): void {
    this.entries.set(name, node);
    if (node.kind === "file") node.named();
    else if (node.kind === "directory") {
      node.#parent = this;
      node.#name = name;
    }
    this.#unsynced.add(name);
  }

  remove(name: string): void {
    const node = this.entries.get(name);
    this.entries.delete(name);
    this.#unsynced.delete(name);
    if (node?.kind === "file") node.unnamed();
    else if (node?.kind === "directory") node.#removed();
  }

  /** Its names are on the disk for certain. */
  sync(): void {
    this.#unsynced.clear();
  }

  syncName(name: string, node: DiskNode): void {
    if (this.entries.get(name) === node) this.#unsynced.delete(name);
  }

  /** With all in it. */
  #removed(): void {
    this.#parent = undefined;
    for (const name of [...this.entries.keys()]) this.remove(name);
  }

  /** Returns how many names were lost. */
  crash(random: Random, rates: CrashRates, tally: CrashedPages): number {
    let lost = 0;
    for (const name of this.#unsynced) {
      if (!random.chance(rates.lostWrites)) continue;
      this.remove(name);
      lost++;
    }
    this.#unsynced.clear();
    for (const node of this.entries.values()) {
      if (node.kind === "file") node.content.crash(random, rates, tally);
      else if (node.kind === "directory") lost += node.crash(random, rates, tally);
    }
    return lost;
  }
}
