//! An open directory on node:fs.

import { OP } from "../../abi.gen.ts";
import type { Directory } from "../grants.ts";
import type { Operation } from "../resources/operation.ts";
import { refusedByDirectory } from "../resources/refusals.ts";
import type { Context } from "../resources/resource.ts";
import { Descriptor } from "./descriptor.ts";
import { descriptorPath } from "./descriptor-path.ts";

export class OpenDirectory extends Descriptor {
  readonly #opened: Directory;

  /** @param opened - Where it was when it was opened. */
  constructor(context: Context, fd: number, opened: Directory) {
    super(context, fd);
    this.#opened = opened;
  }

  /** It may have been moved: the system knows, where it says so. */
  get directory(): Directory {
    return { ...this.#opened, root: descriptorPath(this.fd) ?? this.#opened.root };
  }

  override start(operation: Operation): number | undefined {
    const { code } = operation.submission;
    return code === OP.FSYNC ? this.startSync(operation) : refusedByDirectory(code);
  }

  override cancel(): void {}
}
