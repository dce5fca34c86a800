//! The engine in the thread that it is made in: opens worlds, lets them run, and takes pictures.

import type { WorldEvent } from "stackful/sim";
import { Cells } from "./cells.ts";
import { Messages } from "./messages.ts";
import { Network } from "./network.ts";
import {
  CELL_WAIT,
  type Command,
  type Engine,
  HOSTS,
  type HostKind,
  type HostStatus,
  LINKS,
  type Picture,
  type Settings,
  type TaskDetail,
} from "./protocol.ts";
import { Waits } from "./waits.ts";

/** Looking at one task's stack takes longer than all the rest: every so many pictures. */
const DETAIL_PICTURES = 10;

/** On one host: reading their states takes a good part of a millisecond. */
const MANY_TASKS = 4_000;

const NO_STATES = new Uint32Array(0);

/** Link and direction by the names of sender and receiver. */
const WAYS = new Map(
  LINKS.flatMap(({ client, server }, link) => {
    const [a, b] = [HOSTS[client]!.name, HOSTS[server]!.name];
    return [[`${a}>${b}`, 2 * link] as const, [`${b}>${a}`, 2 * link + 1] as const];
  }),
);

export class LocalEngine implements Engine {
  #network: Network | undefined;
  #opening: Promise<void> = Promise.resolve();
  #settings: Settings | undefined;
  #paused = false;
  #world = 0;
  #messages = new Messages();
  #lost = new Uint16Array(LINKS.length);
  #losing = false;
  readonly #waits = new Waits();
  #cells: Cells[] = [];
  #states = new Uint32Array(3 * 1024);
  #selected: { host: number; id: number; cell: number } | undefined;
  #detail: TaskDetail | undefined;
  /** Pictures since a coroutine was chosen, and all of them. */
  #pictures = 0;
  #taken = 0;
  readonly #fail: (error: unknown) => void;

  /** @param failed - told why a world, or a program in it, could not start. */
  constructor(failed: (message: string) => void) {
    this.#fail = (error) => failed(error instanceof Error ? error.message : String(error));
  }

  send(command: Command): void {
    const network = this.#network;
    switch (command.type) {
      case "open":
        this.#open(command.settings);
        break;
      case "set":
        this.#settings = command.settings;
        if (network !== undefined) network.settings = this.#paced(command.settings);
        break;
      case "pause":
        this.#paused = command.paused;
        if (network !== undefined) network.world.speed = this.#paced(this.#settings!).speed;
        break;
      case "step":
        network?.world.step();
        break;
      case "kill":
        network?.kill(command.host);
        break;
      case "restart":
        network?.start(command.host).catch(this.#fail);
        break;
      case "cut":
        network?.cut(command.host);
        break;
      case "heal":
        network?.heal(command.host);
        break;
      case "select":
        this.#select(command.host, command.cell);
        break;
      case "unselect":
        this.#selected = this.#detail = undefined;
        break;
    }
  }

  frame(budgetMs: number): Picture | undefined {
    const network = this.#network;
    if (network === undefined) return undefined;
    network.frame(budgetMs);
    return this.#picture(network);
  }

  async fingerprint(settings: Settings, virtualMs: number): Promise<string> {
    const network = await Network.open(
      { ...settings, speed: Number.POSITIVE_INFINITY },
      { trace: true },
    );
    let print: string | undefined;
    network.world.after(virtualMs, () => {
      const { switches, counters } = network.totals;
      print = `${network.world.traceHash}-${switches}-${counters[0]}`;
    });
    while (print === undefined) {
      network.frame(8);
      await new Promise<void>((resolve) => setTimeout(resolve));
    }
    await network.close();
    return print;
  }

  close(): void {
    void this.#network?.close();
    this.#network = undefined;
  }

  /** One after the other: a world that is opening is not closed in the middle of it. */
  #open(settings: Settings): void {
    this.#settings = settings;
    this.#world++;
    const world = this.#world;
    this.#opening = this.#opening.then(async () => {
      if (world !== this.#world) return;
      this.close();
      this.#cells = HOSTS.map(() => new Cells(this.#waits));
      this.#messages = new Messages();
      this.#selected = this.#detail = undefined;
      const onEvent = (event: WorldEvent): void => this.#note(event);
      try {
        const network = await Network.open(this.#paced(settings), { onEvent });
        network.settings = this.#paced(this.#settings!);
        this.#network = network;
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #paced(settings: Settings): Settings {
    return this.#paused ? { ...settings, speed: 0 } : settings;
  }

  #note(event: WorldEvent): void {
    // The segment that a loss strikes is told of next.
    if (event.type === "fault" && event.fault === "segment lost") this.#losing = true;
    if (!("from" in event)) return;
    const way = WAYS.get(`${event.from}>${event.to}`);
    if (way === undefined) return;
    if (event.type === "drop" || this.#losing) this.#lost[way >> 1]!++;
    else if (event.type === "data") this.#messages.add(way, event.sentNs, event.arrivesNs);
    this.#losing = false;
  }

  #select(host: number, cell: number): void {
    const id = this.#cells[host]?.idAt(cell);
    this.#selected = id === undefined ? undefined : { host, id, cell };
    this.#detail = undefined;
    this.#pictures = 0;
  }

  #picture(network: Network): Picture {
    const { world } = network;
    this.#taken++;
    const hosts: HostStatus[] = [];
    const waitCounts = {} as Record<HostKind, Uint32Array>;
    let bytes = 0;
    let memoryBytes = 0;
    let tasks = 0;
    let length = 0;
    for (const [host, program] of network.programs.entries()) {
      const cells = this.#cells[host]!;
      const up = program !== undefined;
      if (!up) cells.update(NO_STATES);
      else if (this.#isDue(host, cells)) cells.update(this.#read(program.runtime));
      if (up) {
        const { regionsBytes, regionsFreeBytes, memoryBytes: all } = program.runtime.stats;
        bytes += regionsBytes - regionsFreeBytes;
        memoryBytes += all;
        tasks += cells.tasks;
      }
      length += cells.length;
      const { kind } = HOSTS[host]!;
      const counts = (waitCounts[kind] ??= new Uint32Array(this.#waits.names.length));
      for (let wait = 0; wait < counts.length; wait++) counts[wait]! += cells.counts[wait]!;
      const cut = network.cutHosts.has(host);
      hosts.push({ up, cut, tasks: cells.tasks, cells: cells.length });
    }
    this.#messages.advance(world.nowNs);
    const { switches, turns, counters } = network.totals;
    const lost = this.#lost;
    this.#lost = new Uint16Array(LINKS.length);
    return {
      world: this.#world,
      seed: this.#settings!.seed,
      hosts,
      cells: this.#allCells(length),
      waits: this.#waits.names,
      waitCounts,
      ...this.#messages.picture(world.nowNs),
      lost,
      totals: {
        virtualNs: world.nowNs,
        switches,
        turns,
        messages: counters[0]!,
        runMs: network.runMs,
      },
      bytesPerTask: tasks === 0 ? 0 : bytes / tasks,
      memoryBytes,
      errors: counters.slice(1),
      task: this.#lookAtTask(network),
      failure: network.failure,
    };
  }

  /** Where there are very many, every other host is looked at in every other picture. */
  #isDue(host: number, cells: Cells): boolean {
    return cells.tasks < MANY_TASKS || (this.#taken + host) % 2 === 0;
  }

  #read(runtime: { taskStates(into: Uint32Array): Uint32Array }): Uint32Array {
    const states = runtime.taskStates(this.#states);
    if (states.buffer !== this.#states.buffer) this.#states = new Uint32Array(2 * states.length);
    return states;
  }

  #allCells(length: number): Uint8Array {
    const all = new Uint8Array(length);
    let at = 0;
    for (const cells of this.#cells) {
      all.set(cells.bytes.subarray(0, cells.length), at);
      at += cells.length;
    }
    return all;
  }

  #lookAtTask(network: Network): TaskDetail | undefined {
    const selected = this.#selected;
    if (selected === undefined || this.#pictures++ % DETAIL_PICTURES !== 0) return this.#detail;
    const { host, id } = selected;
    const [dump] = network.programs[host]?.runtime.dump({ tasks: [id] }) ?? [];
    if (dump === undefined) {
      const ended = { state: "ended", waitsFor: "nothing: it has ended", stack: [], waitsMs: 0 };
      this.#detail = this.#detail && { ...this.#detail, ...ended };
      return this.#detail;
    }
    const cell = this.#cells[host]!.placeOf(id);
    this.#detail = {
      host,
      cell,
      wait: this.#waits.names[this.#cells[host]!.bytes[cell]! & CELL_WAIT]!,
      id,
      entry: dump.entry,
      state: dump.state,
      waitsFor: dump.waitsFor,
      waitsMs: dump.waitsMs,
      ageMs: dump.ageMs,
      switches: dump.switches,
      stackBytes: dump.stackBytes,
      stackUsedBytes: dump.stackUsedBytes,
      stack: dump.stack,
    };
    return this.#detail;
  }
}
