//! What every backend written in JavaScript does: takes submissions from the ring, starts them,
//! delivers what has finished, and ends everything at its disposal. Never waits in `turn`.

import { ERRNO, OP } from "../../abi.gen.ts";
import { assert } from "../../assert.ts";
import { StackfulError } from "../../errors.ts";
import type { Environment } from "../../guest/environment.ts";
import type { Backend, BackendName, BackendOptions, BackendStats } from "../backend.ts";
import type { Capabilities, Capability } from "../capability.ts";
import { checkEndpointGrant } from "../grants.ts";
import { nextMacrotask } from "../macrotask.ts";
import { GuestRing, type Submission } from "../ring.ts";
import { HANDLES_LIMIT, HandleTable } from "./handle-table.ts";
import { type AppliedGrants, applyNames, type Names, readNames } from "./names.ts";
import { type Operation, Operations } from "./operation.ts";
import { isPathOperation } from "./path-request.ts";
import type { Context, Resource } from "./resource.ts";
import type { Sandbox } from "./sandbox.ts";
import { startTerminal } from "./standard.ts";

/** Operations the host keeps for a guest. At the limit the rest stays in the bounded ring. */
const PENDING_MAX = 2 ** 20;

export abstract class RingBackend implements Backend {
  abstract readonly name: BackendName;
  abstract readonly environment: Environment;
  readonly canWait = false;
  /** JavaScript cannot reach the pages behind a memory. */
  readonly canDiscard = false;
  /** All of its I/O comes from there. */
  readonly hostLoopReady = true;
  readonly turnHostLoop = (): Promise<void> => new Promise((resolve) => nextMacrotask(resolve));
  onReady: () => void = () => {};
  protected readonly context: Context;
  protected readonly grants: AppliedGrants;
  protected abstract readonly capabilities: Capabilities;
  readonly #stats: BackendStats = {
    turns: 0,
    nativeCalls: 0,
    systemCalls: 0,
    submissions: 0,
    completions: 0,
  };
  readonly #ring = new GuestRing();
  readonly #operations = new Operations(() => this.#notify());
  readonly #handles: HandleTable<Resource>;
  #inTurn = false;
  /** The doorbell rings once until the next `turn`. */
  #rung = false;
  #disposed = false;
  #disposal: Promise<void> | undefined;

  /**
   * @param parts.sandbox - Absent where the host has none.
   * @param parts.names - What `grants.dns` gives; absent: nothing.
   * @throws {RangeError} when `handlesMax` is not an integer from 0 to 2^20, or a granted port not
   *   one from 0 to 65535.
   * @throws {TypeError} when a granted address has neither 4 bytes nor 16.
   */
  constructor(
    { grants, handlesMax }: BackendOptions,
    {
      sandbox,
      names,
    }: { readonly sandbox?: Sandbox | undefined; readonly names?: Names | undefined } = {},
  ) {
    if (!Number.isInteger(handlesMax) || handlesMax < 0 || handlesMax > HANDLES_LIMIT) {
      throw new RangeError(`handlesMax: ${handlesMax} is not an integer up to ${HANDLES_LIMIT}`);
    }
    for (const grant of [...(grants.connect ?? []), ...(grants.listen ?? [])]) {
      checkEndpointGrant(grant);
    }
    this.grants = applyNames(grants, names);
    this.#handles = new HandleTable(handlesMax);
    this.context = {
      ring: this.#ring,
      handles: this.#handles,
      operations: this.#operations,
      sandbox,
      names,
    };
  }

  get stats(): Readonly<BackendStats> {
    return this.#stats;
  }

  get pending(): number {
    return this.#operations.pending;
  }

  get permissionsMissing(): readonly string[] {
    return this.context.sandbox?.missing ?? [];
  }

  get handlesOpen(): number {
    return this.#handles.open;
  }

  capability(code: number): Capability {
    return this.capabilities.get(code) ?? "unsupported";
  }

  bind(memory: WebAssembly.Memory, shared: number): void {
    this.#assertOpen("bind");
    this.#ring.bind(memory, shared);
  }

  turn(_waitNs: number): number {
    this.#assertOpen("turn");
    assert(this.#ring.bound, "bind comes before the first turn");
    this.#stats.turns++;
    if (this.#rung) this.silence();
    this.#rung = false;
    this.#inTurn = true; // What finishes at once is delivered below and needs no doorbell.
    const room = PENDING_MAX - this.#operations.pending;
    this.#stats.submissions += this.#ring.take(room, (submission) => this.#start(submission));
    const delivered = this.#operations.deliver(this.#ring);
    this.#stats.completions += delivered;
    this.#inTurn = false;
    if (this.#operations.undelivered > 0) {
      this.#rung = true;
      this.ringLater();
    }
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

  /**
   * Starts an operation that makes a handle, such as LISTEN, or works on paths; see `Resource.start` for the
   * result.
   */
  protected abstract startOpener(operation: Operation): number | undefined;

  /** Kills the child processes that are left, and waits for them. */
  protected async endChildren(): Promise<void> {}

  /** Asks the host's resolver. */
  protected startLookup(_operation: Operation): number | undefined {
    return -ERRNO.ENOSYS;
  }

  /** Something has finished: has `onReady` called, unless `silence` comes before. */
  protected abstract ring(): void;

  /** The same, when the completion ring has no room: the guest may have made some by then. */
  protected abstract ringLater(): void;

  /** Takes back a ring that is under way. */
  protected abstract silence(): void;

  #notify(): void {
    if (this.#inTurn || this.#rung || this.#disposed) return;
    this.#rung = true;
    this.ring();
  }

  async #dispose(): Promise<void> {
    this.silence();
    this.#operations.cancelAll();
    await this.#closeHandles();
    await this.#operations.idle();
    // An OPEN that was past recall has made a handle meanwhile.
    await this.#closeHandles();
    await this.endChildren();
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
    if (this.capability(code) === "unsupported") return -ERRNO.ENOSYS;
    if (isPathOperation(code)) return this.startOpener(operation);
    switch (code) {
      case OP.LISTEN:
      case OP.CONNECT:
      case OP.UDP_BIND:
      case OP.OPEN:
      case OP.UNIX_LISTEN:
      case OP.UNIX_CONNECT:
      case OP.UNIX_BIND:
      case OP.UNIX_SEND_TO:
      case OP.SOCKET_PAIR:
      case OP.PIPE:
      case OP.STDIO:
      case OP.SPAWN:
        return this.startOpener(operation);
      case OP.RESOLVER:
        return readNames(this.context, operation.submission);
      case OP.LOOKUP:
        return this.startLookup(operation);
      case OP.CLOSE:
        return this.#close(operation);
      default: {
        const resource = this.#handles.get(handle);
        if (resource === undefined) return -ERRNO.EBADF;
        if (code === OP.TERMINAL_SIZE || code === OP.TERMINAL_MODE) {
          return startTerminal(this.context, operation, resource.terminal);
        }
        return resource.start(operation);
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

  #assertOpen(what: string): void {
    if (this.#disposed) {
      throw new StackfulError("SF_DISPOSED", `${what}: the backend was disposed`);
    }
  }
}
