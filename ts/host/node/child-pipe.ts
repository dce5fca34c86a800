//! The guest's end of a pipe to a child process: a stream of node:child_process, one way.

import type { Socket } from "node:net";
import { ERRNO, OP } from "../../abi.gen.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";
import { Connection } from "./connection.ts";

export class ChildPipe extends Connection {
  readonly #writes: boolean;

  /** @param writes - Whether it is the child's input. */
  constructor(context: Context, stream: Socket, writes: boolean) {
    super(context, stream);
    this.#writes = writes;
    // Who listens keeps what the child has written: at its end Node throws the rest away.
    if (!writes) this.awaitBytes();
  }

  override start(operation: Operation): number | undefined {
    switch (operation.submission.code) {
      case OP.READ:
      case OP.READV:
        return this.#writes ? -ERRNO.EBADF : super.start(operation);
      case OP.WRITE:
      case OP.WRITEV:
      case OP.SEND_FILE:
        return this.#writes ? super.start(operation) : -ERRNO.EBADF;
      case OP.SHUTDOWN:
      case OP.LOCAL_ADDRESS:
      case OP.PEER_ADDRESS:
      case OP.SET_OPTION:
      case OP.GET_OPTION:
        return -ERRNO.ENOTSOCK;
      default:
        return super.start(operation);
    }
  }
}
