//! The native backends: native/src/ behind the Backend interface, with one of its mechanisms.
//!
//! All of the I/O, and every check of what the guest says, is in C; a turn is one call of it. Here
//! are what belongs to JavaScript: the memory, errors as exceptions, and the wake-up.

import { ERRNO, HANDLE_TOKEN, OP, RESOLVER } from "../../abi.gen.ts";
import { StackfulError } from "../../errors.ts";
import { SYSTEM } from "../../guest/environment.ts";
import type {
  AdoptOptions,
  Backend,
  BackendOptions,
  BackendStats,
  EndpointGrant,
} from "../backend.ts";
import type { Capability } from "../capability.ts";
import { directoryGrantError, grantedStreams } from "../grants.ts";
import { openNames } from "../node/host-names.ts";
import { newPoolKey } from "../pool-key.ts";
import { applyNames, type Names } from "../resources/names.ts";
import { type Programs, readPrograms } from "../resources/programs.ts";
import { type Addon, type AddonHandle, CAPABILITIES, COUNTER, ENDPOINT_USE } from "./addon.ts";
import { type HostTraits, hostTraits } from "./host-traits.ts";
import { type LoadedAddon, loadAddon } from "./load-addon.ts";
import { MECHANISM_TITLES, type MechanismName } from "./mechanisms.ts";

/** Submissions that go to the kernel at once. A guest's batch beyond that costs further calls. */
const ENTRIES = 1024;

/**
 * Opens a native backend.
 *
 * @throws {StackfulError} `SF_IO` with errno ENOSYS when there is no addon, or with ENOSYS or EPERM
 *   when this host does not offer the mechanism: another backend may do. With another errno when a
 *   grant names no directory, or something is wrong.
 */
export async function openNative(name: MechanismName, options: BackendOptions): Promise<Backend> {
  return NativeBackend.open(name, options, { names: await openNames(options.grants) });
}

const NO_BYTES = new Uint8Array(0);

/** Codes of operations are below it. */
const CODES = Math.max(...Object.values(OP)) + 1;

/** What a native backend is opened with besides its options. */
export interface NativeParts {
  /** Of another runtime than this, for tests. */
  readonly traits?: HostTraits;
  /** Another addon, for tests. */
  readonly loaded?: LoadedAddon;
  /** What `grants.dns` gives. Absent: nothing. */
  readonly names?: Names | undefined;
  /** Descriptors in place of 0, 1 and 2, for tests. */
  readonly stdio?: readonly number[];
}

export class NativeBackend implements Backend {
  readonly name: MechanismName;
  readonly environment = SYSTEM;
  readonly canWait: boolean;
  readonly canDiscard = true;
  onReady: () => void = () => {};
  readonly #addon: Addon;
  readonly #memoryMoves: boolean;
  readonly #capabilities = new Uint8Array(CODES);
  readonly #counters: Float64Array;
  #handle: AddonHandle | undefined;
  #memory: WebAssembly.Memory | undefined;
  /** What is bound; empty once the memory has grown. */
  #bytes = NO_BYTES;
  #shared = 0;
  #turns = 0;
  #hostTurned: (() => void)[] = [];

  private constructor(
    name: MechanismName,
    addon: Addon,
    handle: AddonHandle,
    counters: Float64Array,
    { wake, memoryMoves }: HostTraits,
  ) {
    this.name = name;
    this.canWait = wake === "libuv";
    this.#memoryMoves = memoryMoves;
    this.#addon = addon;
    this.#handle = handle;
    this.#counters = counters;
    addon.capabilities(handle, this.#capabilities);
  }

  /** As `openNative`. */
  static open(
    name: MechanismName,
    { grants, handlesMax, pool = newPoolKey() }: BackendOptions,
    { traits = hostTraits(), loaded = loadAddon(), names, stdio = [0, 1, 2] }: NativeParts = {},
  ): NativeBackend {
    const { addon, reason } = loaded;
    if (addon === undefined) {
      throw new StackfulError("SF_IO", `open ${MECHANISM_TITLES[name]}: ${reason}`, {
        errno: "ENOSYS",
        hint: "use another backend",
      });
    }
    const counters = new Float64Array(COUNTER.length);
    const byThread = traits.wake === "thread";
    const handle = addon.open(name, handlesMax, ENTRIES, counters, byThread, pool);
    if (typeof handle === "number") throw refused(name, handle);

    const backend = new NativeBackend(name, addon, handle, counters, traits);
    try {
      for (const directory of grants.directories ?? []) {
        const { host, guest, readOnly = false } = directory;
        if (`${host}${guest}`.includes("\0") || host === "" || guest === "") {
          throw new TypeError(`directory grant ${guest} -> ${host}: not a path`);
        }
        const result = addon.grantDirectory(handle, host, guest, readOnly);
        if (result < 0) throw directoryGrantError(directory, errnoName(result));
      }
      const { connect, listen = [], bind } = applyNames(grants, names);
      for (const endpoint of connect) backend.#grant("connect", endpoint);
      for (const endpoint of listen) backend.#grant("listen", endpoint);
      for (const endpoint of bind) backend.#grant("bind", endpoint);
      if (names !== undefined) backend.#grantNames(names);
      for (const number of grantedStreams(grants)) addon.grantStdio(handle, number, stdio[number]!);
      const programs = readPrograms(grants);
      if (programs !== undefined) backend.#grantPrograms(programs);
    } catch (error) {
      backend.#close();
      throw error;
    }
    addon.setWake(handle, () => backend.#woken());
    return backend;
  }

  capability(code: number): Capability {
    return CAPABILITIES[this.#capabilities[code] ?? 0] ?? "unsupported";
  }

  get stats(): Readonly<BackendStats> {
    return {
      turns: this.#turns,
      nativeCalls: this.#counter("nativeCalls"),
      systemCalls: this.#counter("systemCalls"),
      submissions: this.#counter("submissions"),
      completions: this.#counter("completions"),
    };
  }

  get pending(): number {
    return this.#counter("pending");
  }

  get handlesOpen(): number {
    return this.#counter("handlesOpen");
  }

  /**
   * With `canWait`: whether the last `turn` ended, or did not wait at all, because the host's event loop has work:
   * whoever waits in `turn` then lets it turn with `turnHostLoop` before waiting again. Also true
   * after a second of waiting in vain: the kernel cannot see what JavaScript has started since the
   * loop last turned. For that reason, call `turnHostLoop` after JavaScript that may start I/O.
   */
  get hostLoopReady(): boolean {
    return this.#counter("hostLoopReady") !== 0;
  }

  /**
   * Lets the host's event loop go once around: immediates, timers and I/O that are due.
   *
   * Resolves from the loop's poll phase and not from the immediate: during the latter libuv still has
   * the immediate on its books, and a `turn` that waits would find the loop busy for ever.
   */
  turnHostLoop(): Promise<void> {
    this.#opened("turn host loop");
    return new Promise((resolve) => {
      setImmediate(() => {
        if (this.#handle === undefined || !this.canWait) {
          resolve();
        } else {
          this.#hostTurned.push(resolve);
          this.#addon.poke(this.#handle);
        }
      });
    });
  }

  /** How often the event loop was woken. */
  get wakes(): number {
    return this.#counter("wakes");
  }

  /**
   * @throws {StackfulError} `SF_MODULE` when the sf_shared block or a ring does not fit the memory.
   */
  bind(memory: WebAssembly.Memory, shared: number): void {
    const handle = this.#opened("bind");
    const { buffer } = memory;
    const bytes = new Uint8Array(buffer);
    const moves = this.#memoryMoves && buffer instanceof ArrayBuffer;
    const result = this.#addon.bind(handle, bytes, shared, moves);
    if (result === -ERRNO.EFAULT || result === -ERRNO.EINVAL) {
      const message = `bind memory of ${buffer.byteLength} bytes, sf_shared at ${shared}`;
      const wrong =
        result === -ERRNO.EFAULT ? "a block does not fit" : "a capacity is no power of two";
      throw new StackfulError("SF_MODULE", `${message}: ${wrong}`);
    }
    if (result < 0) throw failure("bind memory", result);
    this.#memory = memory;
    this.#bytes = bytes;
    this.#shared = shared;
  }

  /**
   * Waits at most a second, whatever `waitNs` says: Worker.terminate() cannot interrupt it. Without
   * `canWait` not at all.
   *
   * @throws {StackfulError} `SF_IO` when the mechanism itself fails, `SF_DISPOSED` after dispose.
   */
  turn(waitNs: number): number {
    const handle = this.#opened("turn");
    this.#bindAgain();
    this.#turns++;
    const result = this.#addon.turn(handle, this.canWait ? waitNs : 0);
    if (result < 0) throw failure(`turn ${MECHANISM_TITLES[this.name]}`, result);
    // A turn takes what has signalled, also the poke that somebody still waits for.
    if (this.#hostTurned.length > 0) this.#addon.poke(handle);
    return result;
  }

  attempt(): number {
    const handle = this.#handle;
    if (handle === undefined || this.#memory === undefined) return -ERRNO.EAGAIN;
    this.#bindAgain();
    return this.#addon.attempt(handle);
  }

  discard(ranges: Uint32Array): number {
    const handle = this.#opened("discard");
    this.#bindAgain();
    const result = this.#addon.discard(handle, ranges);
    if (result === -ERRNO.EFAULT) {
      throw new RangeError(`discard: a range is not in the ${this.#bytes.length} bytes of memory`);
    }
    if (result < 0) throw failure("discard memory", result);
    return result;
  }

  adoptDescriptor(fd: number, { transfers = false, owned = false }: AdoptOptions): number {
    const handle = this.#opened("adopt descriptor");
    const result = this.#addon.adopt(handle, fd, transfers, owned);
    if (result < 0) throw failure(`adopt descriptor ${fd}`, result);
    return result;
  }

  releaseHandle(handle: number): Uint8Array {
    const token = new Uint8Array(HANDLE_TOKEN.size);
    const result = this.#addon.release(this.#opened("release handle"), handle, token);
    if (result < 0) throw failure(`release handle ${handle}`, result);
    return token;
  }

  adoptHandle(token: Uint8Array): number {
    const result = this.#addon.adoptReleased(this.#opened("adopt handle"), token);
    if (result < 0) throw failure("adopt handle", result);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  /** Where the memory has grown: never use the old address. */
  #bindAgain(): void {
    if (this.#memory !== undefined && this.#bytes.length === 0) {
      this.bind(this.#memory, this.#shared);
    }
  }

  #woken(): void {
    for (const resolve of this.#hostTurned.splice(0)) resolve();
    this.onReady();
  }

  #close(): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    this.#addon.close(handle);
    for (const resolve of this.#hostTurned.splice(0)) resolve();
    this.#memory = undefined;
    this.#bytes = NO_BYTES;
    this.#counters[COUNTER.pending] = 0;
    this.#counters[COUNTER.handlesOpen] = 0;
  }

  #grant(use: keyof typeof ENDPOINT_USE, { bytes, port }: EndpointGrant): void {
    if (bytes !== undefined && bytes.length !== 4 && bytes.length !== 16) {
      throw new TypeError(`${use} grant: an address of ${bytes.length} bytes`);
    }
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
      throw new RangeError(`${use} grant: port ${port}`);
    }
    const handle = this.#opened("grant");
    const address = bytes ?? new Uint8Array(0);
    const result = this.#addon.grantEndpoint(handle, ENDPOINT_USE[use], address, port ?? -1);
    if (result < 0) throw failure(`${use} grant`, result);
  }

  #grantNames({ configuration, hosts }: Names): void {
    const handle = this.#opened("grant");
    const texts = [
      [RESOLVER.CONFIGURATION, configuration],
      [RESOLVER.HOSTS, hosts],
    ] as const;
    for (const [which, text] of texts) {
      const result = this.#addon.grantNames(handle, which, text);
      if (result < 0) throw failure("dns grant", result);
    }
  }

  #grantPrograms({ list, any, variables, anyVariable }: Programs): void {
    const handle = this.#opened("grant");
    const strings = (all: readonly string[]): Uint8Array =>
      new TextEncoder().encode(all.map((text) => `${text}\0`).join(""));
    const result = this.#addon.grantPrograms(
      handle,
      strings(list),
      any,
      strings(variables),
      anyVariable,
    );
    if (result < 0) throw failure("process grant", result);
  }

  #opened(what: string): AddonHandle {
    if (this.#handle === undefined) {
      throw new StackfulError("SF_DISPOSED", `${what}: the backend is disposed`);
    }
    return this.#handle;
  }

  #counter(name: Exclude<keyof typeof COUNTER, "length">): number {
    return this.#counters[COUNTER[name]] ?? 0;
  }
}

function errnoName(result: number): string {
  return Object.entries(ERRNO).find(([, code]) => code === -result)?.[0] ?? String(result);
}

function failure(what: string, result: number): StackfulError {
  const errno = errnoName(result);
  return new StackfulError("SF_IO", `${what}: ${errno}`, { errno });
}

/** Why the host does not have the mechanism, with the likely cause. */
function refused(name: MechanismName, result: number): StackfulError {
  const errno = errnoName(result);
  const hint = (name === "uring" ? URING_HINTS[errno] : undefined) ?? HINTS[errno];
  return new StackfulError("SF_IO", `open ${MECHANISM_TITLES[name]}: ${errno}`, {
    errno,
    ...(hint === undefined ? {} : { hint }),
  });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSYS: `${process.platform} has none`,
  EPERM: "a sandbox forbids it",
};

const URING_HINTS: Readonly<Record<string, string>> = {
  ...(process.platform === "linux" && { ENOSYS: "the kernel has none, or is older than 5.11" }),
  EPERM: "a sandbox, or the kernel.io_uring_disabled setting, forbids it",
  ENOMEM: "the limit of locked memory (ulimit -l) may be too low",
};
