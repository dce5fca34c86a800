//! The backend that every Node has: node:net and node:fs behind the rings. It does its I/O from
//! Node's event loop and therefore never waits in `turn`.

import { ERRNO, OP } from "../../abi.gen.ts";
import { assert } from "../../assert.ts";
import { StackfulError } from "../../errors.ts";
import { SYSTEM } from "../../guest/environment.ts";
import type { Backend, BackendOptions, BackendStats, Grants } from "../backend.ts";
import { checkEndpointGrant, type Directory } from "../grants.ts";
import { GuestRing, type Submission } from "../ring.ts";
import { HANDLES_LIMIT, HandleTable } from "./handle-table.ts";
import { openDirectories, startOpen } from "./open-file.ts";
import { startConnect, startListen } from "./open-socket.ts";
import { type Operation, Operations } from "./operation.ts";
import type { Context, Resource } from "./resource.ts";

/** Operations the host keeps for a guest. At the limit the rest stays in the bounded ring. */
const PENDING_MAX = 2 ** 20;

const OPCODE_MAX = Math.max(...Object.values(OP));

/**
 * Opens the backend built on node:net and node:fs.
 *
 * @throws {StackfulError} `SF_IO` when a granted directory does not exist.
 * @throws {RangeError} when `handlesMax` is not an integer from 0 to 2^20, or a granted port not
 *   one from 0 to 65535.
 * @throws {TypeError} when a granted address has neither 4 bytes nor 16, or a path is not one.
 */
export async function openNodeBackend({ grants, handlesMax }: BackendOptions): Promise<Backend> {
  if (!Number.isInteger(handlesMax) || handlesMax < 0 || handlesMax > HANDLES_LIMIT) {
    throw new RangeError(`handlesMax: ${handlesMax} is not an integer from 0 to ${HANDLES_LIMIT}`);
  }
  for (const grant of [...(grants.connect ?? []), ...(grants.listen ?? [])]) {
    checkEndpointGrant(grant);
  }
  return new NodeBackend(grants, await openDirectories(grants.directories), handlesMax);
}

class NodeBackend implements Backend {
  readonly name = "node";
  readonly environment = SYSTEM;
  readonly canWait = false;
  /** JavaScript cannot reach the pages behind a memory. */
  readonly canDiscard = false;
  /** All of its I/O comes from there. */
  readonly hostLoopReady = true;
  readonly turnHostLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  onReady: () => void = () => {};
  readonly #stats: BackendStats = {
    turns: 0,
    nativeCalls: 0,
    systemCalls: 0,
    submissions: 0,
    completions: 0,
  };
  readonly #grants: Grants;
  readonly #directories: readonly Directory[];
  readonly #context: Context;
  readonly #operations: Operations;
  readonly #handles: HandleTable<Resource>;
  readonly #ring = new GuestRing();
  #inTurn = false;
  /** Set from the first completion until the next `turn`, so that one batch rings once. */
  #doorbell: NodeJS.Immediate | undefined;
  #disposed = false;
  #disposal: Promise<void> | undefined;

  constructor(grants: Grants, directories: readonly Directory[], handlesMax: number) {
    this.#grants = grants;
    this.#directories = directories;
    this.#operations = new Operations(() => this.#ringDoorbell());
    this.#handles = new HandleTable(handlesMax);
    this.#context = {
      ring: this.#ring,
      handles: this.#handles,
      operations: this.#operations,
    };
  }

  get stats(): Readonly<BackendStats> {
    return this.#stats;
  }

  get pending(): number {
    return this.#operations.pending;
  }

  get handlesOpen(): number {
    return this.#handles.open;
  }

  bind(memory: WebAssembly.Memory, shared: number): void {
    this.#assertOpen("bind");
    this.#ring.bind(memory, shared);
  }

  turn(_waitNs: number): number {
    this.#assertOpen("turn");
    assert(this.#ring.bound, "bind comes before the first turn");
    this.#stats.turns++;
    clearImmediate(this.#doorbell);
    this.#doorbell = undefined;
    this.#inTurn = true; // What finishes at once is delivered below and needs no doorbell.
    const room = PENDING_MAX - this.#operations.pending;
    this.#stats.submissions += this.#ring.take(room, (submission) => this.#start(submission));
    const delivered = this.#operations.deliver(this.#ring);
    this.#stats.completions += delivered;
    this.#inTurn = false;
    // No room for the rest: ask for another turn, by which the guest may have made some.
    if (this.#operations.undelivered > 0) this.#ringDoorbell();
    return delivered;
  }

  discard(_ranges: Uint32Array): number {
    return 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    clearImmediate(this.#doorbell);
    this.#operations.cancelAll();
    await this.#closeHandles();
    await this.#operations.idle();
    // An OPEN that was past recall has made a handle meanwhile.
    await this.#closeHandles();
    this.#operations.discard();
  }

  async #closeHandles(): Promise<void> {
    await Promise.all(this.#handles.clear().map((resource) => resource.close()));
  }

  #start(submission: Submission): void {
    if (submission.code === OP.CANCEL) {
      this.#operations.cancel(submission.token);
      return;
    }
    const operation = this.#operations.add(submission);
    const result = this.#tryStart(operation);
    if (result !== undefined) this.#operations.finish(operation, result);
  }

  /** The operation's result, or undefined when it is finished elsewhere. */
  #tryStart(operation: Operation): number | undefined {
    const { code, handle } = operation.submission;
    if (code === 0 || code > OPCODE_MAX) return -ERRNO.ENOSYS;
    switch (code) {
      case OP.LISTEN:
        return startListen(this.#context, this.#grants.listen, operation);
      case OP.CONNECT:
        return startConnect(this.#context, this.#grants.connect, operation);
      case OP.OPEN:
        void startOpen(this.#context, this.#directories, operation);
        return undefined;
      case OP.CLOSE:
        return this.#close(operation);
      default: {
        const resource = this.#handles.get(handle);
        return resource === undefined ? -ERRNO.EBADF : resource.start(operation);
      }
    }
  }

  /** The handle is gone at once, whatever the host still has to do. Nothing cancels a CLOSE. */
  #close(operation: Operation): number | undefined {
    const closing = this.#handles.remove(operation.submission.handle)?.close() ?? -ERRNO.EBADF;
    if (typeof closing === "number") return closing;
    void closing.then((result) => this.#operations.finish(operation, result));
    return undefined;
  }

  /**
   * An immediate runs after everything the event loop's poll phase brought, so that one turn takes
   * it all. It keeps the loop alive, as completions that are not delivered must.
   */
  #ringDoorbell(): void {
    if (this.#inTurn || this.#doorbell !== undefined || this.#disposed) return;
    this.#doorbell = setImmediate(() => this.onReady());
  }

  #assertOpen(what: string): void {
    if (this.#disposed) {
      throw new StackfulError("SF_DISPOSED", `${what}: the backend was disposed`);
    }
  }
}
