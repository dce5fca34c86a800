//! An open file as a guest's handle.
//!
//! Positioned operations run side by side. READ, WRITE and SEEK share the file's position and therefore
//! run one after the other, in the order of submission.

import { ERRNO, OP, SEEK } from "../../abi.gen.ts";
import { bytesToCopy } from "../resources/copy-range.ts";
import type { OpenRequest } from "../resources/open-request.ts";
import type { Operation } from "../resources/operation.ts";
import type { PathRequest } from "../resources/path-request.ts";
import { refusedByFile } from "../resources/refusals.ts";
import { TRANSFER_BYTES_MAX } from "../resources/resource.ts";
import { DiskHandle, type OpenDescription } from "./disk-handle.ts";
import type { FileNode } from "./disk-node.ts";
import { CallEvent } from "./event-queue.ts";
import { FILE_BYTES_MAX, type FileContent } from "./file-content.ts";
import { performOnNode } from "./node-operations.ts";
import type { Shareable } from "./shareable.ts";
import type { SimContext } from "./sim-backend.ts";

export class FileHandle extends DiskHandle implements Shareable {
  readonly #node: FileNode;
  readonly #request: OpenRequest;
  /** COPYs from here, each with where to. */
  readonly #copies = new Map<Operation, FileHandle>();

  constructor(
    context: SimContext,
    node: FileNode,
    path: string,
    request: OpenRequest,
    description?: OpenDescription,
  ) {
    super(context, path, node.locks, description);
    this.#node = node;
    this.#request = request;
    node.opened();
  }

  share(context: SimContext): FileHandle {
    return new FileHandle(context, this.#node, this.path, this.#request, this.description);
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
      case OP.PREADV:
      case OP.PWRITEV:
        return offset < 0 ? -ERRNO.EINVAL : this.#startTransfer(operation, false);
      case OP.FSYNC:
        return this.startSync(operation);
      case OP.SEEK:
        return this.#startSeek(operation);
      case OP.ALLOCATE:
        return this.#startAllocate(operation);
      case OP.LOCK:
        return this.startLock(operation);
      case OP.COPY:
        return this.#startCopy(operation);
      default:
        return refusedByFile(code);
    }
  }

  override get readOnly(): boolean {
    return this.#request.located.directory.readOnly;
  }

  protected override performPath(request: PathRequest): number {
    if (request.code === OP.TRUNCATE && !this.#request.write) return -ERRNO.EINVAL;
    return performOnNode(this.context, request, this.#node);
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

  #startSeek(operation: Operation): number | undefined {
    const { argument, otherPointer } = operation.submission;
    if (argument > SEEK.END) return -ERRNO.EINVAL;
    if (!this.context.ring.inRange(otherPointer, 8)) return -ERRNO.EFAULT;
    this.beginInLane(operation);
    return undefined;
  }

  #startAllocate(operation: Operation): number | undefined {
    const { offset, otherOffset } = operation.submission;
    if (offset < 0 || otherOffset <= 0) return -ERRNO.EINVAL;
    if (offset + otherOffset > FILE_BYTES_MAX) return -ERRNO.EFBIG;
    this.begin(operation);
    return undefined;
  }

  #startCopy(operation: Operation): number | undefined {
    const { offset, otherHandle, otherOffset } = operation.submission;
    if (offset < 0 || otherOffset < 0) return -ERRNO.EINVAL;
    const to = this.context.handles.get(otherHandle);
    if (to === undefined) return -ERRNO.EBADF;
    if (!(to instanceof FileHandle)) {
      return to.directory === undefined ? -ERRNO.EINVAL : -ERRNO.EISDIR;
    }
    if (!this.#request.read || !to.#request.write || to.#request.append) return -ERRNO.EBADF;
    to.#node.opened();
    this.#copies.set(operation, to);
    this.begin(operation);
    return undefined;
  }

  protected override syncs(operation: Operation): boolean {
    const { code } = operation.submission;
    const to = code === OP.COPY ? this.#copies.get(operation) : this;
    const writes = isWrite(code) || code === OP.COPY;
    return super.syncs(operation) || (writes && to!.#request.sync);
  }

  /** Its target was held open. */
  protected override over(operation: Operation): void {
    const to = this.#copies.get(operation);
    if (to !== undefined) to.#node.closed();
    this.#copies.delete(operation);
  }

  readAt(offset: number, bytes: number, done: (read: Uint8Array | number) => void): void {
    const { network, files } = this.context;
    const { content } = this.#node;
    this.#node.opened();
    const end = new CallEvent(() => {
      let data = new Uint8Array(0);
      const result = !this.#request.read
        ? -ERRNO.EBADF
        : this.performed("read", () => {
            data = this.#bytesAt(content, offset, bytes);
            return data.length;
          });
      this.#node.closed();
      done(result < 0 ? result : data);
    });
    network.scheduler.after(files.delayNs(false), end);
  }

  protected override happens(operation: Operation): number | undefined {
    const { code } = operation.submission;
    if (code === OP.LOCK) return this.lock(operation);
    if (code === OP.SEEK) return this.#seek(operation);
    if (code === OP.ALLOCATE) return this.#allocate(operation);
    if (code === OP.COPY) return this.performed("write", () => this.#copy(operation));
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

  #seek({ submission }: Operation): number {
    const { argument, offset, otherPointer } = submission;
    const { size } = this.#node.content;
    const base =
      argument === SEEK.START ? 0 : argument === SEEK.END ? size : this.description.position;
    const position = base + offset;
    if (position < 0 || position > FILE_BYTES_MAX) return -ERRNO.EINVAL;
    this.description.position = position;
    this.context.ring.putInt64(otherPointer, position);
    return 0;
  }

  #allocate({ submission: { offset, otherOffset } }: Operation): number {
    if (!this.#request.write) return -ERRNO.EBADF;
    return this.performed("write", () => {
      if (this.#node.content.allocate(offset, otherOffset)) {
        this.#node.modified();
        return 0;
      }
      this.tellFault("ENOSPC");
      return -ERRNO.ENOSPC;
    });
  }

  #copy(operation: Operation): number {
    const { submission } = operation;
    const { content } = this.#node;
    const to = this.#copies.get(operation)!;
    const bytes = bytesToCopy(submission, content.size, to.#node === this.#node);
    if (bytes <= 0) return bytes;
    const data = this.#bytesAt(content, submission.offset, bytes);
    return to.#store(data, submission.otherOffset);
  }

  #read(operation: Operation): number {
    const offset = this.#offsetOf(operation);
    const data = this.#bytesAt(this.#node.content, offset, operation.buffers.bytes);
    this.context.ring.scatter(data, operation.buffers);
    if (data.length > 0) this.#moveTo(operation, offset + data.length);
    return data.length;
  }

  #write(operation: Operation): number {
    const { content } = this.#node;
    // Linux appends whatever the offset.
    const offset = this.#request.append ? content.size : this.#offsetOf(operation);
    const data = new Uint8Array(Math.min(operation.buffers.bytes, TRANSFER_BYTES_MAX));
    this.context.ring.gather(operation.buffers, data);
    const written = this.#store(data, offset);
    if (written > 0) this.#moveTo(operation, offset + written);
    return written;
  }

  /** At most `count` bytes; perhaps fewer. */
  #bytesAt(content: FileContent, offset: number, count: number): Uint8Array<ArrayBuffer> {
    const { files } = this.context;
    const there = Math.min(count, TRANSFER_BYTES_MAX, Math.max(0, content.size - offset));
    const bytes = files.perhapsLess(there, files.options().shortReads);
    if (bytes < there) this.tellFault("short read");
    return content.read(offset, bytes);
  }

  /** Returns how much was written, perhaps less than all, or a negated errno. */
  #store(data: Uint8Array, offset: number): number {
    const node = this.#node;
    const { files } = this.context;
    const asked = Math.min(data.length, FILE_BYTES_MAX - offset);
    if (asked <= 0) return -ERRNO.EFBIG;
    const count = files.perhapsLess(asked, files.options().shortWrites);
    if (count < asked) this.tellFault("short write");
    const written = node.content.write(data.subarray(0, count), offset);
    node.modified();
    if (this.#request.sync) node.sync();
    if (written < count) this.tellFault("ENOSPC");
    return written === 0 ? -ERRNO.ENOSPC : written;
  }

  #offsetOf({ submission: { code, offset } }: Operation): number {
    return isPositioned(code) ? offset : this.description.position;
  }

  #moveTo({ submission: { code } }: Operation, position: number): void {
    if (!isPositioned(code)) this.description.position = position;
  }
}

function isWrite(code: number): boolean {
  return code === OP.WRITE || code === OP.WRITEV || code === OP.PWRITE || code === OP.PWRITEV;
}

function isPositioned(code: number): boolean {
  return code === OP.PREAD || code === OP.PWRITE || code === OP.PREADV || code === OP.PWRITEV;
}
