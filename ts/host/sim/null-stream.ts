//! A stream that leads nowhere: there is nothing to read, and it takes what is written.

import { ERRNO, OP } from "../../abi.gen.ts";
import type { Operation } from "../resources/operation.ts";
import type { Shareable } from "./shareable.ts";
import type { SimContext } from "./sim-backend.ts";

export class NullStream implements Shareable {
  readonly #context: SimContext;

  constructor(context: SimContext) {
    this.#context = context;
  }

  share(context: SimContext): NullStream {
    return new NullStream(context);
  }

  start({ submission }: Operation): number {
    const buffers = this.#context.ring.buffers(submission);
    if (typeof buffers === "number") return buffers;
    switch (submission.code) {
      case OP.READ:
      case OP.READV:
        return 0;
      case OP.WRITE:
      case OP.WRITEV:
        return buffers.bytes;
      default:
        return -ERRNO.ENOTSUP;
    }
  }

  cancel(): void {}

  close(): number {
    return 0;
  }
}
