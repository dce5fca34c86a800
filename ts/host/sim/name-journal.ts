//! Names that were changed since they were last on the disk for certain: a crash may take the changes back.
//!
//! An operation is taken back as a whole: a file that was renamed has its old name after a crash, or its new
//! one. Operations on the same name make a story, of which a crash takes back the end. Until then the
//! disk holds what lost its last name.

import type { DirectoryNode, DiskNode } from "./disk-node.ts";
import type { CrashRates } from "./file-content.ts";
import type { Random } from "./random.ts";

/** What was at a name before; undefined: nothing. */
export interface NameChange {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly before: DiskNode | undefined;
}

interface Entry {
  readonly order: number;
  readonly changes: readonly NameChange[];
}

/** Operations that are taken back in a story, at most: before them the disk has been written to. */
const ENTRIES_MAX = 256;

class Story {
  entries: Entry[] = [];
}

export class NameJournal {
  readonly #stories = new Set<Story>();
  readonly #byName = new Map<DirectoryNode, Map<string, Story>>();
  #order = 0;

  /** One operation has changed these names, in this order. */
  record(changes: readonly NameChange[]): void {
    const story = this.#storyOf(changes);
    for (const { directory, name, before } of changes) {
      hold(before);
      const names = this.#byName.get(directory) ?? new Map<string, Story>();
      this.#byName.set(directory, names.set(name, story));
    }
    story.entries.push({ order: this.#order++, changes });
    if (story.entries.length > ENTRIES_MAX) {
      for (const entry of story.entries.splice(0, ENTRIES_MAX / 2)) letGo(entry);
    }
  }

  /** The name is on the disk for certain, and what happened with it. */
  commit(directory: DirectoryNode, name: string): void {
    const story = this.#byName.get(directory)?.get(name);
    if (story !== undefined) this.#commit(story);
  }

  /** All names of the directory are. */
  commitDirectory(directory: DirectoryNode): void {
    for (const story of new Set(this.#byName.get(directory)?.values())) this.#commit(story);
  }

  /** All names are: the disk needs what it holds for those that were taken away. */
  commitAll(): void {
    for (const story of this.#stories) this.#commit(story);
  }

  /** Returns how many operations were taken back. */
  crash(random: Random, rates: CrashRates): number {
    const removed = new Set<DirectoryNode>();
    let lost = 0;
    for (const story of this.#stories) {
      if (!random.chance(rates.lostWrites)) continue;
      const { entries } = story;
      const kept = entries.length === 1 ? 0 : random.integer(entries.length);
      for (const { changes } of entries.slice(kept).reverse()) {
        for (const { directory, name, before } of [...changes].reverse()) {
          const now = directory.entries.get(name);
          if (now?.kind === "directory") removed.add(now);
          directory.put(name, before);
        }
        lost++;
      }
    }
    this.commitAll();
    for (const directory of removed) if (directory.places.length === 0) directory.empty();
    return lost;
  }

  /** The one story of all these names. */
  #storyOf(changes: readonly NameChange[]): Story {
    const story = new Story();
    for (const { directory, name } of changes) {
      const other = this.#byName.get(directory)?.get(name);
      if (other === undefined || !this.#stories.delete(other)) continue;
      story.entries.push(...other.entries);
    }
    story.entries.sort((a, b) => a.order - b.order);
    for (const { changes: before } of story.entries) {
      for (const { directory, name } of before) this.#byName.get(directory)?.set(name, story);
    }
    this.#stories.add(story);
    return story;
  }

  #commit(story: Story): void {
    this.#stories.delete(story);
    for (const entry of story.entries) {
      for (const { directory, name } of entry.changes) {
        const names = this.#byName.get(directory);
        names?.delete(name);
        if (names?.size === 0) this.#byName.delete(directory);
      }
      letGo(entry);
    }
  }
}

function hold(node: DiskNode | undefined): void {
  if (node?.kind === "file") node.opened();
}

function letGo({ changes }: Entry): void {
  for (const { before } of changes) if (before?.kind === "file") before.closed();
}
