//! What a simulated disk is made of: directories, files, links and sockets.

import { type CrashedPages, type CrashRates, FileContent, type Room } from "./file-content.ts";
import { FileLocks } from "./file-locks.ts";
import type { Inbox } from "./local-datagrams.ts";
import type { UnixListener } from "./local-sockets.ts";
import type { NameJournal } from "./name-journal.ts";
import type { Random } from "./random.ts";

export type DiskNode = DirectoryNode | FileNode | LinkNode | SocketNode;

/** What the nodes of a disk have in common. */
export interface Volume {
  readonly room: Room;
  readonly journal: NameJournal;
  /** Nanoseconds since 1970. */
  wallNs(): bigint;
  nextInode(): bigint;
}

interface Place {
  readonly directory: DirectoryNode;
  readonly name: string;
}

/** Who owns everything. */
export const OWNER = 1000;

/** Permissions and times are on the disk at once: no crash takes them back. */
abstract class Inode {
  protected readonly volume: Volume;
  readonly inode: bigint;
  /** Permission bits. */
  mode: number;
  readonly createdNs: bigint;
  accessedNs: bigint;
  modifiedNs: bigint;
  changedNs: bigint;
  /** The names that lead here. */
  readonly places: Place[] = [];
  /** Whether it ever had one. */
  wasNamed = false;

  constructor(volume: Volume, mode: number) {
    this.volume = volume;
    this.inode = volume.nextInode();
    this.mode = mode;
    this.createdNs = volume.wallNs();
    this.accessedNs = this.createdNs;
    this.modifiedNs = this.createdNs;
    this.changedNs = this.createdNs;
  }

  named(place: Place): void {
    this.places.push(place);
    this.wasNamed = true;
    this.changed();
  }

  unnamed({ directory, name }: Place): void {
    const index = this.places.findIndex((at) => at.directory === directory && at.name === name);
    this.places.splice(index, 1);
    this.changed();
  }

  /** What is known of it has changed. */
  changed(): void {
    this.changedNs = this.volume.wallNs();
  }

  /** What is in it has changed. */
  modified(): void {
    this.modifiedNs = this.volume.wallNs();
    this.changedNs = this.modifiedNs;
  }

  /** The names that lead here are on the disk for certain, and the directories on their way. */
  protected syncNames(): void {
    for (const { directory, name } of this.places) {
      this.volume.journal.commit(directory, name);
      directory.syncNames();
    }
  }
}

/** The name of a Unix socket. */
export class SocketNode extends Inode {
  readonly kind = "socket";
  /** The socket; undefined: it was closed. */
  bound: UnixListener | Inbox | undefined;
}

export class LinkNode extends Inode {
  readonly kind = "link";
  readonly target: string;

  constructor(volume: Volume, target: string) {
    super(volume, 0o777);
    this.target = target;
  }
}

export class FileNode extends Inode {
  readonly kind = "file";
  readonly content: FileContent;
  readonly locks = new FileLocks();
  #opens = 0;

  constructor(volume: Volume, mode: number) {
    super(volume, mode);
    this.content = new FileContent(volume.room);
  }

  override unnamed(place: Place): void {
    super.unnamed(place);
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
    if (this.places.length === 0 && this.#opens === 0) this.content.free();
  }

  /** Its bytes and its names are on the disk for certain. */
  sync(): void {
    this.syncNames();
    this.content.sync();
  }
}

export class DirectoryNode extends Inode {
  readonly kind = "directory";
  readonly entries = new Map<string, DiskNode>();
  readonly locks = new FileLocks();

  /** Where it is now; undefined when it was removed. */
  pathBelow(root: DirectoryNode): string | undefined {
    if (this === root) return "/";
    const [place] = this.places;
    const above = place?.directory.pathBelow(root);
    return above === undefined ? undefined : `${above === "/" ? "" : above}/${place!.name}`;
  }

  /** Whether `other` is it, or in it at any depth. */
  contains(other: DirectoryNode): boolean {
    for (let at: DirectoryNode | undefined = other; at !== undefined; ) {
      if (at === this) return true;
      at = at.places[0]?.directory;
    }
    return false;
  }

  /** Sets what is at the name, which a crash cannot take back. What was there may lose its last name. */
  put(name: string, node: DiskNode | undefined): void {
    const before = this.entries.get(name);
    if (before === node) return;
    const place = { directory: this, name };
    if (node === undefined) this.entries.delete(name);
    else this.entries.set(name, node);
    node?.named(place);
    before?.unnamed(place);
    this.modified();
  }

  /** One operation: sets what is at each of the names, in order. A crash may take it back. */
  static change(changes: readonly (Place & { readonly node: DiskNode | undefined })[]): void {
    const { journal } = changes[0]!.directory.volume;
    journal.record(
      changes.map(({ directory, name }) => ({
        directory,
        name,
        before: directory.entries.get(name),
      })),
    );
    for (const { directory, name, node } of changes) directory.put(name, node);
  }

  /** Makes, replaces or removes what is at the name. */
  change(name: string, node: DiskNode | undefined): void {
    DirectoryNode.change([{ directory: this, name, node }]);
  }

  /** Its names are on the disk for certain, and its own. */
  sync(): void {
    this.volume.journal.commitDirectory(this);
    this.syncNames();
  }

  /** Removes all that is in it, for good. */
  empty(): void {
    this.volume.journal.commitDirectory(this);
    for (const [name, node] of [...this.entries]) {
      if (node.kind === "directory") node.empty();
      this.put(name, undefined);
    }
  }

  crash(random: Random, rates: CrashRates, tally: CrashedPages): void {
    for (const node of this.entries.values()) {
      if (node.kind === "file") node.content.crash(random, rates, tally);
      else if (node.kind === "directory") node.crash(random, rates, tally);
    }
  }
}
