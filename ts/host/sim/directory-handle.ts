//! An open directory as a guest's handle.

import { OP } from "../../abi.gen.ts";
import type { Directory } from "../grants.ts";
import type { Operation } from "../resources/operation.ts";
import { refusedByDirectory } from "../resources/refusals.ts";
import { DiskHandle } from "./disk-handle.ts";
import type { DirectoryNode } from "./disk-node.ts";
import type { SimContext } from "./sim-backend.ts";

export class DirectoryHandle extends DiskHandle {
  readonly #node: DirectoryNode;
  readonly #opened: Directory;

  /** @param grant - What it was opened below. */
  constructor(context: SimContext, node: DirectoryNode, path: string, grant: Directory) {
    super(context, path);
    this.#node = node;
    this.#opened = { ...grant, root: path };
  }

  /** It may have been moved, or removed: then nothing is below it. */
  get directory(): Directory {
    const root = this.context.host.disk.pathOf(this.#node);
    return { ...this.#opened, root: root ?? `${this.#opened.root} (removed)` };
  }

  override start(operation: Operation): number | undefined {
    const { code } = operation.submission;
    return code === OP.FSYNC ? this.startSync(operation) : refusedByDirectory(code);
  }

  protected override happens(): number {
    return this.performed("sync", () => {
      this.#node.sync();
      return 0;
    });
  }
}
