//! A simulated machine: addresses, a network stack, a disk, and the processes that run on it.

import { StackfulError } from "../../errors.ts";
import type { Environment } from "../../guest/environment.ts";
import type { Backend, BackendOptions, BackendProvider } from "../backend.ts";
import { addressBytes, addressText, parseAddress } from "../resources/address-text.ts";
import { SimDisk } from "./disk.ts";
import { FileTiming } from "./file-timing.ts";
import type { HostProcesses, MakeProcesses } from "./host-processes.ts";
import type { Network } from "./network.ts";
import { findDirectories } from "./open-file.ts";
import type { FileOptions, ProcessOptions } from "./options.ts";
import { Ports } from "./ports.ts";
import type { Random } from "./random.ts";
import { BOOT_NS } from "./scheduler.ts";
import { SimBackend } from "./sim-backend.ts";
import type { ConsoleOptions, SimConsole } from "./sim-console.ts";
import { simNames } from "./sim-names.ts";
import type { SimProcess, SimProgram } from "./sim-process.ts";
import { NO_STREAMS, type StandardStreams } from "./standard-streams.ts";
import { Tcp } from "./tcp.ts";
import { Udp } from "./udp.ts";

export interface HostOptions {
  /** Its IPv4 address. @defaultValue 10.0.0.N */
  readonly ipv4?: string;
  /** Its IPv6 address. @defaultValue fd00::N */
  readonly ipv6?: string;
}

/** What a world gives its hosts. */
export interface HostWorld {
  readonly network: Network;
  /** As they are now. */
  readonly fileOptions: () => FileOptions;
  readonly processOptions: () => ProcessOptions;
  /** Absent: it has no programs. */
  readonly processes: MakeProcesses | undefined;
  readonly random: Random;
  /** What the name server knows of a name in lower case, IPv6 first. */
  readonly addressesOf: (name: string) => Uint8Array[];
  /** When virtual time began, in nanoseconds since 1970. */
  readonly wallStartNs: bigint;
}

/** Of the name server's addresses. */
const DNS_NUMBER = 53;

const LOOPBACK_IPV4 = Uint8Array.of(127, 0, 0, 1);
const LOOPBACK_IPV6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/** A machine of a world: give it as a runtime's `backend`, and the runtime's guest lives on it. */
export class SimHost implements BackendProvider {
  readonly name: string;
  /** Its number in the world, from 1. */
  readonly id: number;
  readonly addresses: { readonly ipv4: string; readonly ipv6: string };
  /** Its files: grants name directories that are there. */
  readonly disk: SimDisk;
  /** @internal */
  readonly tcp: Tcp;
  /** @internal */
  readonly udp: Udp;
  readonly #files: FileTiming;
  readonly #crashes: Random;
  readonly #world: HostWorld;
  readonly #ipv4: Uint8Array;
  readonly #ipv6: Uint8Array;
  readonly #entropy: Random;
  readonly #backends = new Set<SimBackend>();
  readonly #processes: HostProcesses | undefined;
  readonly #services: (() => void)[] = [];
  #processesMade = 0;
  #up = true;

  /** @internal */
  constructor(world: HostWorld, name: string, id: number, options: HostOptions) {
    this.#world = world;
    this.name = name;
    this.id = id;
    const number = freeNumber(world.network, id);
    const { ipv4 = ipv4Of(number), ipv6 = `fd00::${number.toString(16)}` } = options;
    this.#ipv4 = address(name, ipv4, 4);
    this.#ipv6 = address(name, ipv6, 16);
    this.addresses = { ipv4, ipv6 };
    const random = world.random.fork(`host/${name}`);
    this.#entropy = random.fork("entropy");
    this.#crashes = random.fork("crashes");
    this.#files = new FileTiming(random, world.fileOptions);
    this.disk = new SimDisk(
      () => world.fileOptions().diskBytesMax,
      () => world.wallStartNs + BigInt(Math.round(world.network.scheduler.nowNs)),
    );
    this.#processes = world.processes?.({
      host: this,
      network: world.network,
      files: this.#files,
      random: random.fork("processes"),
      options: world.processOptions,
      nextPid: () => ++this.#processesMade,
      open: (backendOptions, standard) => this.#open(backendOptions, standard),
    });
    this.tcp = new Tcp(this, world.network, new Ports(random.fork("tcp-ports")));
    this.udp = new Udp(this, world.network, new Ports(random.fork("udp-ports")));
    world.network.addAddress(this.#ipv4, this);
    world.network.addAddress(this.#ipv6, this);
  }

  /** Whether it runs: false between `crash` and `restart`. */
  get up(): boolean {
    return this.#up;
  }

  /** Programs that run: those of `program`, not runtimes. */
  get processes(): readonly SimProcess[] {
    return this.#processes?.running ?? [];
  }

  /**
   * Installs a program, for guests to start (`sf_spawn_process`), in place of what had its path. It is no file
   * of the disk, and stays over a crash.
   *
   * @param path - Absolute: "/bin/filter".
   * @throws {TypeError} the path is not one of a program.
   */
  program(path: string, program: SimProgram): void {
    this.#processes?.programs.add(path, program);
  }

  /** Standard streams for runtimes, with the embedder at the other end. Without one they lead nowhere. */
  console(options: ConsoleOptions = {}): SimConsole {
    return this.#processes!.console(options);
  }

  /**
   * Begins a process. Nothing happens in the world until its runtime is there.
   *
   * @throws {StackfulError} `SF_IO` when the host is down, or has no directory that is granted;
   *   `SF_DISPOSED` when its world was disposed of.
   */
  async open(options: BackendOptions): Promise<Backend> {
    return await this.#open(options, NO_STREAMS);
  }

  async #open(options: BackendOptions, standard: StandardStreams): Promise<SimBackend> {
    const { network } = this.#world;
    if (network.scheduler.ended) {
      throw new StackfulError(
        "SF_DISPOSED",
        `open a process on host ${this.name}: its world is over`,
      );
    }
    if (!this.#up) {
      throw new StackfulError("SF_IO", `open a process on host ${this.name}: it is down`, {
        errno: "EHOSTUNREACH",
        hint: "restart the host first",
      });
    }
    const directories = findDirectories(this.disk, options.grants.directories);
    const backend = new SimBackend(options, {
      name: `${this.name}/${++this.#processesMade}`,
      host: this,
      network,
      files: this.#files,
      environment: this.#environment(),
      directories,
      names: simNames(options.grants),
      standard,
      children: this.#processes?.childrenOf(options, directories, standard),
      onEnded: (ended) => {
        if (this.#backends.delete(ended)) this.#tell("end");
      },
    });
    backend.waitForLoop(network.scheduler.hold());
    this.#backends.add(backend);
    this.#tell("start");
    return backend;
  }

  /**
   * A power failure. Its runtimes break with a StackfulError `SF_IO`; what its files had unsynced is
   * lost, torn or kept, by the seed; its peers learn nothing until they send.
   */
  crash(): void {
    if (!this.#up) return;
    this.#up = false;
    this.#tell("crash");
    this.#world.network.flush(this);
    this.tcp.crash();
    this.udp.crash();
    this.#endProcesses("crashed");
    const { namesLost, lost, torn, kept } = this.disk.crash(
      this.#crashes,
      this.#world.fileOptions(),
    );
    const { observer } = this.#world.network;
    if (!observer.watched) return;
    observer.tell({
      type: "disk",
      host: this.name,
      pagesLost: lost,
      pagesTorn: torn,
      pagesKept: kept,
      namesLost,
    });
  }

  /** Up again after a crash: with no process, and its disk as the crash left it. */
  restart(): void {
    if (this.#up) return;
    this.#up = true;
    this.#tell("restart");
    for (const start of this.#services) start();
  }

  /**
   * Its processes die, the host does not: runtimes break with a StackfulError `SF_IO`, peers see their
   * connections closed or reset, and files keep what was written.
   */
  kill(): void {
    this.#tell("kill");
    this.#endProcesses("was killed");
  }

  /** @internal Something of the system that runs whenever the host does: `start` begins it. */
  onStart(start: () => void): void {
    this.#services.push(start);
    start();
  }

  /** @internal Whether `bytes` is an address of this host, the loopback ones included. */
  owns(bytes: Uint8Array): boolean {
    if (bytes.length === 4) return bytes[0] === 127 || same(bytes, this.#ipv4);
    return same(bytes, LOOPBACK_IPV6) || same(bytes, this.#ipv6);
  }

  /** @internal */
  loopback(length: number): Uint8Array {
    return length === 4 ? LOOPBACK_IPV4 : LOOPBACK_IPV6;
  }

  /** @internal Of a name in lower case, as the name server knows it. */
  addressesOf(name: string): Uint8Array[] {
    return this.#world.addressesOf(name);
  }

  /** @internal What this host calls itself to `peer`. */
  sourceFor(peer: Uint8Array): Uint8Array {
    if (peer.length === 4) return peer[0] === 127 ? LOOPBACK_IPV4 : this.#ipv4;
    return same(peer, LOOPBACK_IPV6) ? LOOPBACK_IPV6 : this.#ipv6;
  }

  #endProcesses(how: string): void {
    for (const backend of [...this.#backends]) {
      const error = new StackfulError("SF_IO", `host ${this.name} ${how}`, { errno: "EIO" });
      backend.die(error);
    }
    this.#processes?.kill();
  }

  #environment(): Environment {
    const { network, wallStartNs } = this.#world;
    const { scheduler } = network;
    return {
      monotonicNs: () => BOOT_NS + scheduler.nowNs,
      wallNs: () => wallStartNs + BigInt(scheduler.nowNs),
      fillRandom: (bytes) => this.#entropy.fill(bytes),
    };
  }

  #tell(type: "crash" | "restart" | "kill" | "start" | "end"): void {
    const { observer } = this.#world.network;
    if (observer.watched) observer.tell({ type, host: this.name });
  }
}

/** The first number from `id` on whose addresses are free: those of the name server are not. */
function freeNumber(network: Network, id: number): number {
  let number = id;
  while (number === DNS_NUMBER || network.hasAddress(addressBytes(ipv4Of(number)))) number++;
  return number;
}

function ipv4Of(number: number): string {
  return `10.0.${number >> 8}.${number & 0xff}`;
}

function address(name: string, text: string, length: number): Uint8Array {
  const bytes = parseAddress(text);
  if (bytes?.length === length) return bytes;
  throw new RangeError(`host ${name}: "${text}" is no IPv${length === 4 ? 4 : 6} address`);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return addressText(a) === addressText(b);
}
