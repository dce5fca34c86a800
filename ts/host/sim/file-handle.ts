//! An open file as a guest's handle.
//!
//! Positioned operations run side by side. READ and WRITE share the file's position and therefore
//! run one after the other, in the order of submission.

import { ERRNO, OP } from "../../abi.gen.ts";
import type { OpenRequest } from "../resources/open-request.ts";
import type { Operation } from "../resources/operation.ts";
import { refusedByFile } from "../resources/refusals.ts";
import { TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import { DiskHandle } from "./disk-handle.ts";
import type { FileNode } from "./disk-node.ts";
import { FILE_BYTES_MAX } from "./file-content.ts";
import type { SimContext } from "./sim-backend.ts";

export class FileHandle extends DiskHandle {
  readonly #node: FileNode;
  readonly #request: OpenRequest;
  #position = 0;

  constructor(context: SimContext, node: FileNode, path: string, request: OpenRequest) {
    super(context, path);
    this.#node = node;
    this.#request = request;
    node.opened();
  }

  override start(operation: Operation): number | undefined {
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
        return this.startSync(operation);
      default:
        return refusedByFile(code);
    }
  }

  override close(): number {
    const result = super.close();
    this.#node.closed();
    return result;
  }

  #startTransfer(operation: Operation, inLane: boolean): number | undefined {
    const buffers = this.context.ring.buffers(operation.submission);
    if (typeof buffers === "number") return buffers;
    if (buffers.bytes === 0) return 0;
    operation.buffers = buffers;
    if (inLane) this.beginInLane(operation);
    else this.begin(operation);
    return undefined;
  }

  protected override happens(operation: Operation): number {
    const { code } = operation.submission;
    if (code === OP.FSYNC)
      return this.performed("sync", () => {
        this.#node.sync();
        return 0;
      });
    const write = isWrite(code);
    if (!(write ? this.#request.write : this.#request.read)) return -ERRNO.EBADF;
    return this.performed(write ? "write" : "read", () =>
      write ? this.#write(operation) : this.#read(operation),
    );
  }

  #read(operation: Operation): number {
    const { content } = this.#node;
    const { ring, files } = this.context;
    const offset = this.#offsetOf(operation);
    const there = Math.min(operation.buffers.bytes, TRANSFER_BYTES_MAX, content.size - offset);
    if (there <= 0) return 0;
    const count = files.perhapsLess(there, files.options().shortReads);
    if (count < there) this.tellFault("short read");
    for (let done = 0; done < count; ) {
      const piece = content.peek(offset + done, count - done);
      ring.scatter(piece, operation.buffers, done);
      done += piece.length;
    }
    this.#moveTo(operation, offset + count);
    return count;
  }

  #write(operation: Operation): number {
    const { content } = this.#node;
    const { ring, files } = this.context;
    // Linux appends whatever the offset.
    const offset = this.#request.append ? content.size : this.#offsetOf(operation);
    const asked = Math.min(operation.buffers.bytes, TRANSFER_BYTES_MAX, FILE_BYTES_MAX - offset);
    if (asked <= 0) return -ERRNO.EFBIG;
    const count = files.perhapsLess(asked, files.options().shortWrites);
    if (count < asked) this.tellFault("short write");
    const data = new Uint8Array(count);
    ring.gather(operation.buffers, data);
    const written = content.write(data, offset);
    if (written < count) this.tellFault("ENOSPC");
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
}

function isWrite(code: number): boolean {
  return code === OP.WRITE || code === OP.WRITEV || code === OP.PWRITE;
}
