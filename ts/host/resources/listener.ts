//! A listening socket of a backend written in JavaScript: the ACCEPTs that wait, and the connections
//! that came and that no ACCEPT has taken yet. How they come is the host's part.

import { ADDRESS, ERRNO, OP } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { writeEndpoint } from "./endpoint.ts";
import type { Operation } from "./operation.ts";
import { refusedBySocket } from "./refusals.ts";
import { type Context, oldest, type Resource } from "./resource.ts";
import type { SocketOptions } from "./socket-options.ts";
import type { StreamResource } from "./stream.ts";

/** Linux's default net.core.somaxconn: how many connections a guest can make the host hold. */
const BACKLOG_MAX = 4096;

/** What LISTEN asks for, as it is granted: at least one. */
export function backlogOf(operation: Operation): number {
  return Math.min(Math.max(operation.submission.argument, 1), BACKLOG_MAX);
}

export abstract class ListenerBase<Shared extends Context = Context> implements Resource {
  protected readonly context: Shared;
  /** Connections that no ACCEPT has taken, the oldest first. Added to by the host's part. */
  protected readonly queue: StreamResource[] = [];
  readonly #accepts = new Set<Operation>();

  constructor(context: Shared) {
    this.context = context;
  }

  protected abstract readonly local: Endpoint | undefined;
  /** Connections that are accepted inherit them. */
  protected abstract readonly options: SocketOptions;
  /** An ACCEPT waits: `pump` is to be called when the queue has grown. */
  protected abstract awaitConnection(): void;
  /** Lets go of the socket. As `Resource.close`. */
  protected abstract release(): number | Promise<number>;
  /** Whether the socket is to keep the host's event loop alive. */
  protected abstract keepAlive(waiting: boolean): void;

  start(operation: Operation): number | undefined {
    const { code, pointer } = operation.submission;
    switch (code) {
      case OP.ACCEPT:
        if (pointer !== 0 && !this.context.ring.inRange(pointer, ADDRESS.size)) {
          return -ERRNO.EFAULT;
        }
        operation.owner = this;
        this.#accepts.add(operation);
        this.pump();
        return undefined;
      case OP.LOCAL_ADDRESS:
        return writeEndpoint(this.context.ring, pointer, this.local);
      case OP.SET_OPTION:
      case OP.GET_OPTION:
        return this.options.start(this.context.ring, operation.submission);
      case OP.READ:
      case OP.READV:
      case OP.WRITE:
      case OP.WRITEV:
      case OP.SEND_FILE:
      case OP.SHUTDOWN:
      case OP.PEER_ADDRESS:
        return -ERRNO.ENOTCONN;
      default:
        return refusedBySocket(code);
    }
  }

  cancel(operation: Operation): void {
    this.#end(operation, -ERRNO.ECANCELED);
  }

  close(): number | Promise<number> {
    for (const accept of this.#accepts) this.#finish(accept, -ERRNO.EBADF);
    this.#accepts.clear();
    this.discardQueue();
    return this.release();
  }

  /** The connection that has waited longest, if there is one. */
  protected nextConnection(): StreamResource | undefined {
    return this.queue.shift();
  }

  /** Ends the connections that nobody accepted. */
  protected discardQueue(): void {
    for (const connection of this.queue.splice(0)) void connection.close();
  }

  protected pump(): void {
    for (let accept = oldest(this.#accepts); accept; accept = oldest(this.#accepts)) {
      const result = this.#tryAccept(accept.submission.pointer);
      if (result === undefined) {
        this.awaitConnection();
        break;
      }
      this.#end(accept, result);
    }
    this.#keepAlive();
  }

  /** Accepting failed for the ACCEPT that has waited longest. */
  protected fail(errno: number): void {
    const accept = oldest(this.#accepts);
    if (accept !== undefined) this.#end(accept, -errno);
  }

  /** The result of an ACCEPT, or undefined when it has to wait. */
  #tryAccept(pointer: number): number | undefined {
    // Without room the connection stays in the queue, for an ACCEPT after a CLOSE.
    if (this.context.handles.full) return -ERRNO.EMFILE;
    const connection = this.nextConnection();
    if (connection === undefined) return undefined;
    connection.options.inherit(this.options);
    if (pointer !== 0) writeEndpoint(this.context.ring, pointer, connection.origin);
    return this.context.handles.insert(connection);
  }

  #end(accept: Operation, result: number): void {
    this.#accepts.delete(accept);
    this.#finish(accept, result);
    this.#keepAlive();
  }

  #keepAlive(): void {
    this.keepAlive(this.#accepts.size > 0);
  }

  #finish(operation: Operation, result: number): void {
    this.context.operations.finish(operation, result);
  }
}
