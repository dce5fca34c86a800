//! An open file or directory as a guest's handle. An operation takes its time and then happens at
//! once: until then it can be canceled, and has not happened.
//!
//! Positioned operations run side by side. READ and WRITE share the file's position and therefore
//! run one after the other, in the order of submission.

import { ERRNO, OP } from "../../abi.gen.ts";
import type { OpenRequest } from "../resources/open-request.ts";
import type { Operation } from "../resources/operation.ts";
import { refusedByFile } from "../resources/refusals.ts";
import { oldest, type Resource, TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import type { DirectoryNode, FileNode } from "./disk-node.ts";
import { QueuedEvent } from "./event-queue.ts";
import { FILE_BYTES_MAX } from "./file-content.ts";
import type { SimContext } from "./sim-backend.ts";
import type { FaultEvent, FileEvent } from "./world-event.ts";

/** The end of an operation. */
class FileEnd extends QueuedEvent {
  readonly #handle: FileHandle;
  readonly operation: Operation;

  constructor(handle: FileHandle, operation: Operation) {
    super();
    this.#handle = handle;
    this.operation = operation;
  }

  override run(): void {
    this.#handle.happen(this.operation);
  }
}

export class FileHandle implements Resource {
  readonly #context: SimContext;
  readonly #node: FileNode | DirectoryNode;
  readonly #path: string;
  readonly #request: OpenRequest;
  /** Unfinished, each with its end when that is set. */
  readonly #ends = new Map<Operation, FileEnd | undefined>();
  /** READs and WRITEs at the file's own position; the oldest is running. */
  readonly #lane = new Set<Operation>();
  #position = 0;

  constructor(
    context: SimContext,
    node: FileNode | DirectoryNode,
    path: string,
    request: OpenRequest,
  ) {
    this.#context = context;
    this.#node = node;
    this.#path = path;
    this.#request = request;
  }

  start(operation: Operation): number | undefined {
    const { code, offset } = operation.submission;
    switch (code) {
      case OP.READ:
      case OP.READV:
      case OP.WRITE:
      case OP.WRITEV:
        return this.#startTransfer(operation, true);
      case OP.PREAD:
      case OP.PWRITE:
        return offset < 0 ? -ERRNO.EINVAL : this.#startTransfer(operation, false);
      case OP.FSYNC:
        operation.owner = this;
        this.#setEnd(operation);
        return undefined;
      default:
        return refusedByFile(code);
    }
  }

  cancel(operation: Operation): void {
    this.#end(operation, -ERRNO.ECANCELED);
  }

  close(): number {
    for (const operation of [...this.#ends.keys()].reverse()) this.#end(operation, -ERRNO.EBADF);
    return 0;
  }

  /** The operation's time has come. */
  happen(operation: Operation): void {
    this.#end(operation, this.#result(operation));
  }

  #startTransfer(operation: Operation, inLane: boolean): number | undefined {
    const buffers = this.#context.ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    if (buffers.bytes === 0) return 0;
    operation.buffers = buffers;
    operation.owner = this;
    if (inLane) {
      this.#lane.add(operation);
      if (this.#lane.size > 1) {
        this.#ends.set(operation, undefined);
        return undefined;
      }
    }
    this.#setEnd(operation);
    return undefined;
  }

  #setEnd(operation: Operation): void {
    const { network, files } = this.#context;
    const end = new FileEnd(this, operation);
    this.#ends.set(operation, end);
    network.scheduler.after(files.delayNs(operation.submission.code === OP.FSYNC), end);
  }

  #end(operation: Operation, result: number): void {
    const end = this.#ends.get(operation);
    if (!this.#ends.delete(operation)) return;
    if (end !== undefined) this.#context.network.scheduler.cancel(end);
    const ran = oldest(this.#lane) === operation;
    this.#lane.delete(operation);
    this.#context.operations.finish(operation, result);
    const next = ran ? oldest(this.#lane) : undefined;
    if (next !== undefined) this.#setEnd(next);
  }

  #result(operation: Operation): number {
    const { files } = this.#context;
    const { code } = operation.submission;
    const what = isWrite(code) ? "write" : code === OP.FSYNC ? "sync" : "read";
    let result: number;
    if (what !== "sync" && !(what === "read" ? this.#request.read : this.#request.write)) {
      result = -ERRNO.EBADF;
    } else if (files.fails()) {
      this.#tellFault("EIO");
      result = -ERRNO.EIO;
    } else if (what === "sync") {
      this.#node.sync();
      result = 0;
    } else if (this.#node.kind === "directory") {
      result = -ERRNO.EISDIR;
    } else {
      result = what === "read" ? this.#read(operation) : this.#write(operation, this.#node);
    }
    this.#tell(what, result);
    return result;
  }

  #read(operation: Operation): number {
    const { content } = this.#node as FileNode;
    const { ring, files } = this.#context;
    const offset = this.#offsetOf(operation);
    const there = Math.min(operation.buffers.bytes, TRANSFER_BYTES_MAX, content.size - offset);
    if (there <= 0) return 0;
    const count = files.perhapsLess(there, files.options().shortReads);
    if (count < there) this.#tellFault("short read");
    for (let done = 0; done < count; ) {
      const piece = content.peek(offset + done, count - done);
      ring.scatter(piece, operation.buffers, done);
      done += piece.length;
    }
    this.#moveTo(operation, offset + count);
    return count;
  }

  #write(operation: Operation, { content }: FileNode): number {
    const { ring, files } = this.#context;
    // Linux appends whatever the offset.
    const offset = this.#request.append ? content.size : this.#offsetOf(operation);
    const asked = Math.min(operation.buffers.bytes, TRANSFER_BYTES_MAX, FILE_BYTES_MAX - offset);
    if (asked <= 0) return -ERRNO.EFBIG;
    const count = files.perhapsLess(asked, files.options().shortWrites);
    if (count < asked) this.#tellFault("short write");
    const data = new Uint8Array(count);
    ring.gather(operation.buffers, data);
    const written = content.write(data, offset);
    if (written < count) this.#tellFault("ENOSPC");
    if (written === 0) return -ERRNO.ENOSPC;
    this.#moveTo(operation, offset + written);
    return written;
  }

  #offsetOf({ submission: { code, offset } }: Operation): number {
    return code === OP.PREAD || code === OP.PWRITE ? offset : this.#position;
  }

  #moveTo({ submission: { code } }: Operation, position: number): void {
    if (code !== OP.PREAD && code !== OP.PWRITE) this.#position = position;
  }

  #tell(what: FileEvent["what"], result: number): void {
    const { observer } = this.#context.network;
    if (!observer.watched) return;
    observer.tell({ type: "file", host: this.#context.host.name, what, path: this.#path, result });
  }

  #tellFault(fault: FaultEvent["fault"]): void {
    const { observer } = this.#context.network;
    if (observer.watched) observer.tell({ type: "fault", host: this.#context.host.name, fault });
  }
}

function isWrite(code: number): boolean {
  return code === OP.WRITE || code === OP.WRITEV || code === OP.PWRITE;
}
