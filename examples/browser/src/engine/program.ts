//! What runs on one host of the network: a guest, how many clients it is to have, and what it has counted.

import { type Channel, Runtime } from "stackful";
import type { SimHost } from "stackful/sim";
import { guestModule } from "./guests.ts";
import type { HostKind } from "./protocol.ts";
import type { TimedHost } from "./timed-host.ts";

/** struct counters of guests/demo.h. */
const ERRORS = 80;
const COUNTERS_WORDS = 1 + ERRORS;

const PORTS = { "echo-client": 7000, "chat-client": 8000 } as const;

/** A client that asks: one task here and one at the server. */
const ENTRIES = { "echo-client": "echo_clients", "chat-client": "chat_clients" } as const;

/** Tasks that one slider's worth of this program may have, main and crowd included. */
const TASKS_MAX = 250_000;

export class Program {
  readonly kind: HostKind;
  readonly runtime: Runtime;
  readonly #counters: number;
  readonly #wanted: Channel<number> | undefined;
  #clients = 0;
  #clientsSent = 0;

  /**
   * Starts the guest of `kind` on `host`.
   *
   * @param servers - those that its clients turn to.
   * @param broke - told why, when it cannot go on and nobody has stopped it.
   */
  static async start(
    kind: HostKind,
    host: TimedHost,
    servers: readonly SimHost[],
    broke: (error: unknown) => void,
  ): Promise<Program> {
    const runtime = await Runtime.create(await guestModule(kind), {
      backend: host,
      program: kind,
      grants: { listen: ["*"], connect: ["*"] },
      limits: { tasksMax: TASKS_MAX, handlesMax: TASKS_MAX, guestMemoryBytes: 8 * 1024 * 1024 },
      onTaskFailed: broke,
      onOutput: () => {},
    });
    return new Program(kind, runtime, servers, broke);
  }

  private constructor(
    kind: HostKind,
    runtime: Runtime,
    servers: readonly SimHost[],
    broke: (error: unknown) => void,
  ) {
    this.kind = kind;
    this.runtime = runtime;
    const { demo_counters, add_server } = runtime.exports as Record<string, GuestFunction>;
    this.#counters = demo_counters!() >>> 0;
    if (kind === "echo-client" || kind === "chat-client") {
      for (const { addresses } of servers) add_server!(ipv4Word(addresses.ipv4), PORTS[kind]);
      this.#wanted = runtime.channel({ item: "i32", capacity: 1 });
      runtime.spawn(ENTRIES[kind], [this.#wanted.address]).then(undefined, broke);
    } else {
      runtime.run().catch(broke);
    }
  }

  /** How many clients there are to be. Takes effect with `sendWanted`. */
  set clients(count: number) {
    this.#clients = count;
  }

  /** Tells the guest, as soon as it has taken what it was told before. */
  sendWanted(): void {
    if (this.#wanted === undefined || this.#clients === this.#clientsSent) return;
    if (this.#wanted.trySend(this.#clients)) this.#clientsSent = this.#clients;
  }

  /** Messages, and then errors by enum sf_errno. */
  readCounters(): Uint32Array {
    return new Uint32Array(this.runtime.memory.buffer, this.#counters, COUNTERS_WORDS);
  }
}

type GuestFunction = (...args: number[]) => number;

export const NO_COUNTERS: Uint32Array = new Uint32Array(COUNTERS_WORDS);

/** The first byte lowest. */
function ipv4Word(address: string): number {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return a | (b << 8) | (c << 16) | (d << 24);
}
