import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ADDRESS, ERRNO, OP } from "../../ts/abi.gen.ts";
import type { Backend, BackendOptions, Grants } from "../../ts/host/backend.ts";
import { openNodeBackend } from "../../ts/host/node/node-backend.ts";
import { errnoName, Guest, LOOPBACK, LOOPBACK_IPV6, NO_IPV6 } from "../conformance/guest.ts";
import { OTHER_HOST, openMechanism, otherName } from "../native/other-host.ts";
import { MECHANISMS } from "../native/with-native.ts";
import {
  AREA_BYTES,
  type Batch,
  batches,
  expectedErrno,
  type Kind,
  type Place,
  readsAddress,
  type Step,
} from "./address-garbage.ts";

/** Nothing but loopback, whatever the garbage says. */
const GRANTS: Grants = {
  connect: [LOOPBACK, LOOPBACK_IPV6].map((bytes) => ({ bytes: Uint8Array.from(bytes) })),
  listen: [LOOPBACK, LOOPBACK_IPV6].map((bytes) => ({ bytes: Uint8Array.from(bytes), port: 0 })),
};

/** The memory stays below this. */
const MEMORY_BYTES_MAX = 1 << 21;

interface Running {
  readonly what: string;
  readonly expected: string | undefined;
  readonly token: number;
  readonly result: Promise<number>;
  /** The result of a success; undefined: any. */
  readonly success: number | undefined;
  /** Where it may write: the address, and the bytes of a datagram; 0: it does not. */
  readonly address: number;
  readonly pointer: number;
}

class Bench {
  readonly #guest: Guest;
  /** What operations read is in one area, what they write in the other: one of them has the end. */
  readonly #areas: { readonly read: number; readonly written: number };
  readonly #endIs: "read" | "written";
  readonly #handles: { readonly kind: Kind; readonly handle: number }[] = [];
  readonly #udpPorts: number[] = [];
  #listenerPort = 0;
  readonly #running: Running[] = [];
  /** The guest's memory as it is wherever no operation may have written. */
  #memory: Uint8Array = new Uint8Array(0);

  constructor(backend: Backend, endIs: "read" | "written") {
    this.#guest = new Guest(backend);
    this.#guest.automatic = false;
    this.#areas = {
      read: this.#guest.alloc(AREA_BYTES + ADDRESS.size),
      written: this.#guest.alloc(AREA_BYTES + ADDRESS.size),
    };
    this.#endIs = endIs;
  }

  async open(): Promise<void> {
    const guest = this.#guest;
    guest.automatic = true;
    const { listener, port, client, server } = await guest.pair();
    this.#listenerPort = port;
    for (const bytes of [LOOPBACK, LOOPBACK, LOOPBACK_IPV6]) {
      if (bytes === LOOPBACK_IPV6 && NO_IPV6 !== undefined) continue;
      const { handle, address } = await guest.udp(bytes);
      this.#handles.push({ kind: bytes === LOOPBACK ? "udp4" : "udp6", handle });
      this.#udpPorts.push(address.port);
    }
    this.#handles.push(...this.#handles);
    this.#handles.push({ kind: "listener", handle: listener });
    for (const handle of [client, server]) this.#handles.push({ kind: "stream", handle });
    this.#handles.push({ kind: "forged", handle: client ^ (1 << 20) });
    guest.automatic = false;
    this.#memory = guest.bytes(0, guest.memory.buffer.byteLength);
  }

  async run({ steps, after }: Batch): Promise<void> {
    for (const step of steps) this.#putRecord(step);
    for (const step of steps) this.#submit(step);
    this.#guest.turn();
    if (after === "loop") await new Promise((resolve) => setImmediate(resolve));
    if (after === "grow" && this.#memory.length < MEMORY_BYTES_MAX) {
      const before = this.#memory;
      this.#guest.grow(1);
      this.#memory = new Uint8Array(this.#guest.memory.buffer.byteLength);
      this.#memory.set(before);
    }
  }

  /** Ends what still waits; then every result and every byte must be as expected. */
  async finish(): Promise<void> {
    const guest = this.#guest;
    guest.automatic = true;
    for (const { token } of this.#running) guest.cancel(token);
    for (const running of this.#running) await this.#check(running);
    const tokens = new Set(this.#running.map(({ token }) => token));
    expect(guest.log.filter(({ token }) => tokens.has(token))).toHaveLength(tokens.size);
    const start = this.#areas.read;
    const now = guest.bytes(start, this.#memory.length - start);
    expect(Buffer.compare(now, this.#memory.subarray(start))).toBe(0);
  }

  #submit(step: Step): void {
    const guest = this.#guest;
    const { op, length } = step;
    const { kind, handle } = this.#handles[step.handle % this.#handles.length]!;
    const address = this.#resolve(step.address, readsAddress(op) ? "read" : "written");
    const pointer = this.#resolve(step.buffer, op === OP.SEND_TO ? "read" : "written");
    const transfer = op === OP.SEND_TO || op === OP.RECEIVE_FROM;
    const submission = transfer
      ? { op, handle, pointer, length, argument: address }
      : { op, handle, pointer: address, argument: 8 };
    const situation = { op, kind, address, pointer, length, memory: this.#memory };
    const started = guest.start(submission);
    if (step.cancel) guest.cancel(started.token);
    this.#running.push({
      ...started,
      what: JSON.stringify({ ...submission, kind }),
      expected: expectedErrno(situation),
      success: op === OP.SEND_TO ? length : undefined,
      address: readsAddress(op) ? 0 : address,
      pointer: op === OP.RECEIVE_FROM ? pointer : 0,
    });
  }

  async #check({ what, expected, success, result, address, pointer }: Running): Promise<void> {
    const value = await result;
    const name = errnoName(value);
    if (expected !== undefined) expect(`${what}: ${name}`).toBe(`${what}: ${expected}`);
    if (value < 0) {
      expect(ERRNO).toHaveProperty(name);
      return;
    }
    if (success !== undefined) expect(`${what}: ${value}`).toBe(`${what}: ${success}`);
    if (address !== 0) this.#accept(address, ADDRESS.size);
    if (pointer !== 0 && value > 0) this.#accept(pointer, value);
  }

  /** What lies there is an operation's. */
  #accept(pointer: number, bytes: number): void {
    this.#memory.set(this.#guest.bytes(pointer, bytes), pointer);
  }

  #resolve({ from, offset }: Place, use: "read" | "written"): number {
    const end = this.#memory.length;
    if (from === "beyond") return end + (offset % (2 ** 32 - end));
    if (from === "end" && use === this.#endIs) return end - (offset % 65);
    return this.#areas[use] + (offset % AREA_BYTES);
  }

  /** As much of it as fits the memory. A loopback address gets a port that is this test's. */
  #putRecord({ op, handle, record, address }: Step): void {
    if (!readsAddress(op)) return;
    const ours = record.slice();
    const ports =
      op === OP.SEND_TO ? [...this.#udpPorts, 0] : op === OP.CONNECT ? [this.#listenerPort] : [0];
    const loopback = [LOOPBACK, LOOPBACK_IPV6].some((bytes) =>
      bytes.every((byte, index) => ours[ADDRESS.bytes + index] === byte),
    );
    const port = ports[handle % ports.length]!;
    if (loopback) new DataView(ours.buffer).setUint16(ADDRESS.port, port, true);
    const at = this.#resolve(address, "read");
    const part = ours.subarray(0, Math.max(0, this.#memory.length - at));
    if (part.length === 0) return;
    this.#memory.set(part, at);
    new Uint8Array(this.#guest.memory.buffer).set(part, at);
  }
}

type Open = (options: BackendOptions) => Promise<Backend>;

const BACKENDS: readonly (readonly [string, Open])[] = [
  ["node", openNodeBackend],
  ...MECHANISMS.flatMap((name): [string, Open][] => [
    [name, async (options) => openMechanism(name, options)],
    [otherName(name), async (options) => openMechanism(name, options, OTHER_HOST)],
  ]),
];

async function reasonNotToOpen(open: Open): Promise<string | undefined> {
  try {
    const backend = await open({ grants: {}, handlesMax: 1 });
    await backend[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

// Goal: whatever lies where an sf_address belongs, and wherever that is, an operation ends with the
// error that the laws name, completes once, and writes nothing outside what it was given.
// Method: batches of operations with random records at random places, some canceled, while the memory
// grows; a model says which error the first rule that is broken gives. A copy of the memory follows what
// successful operations may write, and must be the memory at the end.
describe.each(BACKENDS)("garbage addresses on %s", (_name, open) => {
  test("give the error of the laws and touch no other memory", {
    timeout: 300_000,
  }, async (context) => {
    const unavailable = await reasonNotToOpen(open);
    context.skip(unavailable !== undefined, unavailable);
    const property = fc.asyncProperty(
      batches,
      fc.constantFrom("read" as const, "written" as const),
      async (given, endIs) => {
        const backend = await open({ grants: GRANTS, handlesMax: 64 });
        const bench = new Bench(backend, endIs);
        await bench.open();
        for (const batch of given) await bench.run(batch);
        await bench.finish();
        await backend[Symbol.asyncDispose]();
        expect(backend.handlesOpen + backend.pending).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });
});
