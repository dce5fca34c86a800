//! What an embedder can choose, with every default.

import type { StackfulError } from "../errors.ts";
import type { HostImports } from "../guest/host-imports.ts";
import type {
  BackendName,
  BackendProvider,
  DirectoryGrant,
  ProcessGrant,
} from "../host/backend.ts";

export interface Limits {
  /** Tasks alive at once; `spawn` fails above it. 1 to 2 ** 32 - 1. @defaultValue 100000 */
  readonly tasksMax: number;
  /**
   * Stack of a task that names no size, in bytes: C stack and saved frames together. Where the linker
   * could tell what the task needs at most it gets that instead. Rounded up to a
   * power of two, 1 KiB to 8 MiB. Pages that are not touched cost nothing. @defaultValue 16384
   */
  readonly stackBytes: number;
  /** The same for `main`. @defaultValue 1048576 */
  readonly mainStackBytes: number;
  /**
   * How large the guest's own memory (data, heap) can grow, in bytes. Address space is set aside for
   * it; tasks live above. @defaultValue 268435456
   */
  readonly guestMemoryBytes: number;
  /** Sockets and files open at once. 1 to 2 ** 20. @defaultValue 65536 */
  readonly handlesMax: number;
  /** Calls of `runtime.blocking` at once, each on a thread. 1 to 1024. @defaultValue 4 */
  readonly blockingThreads: number;
  /** Longest stretch that a turn holds the host's event loop, in milliseconds. @defaultValue 1 */
  readonly turnMs: number;
  /** How long the tasks that are left get to end once the program has, in milliseconds. @defaultValue 5000 */
  readonly shutdownMs: number;
}

/** Exported so that callers can derive: `{ tasksMax: 2 * DEFAULT_LIMITS.tasksMax }`. */
export const DEFAULT_LIMITS: Limits = {
  tasksMax: 100_000,
  stackBytes: 16 * 1024,
  mainStackBytes: 1024 * 1024,
  guestMemoryBytes: 256 * 1024 * 1024,
  handlesMax: 65_536,
  blockingThreads: 4,
  turnMs: 1,
  shutdownMs: 5_000,
};

/** What a guest may reach. Nothing that is not listed. */
export interface RuntimeGrants {
  /** Host directories that the guest sees, with everything below them. */
  readonly directories?: readonly DirectoryGrant[];
  /** Where it may connect, or send datagrams: "host:port", "[ipv6]:port", "host:*", "*". */
  readonly connect?: readonly string[];
  /** Where it may listen, or bind a UDP socket, written alike; port 0 is a port of its own. */
  readonly listen?: readonly string[];
  /**
   * Names: the configuration of a resolver, its name servers and nothing else, and the host's own resolver.
   * True: as the host has it.
   */
  readonly dns?: true | RuntimeDnsGrant;
  /**
   * The process's own streams, as handles (`sf_stdio`): to read and write without holding the thread, and for
   * what a terminal can do. True: all three. What the guest's libc reads and writes there through WASI needs
   * no grant.
   */
  readonly stdio?: true | readonly StandardStream[];
  /**
   * Programs that it may start. A child is outside of everything else that is granted: it can do what the host's
   * own process can. True: any program, with any environment.
   */
  readonly processes?: true | ProcessGrant;
}

/** One of the process's own streams. */
export type StandardStream = "stdin" | "stdout" | "stderr";

/** What a guest gets in place of the host's own. */
export interface RuntimeDnsGrant {
  /** Name servers: "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53". @defaultValue the configuration's */
  readonly servers?: readonly string[];
  /** Text of resolv.conf(5); a name server may have a port: "[127.0.0.1]:5353". @defaultValue the host's */
  readonly configuration?: string;
  /** Text of hosts(5). @defaultValue the host's */
  readonly hosts?: string;
}

export interface RuntimeOptions {
  /** The guest's arguments, without its own name. */
  readonly args?: readonly string[];
  /** argv[0]. @defaultValue the file's name, or "guest" */
  readonly program?: string;
  /** The guest's environment. Nothing of the host's own is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the guest may reach. Nothing by default. */
  readonly grants?: RuntimeGrants;
  /** Host functions by import module and name. Async ones park the calling task. */
  readonly imports?: HostImports;
  /** "module.name" of imports that return promises without being async functions. */
  readonly asyncImports?: readonly string[];
  readonly limits?: Partial<Limits>;
  /**
   * Which I/O mechanism. "auto" takes the best that the host allows; a host of a simulated world has
   * the runtime live in that world. @defaultValue "auto"
   */
  readonly backend?: "auto" | BackendName | BackendProvider;
  /**
   * Who owns the thread. "embedded": the host's event loop; turns are short. "owned": `run` waits in
   * the kernel, and the host's event loop runs when it has something to do. @defaultValue "embedded"
   */
  readonly loop?: "embedded" | "owned";
  /** A task that fails ends the whole program, instead of itself alone. @defaultValue false */
  readonly strict?: boolean;
  /** Record how much of its stack every task uses, for `stackMarks` and dumps. @defaultValue false */
  readonly paintStacks?: boolean;
  /**
   * The host passes signals on with `raise`: a task that waits for one is not deadlocked, and keeps
   * the process. @defaultValue false
   */
  readonly raisesSignals?: boolean;
  /** Takes lines of standard output and error, without line breaks. @defaultValue the host's own */
  readonly onOutput?: (stream: "stdout" | "stderr", line: string) => void;
  /** Takes failures of tasks that the guest spawned. @defaultValue a warning: the process's, or the console's */
  readonly onTaskFailed?: (error: StackfulError) => void;
}

export interface SpawnOptions {
  /** For reports and traces; at most 64 bytes of UTF-8 are kept. @defaultValue the export's name */
  readonly name?: string;
  /** C stack and saved frames, in bytes; rounded up to a power of two, 1 KiB to 8 MiB. */
  readonly stackBytes?: number;
  /** Cancels the task when it is aborted. */
  readonly signal?: AbortSignal;
}

/** @throws {RangeError} that names the limit. */
export function resolveLimits(given: Partial<Limits> = {}): Limits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const check = (name: keyof Limits, min: number, max: number): void => {
    const value = limits[name];
    if (Number.isFinite(value) && value >= min && value <= max) return;
    throw new RangeError(`limits.${name} must be ${min} to ${max}, not ${value}`);
  };
  check("tasksMax", 1, 2 ** 32 - 1);
  check("stackBytes", 1, 8 * 1024 * 1024);
  check("mainStackBytes", 1, 8 * 1024 * 1024);
  check("guestMemoryBytes", 0, 3 * 1024 ** 3);
  check("handlesMax", 1, 2 ** 20);
  check("blockingThreads", 1, 1024);
  check("turnMs", 0.01, 60_000);
  check("shutdownMs", 0, 3_600_000);
  return limits;
}
