//! The world that is shown: its hosts, what runs on them, and what can be done to it.

import { type SimHost, World, type WorldEvent } from "stackful/sim";
import { NO_COUNTERS, Program } from "./program.ts";
import { HOSTS, isServer, LINKS, SERVERS, type Settings } from "./protocol.ts";
import { TimedHost } from "./timed-host.ts";

export interface NetworkOptions {
  /** Keep a hash of everything that happens, for `world.traceHash`. */
  readonly trace?: boolean;
  readonly onEvent?: (event: WorldEvent) => void;
}

/** What a program that has ended has counted. */
interface Ended {
  switches: number;
  turns: number;
  readonly counters: Uint32Array;
}

export class Network {
  readonly world: World;
  readonly hosts: readonly SimHost[];
  /** By host; undefined: nothing runs there. */
  readonly programs: (Program | undefined)[] = HOSTS.map(() => undefined);
  readonly cutHosts = new Set<number>();
  readonly #timed: readonly TimedHost[];
  readonly #starting = new Set<number>();
  failure: string | undefined;
  #settings: Settings;
  readonly #ended: Ended = { switches: 0, turns: 0, counters: NO_COUNTERS.slice() };
  #closed = false;

  /** A world with all its hosts. It has the same history every time, whatever it is opened for. */
  static async open(settings: Settings, options: NetworkOptions = {}): Promise<Network> {
    const network = new Network(settings, options);
    for (const [host] of HOSTS.entries()) await network.start(host);
    return network;
  }

  private constructor(settings: Settings, { trace = false, onEvent }: NetworkOptions) {
    this.#settings = settings;
    this.world = new World({
      seed: settings.seed,
      manual: true,
      speed: settings.speed,
      trace: trace ? "hash" : false,
      network: {
        ...networkOptions(settings),
        connectTimeoutMs: 5_000,
        retransmitTimeoutMs: 15_000,
        // Three lines of the chat: then whoever writes waits.
        receiveBufferBytes: 64,
        sendBufferBytes: 32,
      },
    });
    if (onEvent !== undefined) this.world.onEvent = onEvent;
    this.hosts = HOSTS.map(({ name }) => this.world.host(name));
    this.#timed = this.hosts.map((host) => new TimedHost(host));
  }

  /** Changes what can be changed while the world goes on: everything but the seed. */
  set settings(settings: Settings) {
    this.#settings = settings;
    this.world.configure({ network: networkOptions(settings) });
    this.world.speed = settings.speed;
    for (const program of this.programs) this.#setClients(program);
  }

  /** Starts the program of a host, if it does not run. */
  async start(host: number): Promise<void> {
    if (this.programs[host] !== undefined || this.#starting.has(host)) return;
    this.#starting.add(host);
    try {
      await this.#start(host);
    } finally {
      this.#starting.delete(host);
    }
  }

  async #start(host: number): Promise<void> {
    const { kind } = HOSTS[host]!;
    const servers = LINKS.filter(({ client }) => client === host).map(
      ({ server }) => this.hosts[server]!,
    );
    const program = await Program.start(kind, this.#timed[host]!, servers, (error) => {
      if (this.programs[host] === program && !this.#closed) this.failure ??= describe(error);
    });
    this.programs[host] = program;
    this.#setClients(program);
  }

  /** The process of a host dies: its peers notice when they hear of it, or nothing any more. */
  kill(host: number): void {
    const program = this.programs[host];
    if (program === undefined) return;
    const { switches, schedulerTurns } = program.runtime.stats;
    this.#ended.switches += switches;
    this.#ended.turns += schedulerTurns;
    program.readCounters().forEach((count, index) => {
      this.#ended.counters[index]! += count;
    });
    this.programs[host] = undefined;
    this.hosts[host]!.kill();
  }

  /** Loses every packet between `host` and those it has links to; without one, of every server. */
  cut(host?: number): void {
    for (const index of host === undefined ? SERVERS : [host]) {
      this.cutHosts.add(index);
      for (const [a, b] of this.#linked(index)) this.world.partition(a, b);
    }
  }

  heal(host?: number): void {
    if (host === undefined) {
      this.world.heal();
      this.cutHosts.clear();
      return;
    }
    this.cutHosts.delete(host);
    for (const [a, b, other] of this.#linked(host)) {
      if (!this.cutHosts.has(other)) this.world.heal(a, b);
    }
  }

  /** Tells the guests what the sliders say, and lets the world run. */
  frame(budgetMs: number): boolean {
    for (const program of this.programs) program?.sendWanted();
    return this.world.frame(budgetMs);
  }

  /** Real time that programs have run, in ms. */
  get runMs(): number {
    return this.#timed.reduce((sum, { runMs }) => sum + runMs, 0);
  }

  get totals(): { switches: number; turns: number; counters: Uint32Array } {
    const totals = { ...this.#ended, counters: this.#ended.counters.slice() };
    for (const program of this.programs) {
      if (program === undefined) continue;
      const { switches, schedulerTurns } = program.runtime.stats;
      totals.switches += switches;
      totals.turns += schedulerTurns;
      const counters = program.readCounters();
      for (let index = 0; index < counters.length; index++) {
        totals.counters[index]! += counters[index]!;
      }
    }
    return totals;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.world[Symbol.asyncDispose]();
  }

  /** A client of echo is two tasks, one of chat is four; and there are as many of each. */
  #setClients(program: Program | undefined): void {
    if (program === undefined || isServer(program.kind)) return;
    const alike = HOSTS.filter(({ kind }) => kind === program.kind).length;
    const each = program.kind === "echo-client" ? 4 : 8;
    program.clients = Math.max(1, Math.round(this.#settings.tasks / each / alike));
  }

  /** The ends of a host's links, and which the other host is. */
  #linked(host: number): (readonly [SimHost, SimHost, number])[] {
    return LINKS.filter(({ client, server }) => host === client || host === server).map(
      ({ client, server }) =>
        [this.hosts[client]!, this.hosts[server]!, host === client ? server : client] as const,
    );
  }
}

/** Where nothing is lost nothing is late either, so that what is seen is what is chosen. */
function networkOptions({ latencyMs, loss }: Settings) {
  return { latencyMs, jitterMs: latencyMs / 4, segmentLoss: loss };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
