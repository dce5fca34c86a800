//! A listener as a guest's handle: ACCEPTs in the order in which they came.

import { ADDRESS, ERRNO, OP } from "../../abi.gen.ts";
import { writeEndpoint } from "../resources/endpoint.ts";
import type { Operation } from "../resources/operation.ts";
import { oldest, type Resource } from "../resources/resource.ts";
import type { SimContext } from "./sim-backend.ts";
import { StreamHandle } from "./stream-handle.ts";
import type { TcpListener } from "./tcp.ts";

export class ListenerHandle implements Resource {
  readonly #context: SimContext;
  readonly #listener: TcpListener;
  readonly #accepts = new Set<Operation>();

  constructor(context: SimContext, listener: TcpListener) {
    this.#context = context;
    this.#listener = listener;
    listener.onConnection = () => this.#pump();
  }

  start(operation: Operation): number | undefined {
    const { code, pointer } = operation.submission;
    const { ring } = this.#context;
    switch (code) {
      case OP.ACCEPT: {
        if (pointer !== 0 && !ring.inRange(pointer, ADDRESS.size)) return -ERRNO.EFAULT;
        const result = this.#accepts.size === 0 ? this.#tryAccept(pointer) : undefined;
        if (result !== undefined) return result;
        operation.owner = this;
        this.#accepts.add(operation);
        return undefined;
      }
      case OP.LOCAL_ADDRESS:
        return writeEndpoint(ring, pointer, this.#listener.local);
      case OP.READ:
      case OP.READV:
      case OP.WRITE:
      case OP.WRITEV:
      case OP.SHUTDOWN:
      case OP.PEER_ADDRESS:
        return -ERRNO.ENOTCONN;
      case OP.PREAD:
      case OP.PWRITE:
        return -ERRNO.ESPIPE;
      default:
        return -ERRNO.EINVAL;
    }
  }

  cancel(operation: Operation): void {
    if (this.#accepts.delete(operation)) this.#finish(operation, -ERRNO.ECANCELED);
  }

  close(): number {
    for (const accept of this.#accepts) this.#finish(accept, -ERRNO.EBADF);
    this.#accepts.clear();
    this.#listener.close();
    return 0;
  }

  #pump(): void {
    for (let accept = oldest(this.#accepts); accept; accept = oldest(this.#accepts)) {
      const result = this.#tryAccept(accept.submission.pointer);
      if (result === undefined) return;
      this.#accepts.delete(accept);
      this.#finish(accept, result);
    }
  }

  /** The result of an ACCEPT, or undefined when it has to wait. */
  #tryAccept(pointer: number): number | undefined {
    const context = this.#context;
    // Without room the connection stays in the queue, for an ACCEPT after a CLOSE.
    if (context.handles.full) return -ERRNO.EMFILE;
    const socket = this.#listener.accept();
    if (socket === undefined) return undefined;
    if (context.network.observer.watched) socket.connection.tell("accept");
    if (pointer !== 0) writeEndpoint(context.ring, pointer, socket.peer);
    return context.handles.insert(new StreamHandle(context, socket));
  }

  #finish(operation: Operation, result: number): void {
    this.#context.operations.finish(operation, result);
  }
}
