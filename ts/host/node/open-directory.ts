//! An open directory on node:fs. It is read at once, when it is read from the start: what comes or goes
//! meanwhile is not seen.

import * as fs from "node:fs";
import { FILE_KIND, OP } from "../../abi.gen.ts";
import { jsRuntime } from "../../js-runtime.ts";
import type { Directory } from "../grants.ts";
import { DirectoryListing, directoryReadRefused } from "../resources/directory-entries.ts";
import type { Operation } from "../resources/operation.ts";
import { refusedByDirectory } from "../resources/refusals.ts";
import type { Context } from "../resources/resource.ts";
import { Descriptor } from "./descriptor.ts";
import { descriptorPath } from "./descriptor-path.ts";

/** Bun has kinds with names of text alone; Node's types know no others. */
const ENCODING = jsRuntime() === "bun" ? "utf8" : ("buffer" as "utf8");
type NamedEntry = Omit<fs.Dirent, "name"> & { readonly name: Uint8Array };

export class OpenDirectory extends Descriptor {
  readonly #opened: Directory;
  #listing: DirectoryListing | undefined;

  /** @param opened - Where it was when it was opened. */
  constructor(context: Context, fd: number, opened: Directory) {
    super(context, fd, opened.readOnly);
    this.#opened = opened;
  }

  /** It may have been moved: the system knows, where it says so. */
  get directory(): Directory {
    return { ...this.#opened, root: descriptorPath(this.fd) ?? this.#opened.root };
  }

  override start(operation: Operation): number | undefined {
    const { code } = operation.submission;
    switch (code) {
      case OP.FSYNC:
        return this.startSync(operation);
      case OP.READ_DIRECTORY:
        return this.#startRead(operation);
      default:
        return refusedByDirectory(code);
    }
  }

  #startRead(operation: Operation): number | undefined {
    const { ring } = this.context;
    const refused = directoryReadRefused(ring, operation);
    if (refused !== undefined) return refused;
    this.beginTurn(operation, () => {
      if (this.#listing === undefined || operation.submission.argument === 1) this.#list(operation);
      else this.endTurn(operation, this.#listing.fill(ring, operation));
    });
    return undefined;
  }

  #list(operation: Operation): void {
    const { ring } = this.context;
    const { root } = this.directory;
    let entries: readonly NamedEntry[] = [];
    this.call(
      (done) =>
        fs.readdir(root, { withFileTypes: true, encoding: ENCODING }, (error, found) => {
          if (error === null) entries = found as unknown as readonly NamedEntry[];
          done(error);
        }),
      (result) => {
        if (result < 0) {
          this.endTurn(operation, result);
          return;
        }
        this.#listing = new DirectoryListing(
          // Only a stat of each entry has its inode.
          entries.map((entry) => ({ name: bytesOf(entry.name), kind: kindOf(entry), inode: 0n })),
        );
        const filled = operation.finished ? 0 : this.#listing.fill(ring, operation);
        this.endTurn(operation, filled);
      },
    );
  }
}

/** Not every host has names of bytes. */
function bytesOf(name: Uint8Array | string): Uint8Array {
  return typeof name === "string" ? new TextEncoder().encode(name) : name;
}

function kindOf(entry: NamedEntry): number {
  if (entry.isFile()) return FILE_KIND.REGULAR;
  if (entry.isDirectory()) return FILE_KIND.DIRECTORY;
  if (entry.isSymbolicLink()) return FILE_KIND.SYMLINK;
  if (entry.isFIFO()) return FILE_KIND.PIPE;
  if (entry.isSocket()) return FILE_KIND.SOCKET;
  if (entry.isBlockDevice()) return FILE_KIND.BLOCK_DEVICE;
  return entry.isCharacterDevice() ? FILE_KIND.CHARACTER_DEVICE : FILE_KIND.UNKNOWN;
}
