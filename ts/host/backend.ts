//! The interface between the turn loop and host I/O.
//!
//! A backend takes submissions from the ring in guest memory and puts completions back into it
//! (layouts: wasm/include/stackful/abi.h). test/conformance/ is this interface's specification: a
//! new backend must pass it.

import type { Environment } from "../guest/environment.ts";
import type { Capability } from "./capability.ts";
import type { Driver } from "./driver.ts";

/** "none": no I/O at all, only tasks, timers, channels and host imports. */
export type BackendName =
  | "uring"
  | "epoll"
  | "kqueue"
  | "poll"
  | "iocp"
  | "node"
  | "deno"
  | "sim"
  | "none";

/** Opens a backend for a runtime: a host of a simulated world, for instance. */
export interface BackendProvider {
  open(options: BackendOptions): Promise<Backend>;
}

export interface BackendStats {
  /** Calls of `turn`. */
  turns: number;
  /** Calls that crossed into native code; 0 for a JavaScript backend. */
  nativeCalls: number;
  /** System calls made to submit, reap or wait; 0 where the backend cannot know. */
  systemCalls: number;
  /** Submissions taken, CANCEL included. */
  submissions: number;
  /** Completions delivered. */
  completions: number;
}

/** What a guest may reach. Nothing that is not listed; an empty object grants nothing. */
export interface Grants {
  /** Host directories the guest sees, by guest path. */
  readonly directories?: readonly DirectoryGrant[];
  /** Endpoints the guest may connect to, and send datagrams to. */
  readonly connect?: readonly EndpointGrant[];
  /** Local endpoints the guest may listen on, and bind UDP sockets to. */
  readonly listen?: readonly EndpointGrant[];
  /**
   * Names: what the host's resolver is configured with (RESOLVER) and what it knows (LOOKUP), datagrams
   * and connections to the name servers of that configuration, and a UDP socket on any free port to ask
   * them from. True: as the host has it.
   */
  readonly dns?: true | DnsGrant;
  /** Which of its own streams the host shares (STDIO). */
  readonly stdio?: StdioGrant;
  /**
   * Programs that the guest may start (SPAWN). A child is outside of everything else that is granted: it can do
   * what the host's own process can, with the arguments that the guest gives it, and many programs can be told
   * to start others. True: any program, by its path or by a name in the host's PATH, with any environment.
   */
  readonly processes?: true | ProcessGrant;
}

export interface ProcessGrant {
  /** Absolute paths on the host. The guest names one of them so, or by the last part of its path alone. */
  readonly programs: readonly string[];
  /**
   * Names of the variables that the guest may give to them, whose values it chooses; nothing of the host's own is
   * passed on. Some make a program load code: LD_PRELOAD, NODE_OPTIONS. True: any. Default: none.
   */
  readonly environment?: true | readonly string[];
}

/** By number: 0 input, 1 output, 2 errors. True: all of them. */
export type StdioGrant = true | readonly (0 | 1 | 2)[];

export interface DnsGrant {
  /** In place of the name servers of the configuration. The first three count, as in any. */
  readonly servers?: readonly NameServer[];
  /**
   * Text of resolv.conf(5). A name server may be written with a port: "[127.0.0.1]:5353"; one with a zone
   * is left out. Default: the host's.
   */
  readonly configuration?: string;
  /** Text of hosts(5). Default: the host's. */
  readonly hosts?: string;
}

export interface NameServer {
  /** The address in network order: 4 bytes or 16. */
  readonly bytes: Uint8Array;
  /** 1 to 65535. Default 53. */
  readonly port?: number;
}

export interface DirectoryGrant {
  /** Existing directory on the host. */
  readonly host: string;
  /** Where the guest sees it: "/data", ".", … Opens resolve to the longest prefix. */
  readonly guest: string;
  /**
   * The guest may not create, write or truncate. WASI calls do not see the directory then: node:wasi
   * cannot open one for reading alone. Default false.
   */
  readonly readOnly?: boolean;
}

export interface EndpointGrant {
  /** The address in network order: 4 bytes or 16. Absent: any address of either family. */
  readonly bytes?: Uint8Array;
  /** 0 to 65535. Absent: any port. */
  readonly port?: number;
}

/** What a guest may do with a descriptor that the embedder gives it, and whose it is. */
export interface AdoptOptions {
  /**
   * Whether the guest may read and write too, and do all else that one may do with what it is: a socket, a
   * pipe, a device, a file. It does not block any more then, for whoever shares it. Default false: the guest
   * can wait until it is ready (`sf_poll`), and close its handle.
   */
  readonly transfers?: boolean;
  /**
   * Whether the descriptor is the guest's from here on: closing the handle, or disposing the runtime, closes
   * it. Default false: the handle has a duplicate, and `fd` stays the embedder's, who may close it at any time.
   */
  readonly owned?: boolean;
}

export interface BackendOptions {
  readonly grants: Grants;
  /** Handles open at once; an operation that would open one more fails with EMFILE. */
  readonly handlesMax: number;
  /**
   * Of a pool: backends with the same one adopt what each other has released (RELEASE, ADOPT).
   * Default: one of its own.
   */
  readonly pool?: Uint8Array | undefined;
}

/**
 * Completion-based host I/O (a proactor). One backend serves one runtime on one thread.
 *
 * Every submission completes exactly once, with a result >= 0 or a negated errno; CANCEL alone has
 * no completion. A cancelled operation completes with -ECANCELED, or with the result that won the
 * race. Closing a handle ends the operations in flight on it with -EBADF before it completes.
 * Pointers, lengths and handles come from an untrusted guest: what does not fit its memory
 * completes with -EFAULT, a handle it does not own with -EBADF, an unknown operation with -ENOSYS.
 */
export interface Backend {
  readonly name: BackendName;
  readonly stats: Readonly<BackendStats>;

  /** The guest's clocks and random numbers. */
  readonly environment: Environment;

  /** Who drives the runtime's loop. Absent: the loop goes by the host's clock and event loop. */
  readonly driver?: Driver;

  /** How it performs an operation. `code`: one of OP. */
  capability(code: number): Capability;

  /** Submissions taken and not yet delivered as completions. */
  readonly pending: number;

  /**
   * Names the guest's memory and the address of its `sf_shared` block. Called once before the first
   * `turn` and again whenever the memory has grown. Buffers of operations in flight stay valid.
   */
  bind(memory: WebAssembly.Memory, shared: number): void;

  /**
   * Takes every submission in the ring, starts it, and puts finished operations into the completion
   * ring, as many as it has room for. Never throws for what a guest wrote into the ring.
   *
   * @param waitNs - Longest time to block in the kernel when nothing is finished, in nanoseconds:
   *   0 never blocks, Infinity waits for the next completion. A backend without `canWait` ignores
   *   it. A signal, or activity on the host's own event loop, ends the wait early.
   * @returns completions delivered.
   */
  turn(waitNs: number): number;

  /**
   * Makes the transfer at once that stands in the ring's next place, behind the last submission, if it
   * need not wait, for nothing that is under way or submitted on its handle either. Absent: the
   * host cannot.
   *
   * @returns its result; -EAGAIN when it has to be submitted. The record is never taken.
   */
  attempt?(): number;

  /** Whether `turn` can block in the kernel. */
  readonly canWait: boolean;

  /** After a `turn` that waited: whether the host's own event loop has something to do. */
  readonly hostLoopReady: boolean;

  /** Lets the host's event loop go once around: what is due in it has run when this resolves. */
  turnHostLoop(): Promise<void>;

  /**
   * Called from the host's event loop, at most once until the next `turn`, when there may be
   * completions to deliver. Set by the turn loop. Operations in flight keep the host's event loop
   * alive; an idle backend does not.
   */
  onReady: () => void;

  /** Whether `discard` gives anything back. */
  readonly canDiscard: boolean;

  /**
   * Gives pages of the guest's memory back to the operating system. Of every range the whole pages go:
   * they read as zero afterwards, and cost memory again once they are written. What else there is in a
   * range stays as it is, and so does everything with a backend without `canDiscard`.
   *
   * No buffer of an operation in flight may lie in a range: what the operation moves could be lost.
   *
   * @param ranges - address and length by turns, in bytes, of any alignment.
   * @returns bytes discarded; 0 without `canDiscard`.
   * @throws {RangeError} a range is not in the memory that is bound; nothing was discarded.
   * @throws {StackfulError} `SF_IO` when the system refuses a range; those before it were discarded.
   */
  discard(ranges: Uint32Array): number;

  /**
   * Gives the guest a handle for a descriptor of the embedder's. Absent: the host cannot.
   *
   * @throws {StackfulError} `SF_IO`, with the errno.
   */
  adoptDescriptor?(fd: number, options: AdoptOptions): number;

  /**
   * RELEASE, for the embedder: the token, as bytes. Absent: the host cannot.
   *
   * @throws {StackfulError} `SF_IO`, with the errno.
   */
  releaseHandle?(handle: number): Uint8Array;

  /**
   * ADOPT, for the embedder: the handle. Absent: the host cannot.
   *
   * @throws {StackfulError} `SF_IO`, with the errno.
   */
  adoptHandle?(token: Uint8Array): number;

  /** Flags of the host's sandbox that operations have lacked. Absent: it knows of none. */
  readonly permissionsMissing?: readonly string[];

  /** Handles that are open. */
  readonly handlesOpen: number;

  /** Cancels what is in flight, waits for it, closes every handle, frees host resources. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}
