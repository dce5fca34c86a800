//! An open directory as a guest's handle.

import { ERRNO, FILE_KIND, OP } from "../../abi.gen.ts";
import type { Directory } from "../grants.ts";
import { DirectoryListing, directoryReadRefused } from "../resources/directory-entries.ts";
import type { Operation } from "../resources/operation.ts";
import type { PathRequest } from "../resources/path-request.ts";
import { refusedByDirectory } from "../resources/refusals.ts";
import { DiskHandle } from "./disk-handle.ts";
import type { DirectoryNode } from "./disk-node.ts";
import { performOnNode } from "./node-operations.ts";
import type { SimContext } from "./sim-backend.ts";

export class DirectoryHandle extends DiskHandle {
  readonly #node: DirectoryNode;
  readonly #opened: Directory;
  #listing: DirectoryListing | undefined;

  /** @param grant - What it was opened below. */
  constructor(context: SimContext, node: DirectoryNode, path: string, grant: Directory) {
    super(context, path, node.locks);
    this.#node = node;
    this.#opened = { ...grant, root: path };
  }

  /** It may have been moved, or removed: then nothing is below it. */
  get directory(): Directory {
    const root = this.context.host.disk.pathOf(this.#node);
    return { ...this.#opened, root: root ?? `${this.#opened.root} (removed)` };
  }

  override get readOnly(): boolean {
    return this.#opened.readOnly;
  }

  protected override performPath(request: PathRequest): number {
    if (request.code === OP.TRUNCATE) return -ERRNO.EINVAL;
    return performOnNode(this.context, request, this.#node);
  }

  override start(operation: Operation): number | undefined {
    const { code } = operation.submission;
    switch (code) {
      case OP.FSYNC:
        return this.startSync(operation);
      case OP.LOCK:
        return this.startLock(operation);
      case OP.READ_DIRECTORY: {
        const refused = directoryReadRefused(this.context.ring, operation);
        if (refused !== undefined) return refused;
        this.beginInLane(operation);
        return undefined;
      }
      default:
        return refusedByDirectory(code);
    }
  }

  protected override happens(operation: Operation): number | undefined {
    const { code, argument } = operation.submission;
    if (code === OP.LOCK) return this.lock(operation);
    if (code === OP.READ_DIRECTORY) {
      return this.performed("read", () => {
        if (argument === 1 || this.#listing === undefined) this.#listing = this.#list();
        return this.#listing.fill(this.context.ring, operation);
      });
    }
    return this.performed("sync", () => {
      this.#node.sync();
      return 0;
    });
  }

  #list(): DirectoryListing {
    return new DirectoryListing(
      [...this.#node.entries].map(([name, { kind, inode }]) => ({
        name: encoder.encode(name),
        kind: KINDS[kind],
        inode,
      })),
    );
  }
}

const encoder = new TextEncoder();

const KINDS = {
  file: FILE_KIND.REGULAR,
  directory: FILE_KIND.DIRECTORY,
  link: FILE_KIND.SYMLINK,
  socket: FILE_KIND.SOCKET,
} as const;
