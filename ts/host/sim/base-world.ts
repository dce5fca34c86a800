//! A simulated world: hosts, the network between them, one virtual time for all, and everything that
//! is chance in it from one seed.

import { addressBytes, addressText, parseAddress } from "../resources/address-text.ts";
import type { ConnectionView } from "./connection.ts";
import { type NameOptions, serveDns, type Zone, zoneAddresses } from "./dns-server.ts";
import type { MakeProcesses } from "./host-processes.ts";
import { Network } from "./network.ts";
import { Observer } from "./observer.ts";
import { applyChanges, PRESETS, type Preset, type SimChanges, type SimOptions } from "./options.ts";
import { Pace } from "./pace.ts";
import { freshSeed, Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { type HostOptions, SimHost } from "./sim-host.ts";
import { DNS_ADDRESSES } from "./sim-names.ts";
import type { WorldEvent } from "./world-event.ts";

export interface WorldOptions extends SimChanges {
  /** The same seed and the same programs give the same history. @defaultValue a fresh random one */
  readonly seed?: string | number;
  /** What the network and the files are like, but for `network` and `files`. @defaultValue "ideal" */
  readonly preset?: Preset;
  /** Virtual seconds per real second: see `World.speed`. @defaultValue Infinity */
  readonly speed?: number;
  /** The world moves only in calls of `frame` and `step`. @defaultValue false */
  readonly manual?: boolean;
  /** Keep a line of every event, in `trace`; or "hash": only `traceHash`. @defaultValue false */
  readonly trace?: boolean | "hash";
  /** What the guests' calendar shows at the start, in milliseconds since 1970. @defaultValue 2025-01-01 */
  readonly wallStartMs?: number;
}

/** The host that answers DNS queries, at 10.0.0.53 and fd00::35. */
const DNS_NAME = "dns";

const WALL_START_MS = 1_735_689_600_000;

/** What every world is; `World` has programs besides. */
export abstract class BaseWorld implements AsyncDisposable {
  readonly seed: string;
  /** A stream of the seed for the embedder's own choices. */
  readonly random: Random;
  readonly #network: Network;
  readonly #scheduler: Scheduler;
  readonly #observer: Observer;
  readonly #pace: Pace;
  readonly #root: Random;
  readonly #wallStartNs: bigint;
  readonly #hosts = new Map<string, SimHost>();
  readonly #names = new Map<string, NameOptions>();
  readonly #zone: Zone = { hosts: () => this.#hosts.values(), names: this.#names };
  #options: SimOptions;

  readonly #processes: MakeProcesses | undefined;

  /** @internal */
  constructor(options: WorldOptions, processes?: MakeProcesses) {
    this.#processes = processes;
    const { preset = "ideal", speed = Number.POSITIVE_INFINITY, manual = false } = options;
    this.seed = String(options.seed ?? freshSeed());
    this.#options = applyChanges(PRESETS[preset], options);
    this.#wallStartNs = BigInt(Math.round(options.wallStartMs ?? WALL_START_MS)) * 1_000_000n;
    this.#root = new Random(this.seed);
    this.random = this.#root.fork("embedder");
    this.#observer = new Observer(options.trace ?? false, () => this.#scheduler.nowNs);
    this.#scheduler = new Scheduler(this.#root.fork("scheduler"), this.#observer);
    const { network } = this.#options;
    this.#network = new Network(
      this.#scheduler,
      this.#observer,
      this.#root.fork("network"),
      network,
      (address) => this.#nameServer(address),
    );
    this.#pace = new Pace(this.#scheduler, speed, manual);
  }

  /** Virtual time since the world began, in nanoseconds. */
  get nowNs(): number {
    return this.#scheduler.nowNs;
  }

  /**
   * The host of that name, made when it is not there yet. The name "dns" is that of the name server,
   * which is there as soon as somebody asks it: port 53 of 10.0.0.53 and fd00::35.
   *
   * @param options - of a host that is made.
   * @throws {RangeError} an address is not one, or another host's.
   */
  host(name: string, options: HostOptions = {}): SimHost {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      const isNameServer = name === DNS_NAME;
      const world = {
        network: this.#network,
        fileOptions: () => this.#options.files,
        processOptions: () => this.#options.processes,
        processes: this.#processes,
        random: this.#root,
        addressesOf: (known: string) => zoneAddresses(known, this.#zone),
        wallStartNs: this.#wallStartNs,
      };
      const given = isNameServer ? { ...DNS_ADDRESSES, ...options } : options;
      host = new SimHost(world, name, this.#hosts.size + 1, given);
      this.#hosts.set(name, host);
      if (isNameServer) serveDns(host, this.#zone);
    }
    return host;
  }

  /**
   * Has the name server know another name, from now on. It answers datagrams with up to as many bytes as
   * a query says that it takes, and connections.
   *
   * @throws {RangeError} an address is not one, or `ttlSeconds` is out of its range.
   */
  addName(name: string, options: NameOptions): void {
    const { addresses = [], ttlSeconds = 0 } = options;
    const wrong = addresses.find((address) => parseAddress(address) === undefined);
    if (wrong !== undefined) throw new RangeError(`name ${name}: ${wrong} is no numeric address`);
    if (!Number.isInteger(ttlSeconds) || ttlSeconds < 0 || ttlSeconds > 2 ** 31 - 1) {
      throw new RangeError(`name ${name}: ttlSeconds must be 0 to 2 ** 31 - 1, not ${ttlSeconds}`);
    }
    this.#names.set(name.toLowerCase(), options);
  }

  get hosts(): readonly SimHost[] {
    return [...this.#hosts.values()];
  }

  /** Connections of now, for drawing. */
  get connections(): Iterable<ConnectionView> {
    return this.#network.connections;
  }

  /** Packets between two hosts are lost, in both directions, until `heal`. */
  partition(a: SimHost, b: SimHost): void {
    this.#network.link(a, b).sever();
    this.#network.link(b, a).sever();
    if (this.#observer.watched) this.#observer.tell({ type: "partition", a: a.name, b: b.name });
  }

  /** Ends the partition of two hosts; of one, from all others; or every one. */
  heal(a?: SimHost, b?: SimHost): void {
    for (const link of this.#network.links) {
      const touches = (host?: SimHost): boolean =>
        host === undefined || link.from === host || link.to === host;
      if (touches(a) && touches(b)) link.heal(this.nowNs);
    }
    if (!this.#observer.watched) return;
    this.#observer.tell({
      type: "heal",
      ...(a === undefined ? {} : { a: a.name }),
      ...(b === undefined ? {} : { b: b.name }),
    });
  }

  /**
   * Changes rates and latencies from now on.
   *
   * @throws {RangeError} an option is out of its range; nothing has changed.
   */
  configure(changes: SimChanges): void {
    this.#options = applyChanges(this.#options, changes);
    this.#network.options = this.#options.network;
    if (this.#observer.watched) this.#observer.tell({ type: "configure" });
  }

  /** Calls `what` when so many milliseconds of virtual time have passed. */
  after(ms: number, what: () => void): void {
    this.#scheduler.callAfter(ms * 1e6, what);
  }

  /** Resolves when so many milliseconds of virtual time have passed. */
  sleep(ms: number): Promise<void> {
    return this.#scheduler.sleep(ms * 1e6);
  }

  /** Nothing happens in the world until `during` has settled, which must not wait for the world. */
  async hold<T>(during: Promise<T>): Promise<T> {
    const release = this.#scheduler.hold();
    try {
      return await during;
    } finally {
      release();
    }
  }

  /**
   * Virtual seconds per real second, 0 or more. Infinity: as fast as it can. 0: paused; then only
   * `step` moves it.
   */
  get speed(): number {
    return this.#pace.speed;
  }

  set speed(speed: number) {
    this.#pace.speed = speed;
  }

  /** Takes one step, although the world is paused: one event, or one run of one program. */
  step(): void {
    this.#pace.step();
  }

  /**
   * Of a `manual` world: runs for at most `budgetMs` real milliseconds. Where JavaScript has to run in
   * between, the rest of them passes after this has returned.
   *
   * @returns whether more is due at once.
   */
  frame(budgetMs: number): boolean {
    return this.#pace.frame(budgetMs);
  }

  /**
   * Whether nothing will happen any more by itself: no program can go on, no packet, operation or
   * timer is under way. Only the embedder can change that, or a promise that programs wait for.
   */
  get quiescent(): boolean {
    return this.#scheduler.quiescent;
  }

  /** Resolves when the world is quiescent. A world that is paused, or held, is not. */
  whenQuiescent(): Promise<void> {
    return this.#pace.quiet();
  }

  /** Called with everything that happens, inside the step: it must not settle promises of programs. */
  get onEvent(): ((event: WorldEvent) => void) | undefined {
    return this.#observer.onEvent;
  }

  set onEvent(onEvent: ((event: WorldEvent) => void) | undefined) {
    this.#observer.onEvent = onEvent;
  }

  /** With the option `trace`: a line of every event so far. */
  get trace(): readonly string[] {
    return this.#observer.lines ?? [];
  }

  /** With the option `trace`: a hash of those lines, 16 hexadecimal digits. */
  get traceHash(): string {
    return this.#observer.hash;
  }

  /** Is there as soon as somebody asks it. */
  #nameServer(address: string): SimHost | undefined {
    const { ipv4, ipv6 } = DNS_ADDRESSES;
    const isIts = address === ipv4 || address === addressText(addressBytes(ipv6));
    return isIts ? this.host(DNS_NAME) : undefined;
  }

  /** Ends every process in it. Nothing happens any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.#hosts.values()) host.kill();
    this.#pace.stop();
    this.#scheduler.end();
  }
}
