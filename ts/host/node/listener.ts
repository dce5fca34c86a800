//! A listening socket on node:net. Node accepts whenever a peer connects and cannot be told to
//! wait, so the queue that the kernel would keep is kept here, with the same bound: the backlog. A
//! peer beyond it is reset, where the kernel would let it try again.

import type { AddressInfo, Server } from "node:net";
import { ADDRESS, ERRNO, OP } from "../../abi.gen.ts";
import { writeEndpoint } from "../resources/endpoint.ts";
import { errnoOf } from "../resources/errno.ts";
import type { Operation } from "../resources/operation.ts";
import { type Context, oldest, type Resource } from "../resources/resource.ts";
import { endpointOf } from "./address.ts";
import { Connection } from "./connection.ts";

export class Listener implements Resource {
  readonly #context: Context;
  readonly #server: Server;
  readonly #accepts = new Set<Operation>();
  #queue: Connection[] = [];

  /** @param server - Listening, with `pauseOnConnect`. */
  constructor(context: Context, server: Server, backlog: number) {
    this.#context = context;
    this.#server = server;
    server.unref();
    server.on("connection", (socket) => {
      if (this.#queue.length >= backlog) {
        socket.resetAndDestroy();
        return;
      }
      this.#queue.push(new Connection(context, socket));
      this.#pump();
    });
    server.on("error", (error) => {
      const accept = oldest(this.#accepts);
      if (accept !== undefined) this.#end(accept, -errnoOf(error));
    });
  }

  start(operation: Operation): number | undefined {
    const { code, pointer } = operation.submission;
    switch (code) {
      case OP.ACCEPT:
        if (pointer !== 0 && !this.#context.ring.inRange(pointer, ADDRESS.size)) {
          return -ERRNO.EFAULT;
        }
        operation.owner = this;
        this.#accepts.add(operation);
        this.#pump();
        return undefined;
      case OP.LOCAL_ADDRESS: {
        const { address, port } = this.#server.address() as AddressInfo;
        return writeEndpoint(this.#context.ring, pointer, endpointOf(address, port));
      }
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
    this.#end(operation, -ERRNO.ECANCELED);
  }

  close(): number {
    for (const accept of this.#accepts) this.#finish(accept, -ERRNO.EBADF);
    this.#accepts.clear();
    for (const connection of this.#queue) connection.close();
    this.#queue = [];
    this.#server.close();
    return 0;
  }

  #pump(): void {
    for (let accept = oldest(this.#accepts); accept; accept = oldest(this.#accepts)) {
      const result = this.#tryAccept(accept.submission.pointer);
      if (result === undefined) break;
      this.#end(accept, result);
    }
    this.#keepAlive();
  }

  /** The result of an ACCEPT, or undefined when it has to wait. */
  #tryAccept(pointer: number): number | undefined {
    // Without room the connection stays in the queue, for an ACCEPT after a CLOSE.
    if (this.#context.handles.full) return -ERRNO.EMFILE;
    const connection = this.#queue.shift();
    if (connection === undefined) return undefined;
    if (pointer !== 0) writeEndpoint(this.#context.ring, pointer, connection.peer);
    return this.#context.handles.insert(connection);
  }

  #end(accept: Operation, result: number): void {
    this.#accepts.delete(accept);
    this.#finish(accept, result);
    this.#keepAlive();
  }

  #keepAlive(): void {
    if (this.#accepts.size > 0) this.#server.ref();
    else this.#server.unref();
  }

  #finish(operation: Operation, result: number): void {
    this.#context.operations.finish(operation, result);
  }
}
