//! Laws of socket options: units, ranges, what each kind of socket has, and what lingering does.

import { expect } from "vitest";
import { OP, OPEN, OPTION } from "../../ts/abi.gen.ts";
import type { BackendName } from "../../ts/host/backend.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { errnoName, must, pattern, text } from "./guest.ts";

/** Options that have no function in a host's API. */
const MISSING: Readonly<Partial<Record<BackendName, readonly number[]>>> = {
  node: [OPTION.SEND_BUFFER, OPTION.RECEIVE_BUFFER, OPTION.HOPS],
  deno: Object.values(OPTION).filter((option) => option !== OPTION.NO_DELAY),
};

const TCP: readonly number[] = [
  OPTION.NO_DELAY,
  OPTION.KEEP_ALIVE,
  OPTION.SEND_BUFFER,
  OPTION.RECEIVE_BUFFER,
  OPTION.LINGER,
  OPTION.HOPS,
];
const UDP: readonly number[] = [
  OPTION.SEND_BUFFER,
  OPTION.RECEIVE_BUFFER,
  OPTION.BROADCAST,
  OPTION.MULTICAST_HOPS,
  OPTION.MULTICAST_LOOP,
  OPTION.HOPS,
];

/** Smallest and largest value of each. */
const RANGES: Readonly<Record<number, readonly [number, number]>> = {
  [OPTION.NO_DELAY]: [0, 1],
  [OPTION.KEEP_ALIVE]: [0, 32_767],
  [OPTION.SEND_BUFFER]: [1, 2 ** 30],
  [OPTION.RECEIVE_BUFFER]: [1, 2 ** 30],
  [OPTION.LINGER]: [-1, 32_767],
  [OPTION.BROADCAST]: [0, 1],
  [OPTION.MULTICAST_HOPS]: [0, 255],
  [OPTION.MULTICAST_LOOP]: [0, 1],
  [OPTION.HOPS]: [1, 255],
};

const BUFFERS: readonly number[] = [OPTION.SEND_BUFFER, OPTION.RECEIVE_BUFFER];

function tcpOptions({ name }: Bench): number[] {
  return TCP.filter((option) => !MISSING[name]?.includes(option));
}

export function optionLaws(law: Law): void {
  valueLaws(law);
  refusalLaws(law);
  effectLaws(law);
}

function valueLaws(law: Law): void {
  law("an option of a connection is what it was set to", async (bench) => {
    const { guest } = bench;
    const { listener, client, server } = await guest.pair();
    const values: Readonly<Record<number, readonly number[]>> = {
      [OPTION.NO_DELAY]: [0, 1],
      [OPTION.KEEP_ALIVE]: [30, 7200, 0],
      [OPTION.LINGER]: [0, -1],
      [OPTION.HOPS]: [1, 255, 64],
    };
    for (const handle of [client, server, listener]) {
      for (const option of tcpOptions(bench)) {
        for (const value of values[option] ?? []) {
          expect(await guest.setOption(handle, option, value)).toBe(0);
          expect(await guest.getOption(handle, option)).toBe(value);
        }
      }
    }
  });

  law("an option of a UDP socket is what it was set to", async ({ guest }) => {
    const { handle } = await guest.udp();
    for (const [option, ...values] of [
      [OPTION.BROADCAST, 1, 0],
      [OPTION.MULTICAST_HOPS, 255, 1],
      [OPTION.MULTICAST_LOOP, 0, 1],
      [OPTION.HOPS, 1, 255, 64],
    ] as const) {
      for (const value of values) {
        expect(await guest.setOption(handle, option, value)).toBe(0);
        expect(await guest.getOption(handle, option)).toBe(value);
      }
    }
  });

  law("what is sent to a group can be kept from every other machine", async ({ guest }) => {
    const { handle } = await guest.udp();
    expect(await guest.setOption(handle, OPTION.MULTICAST_HOPS, 0)).toBe(0);
    expect(await guest.getOption(handle, OPTION.MULTICAST_HOPS)).toBe(0);
  });

  law("options begin as the system has them, without delay", async (bench) => {
    const { guest } = bench;
    const { client, server } = await guest.pair();
    for (const handle of [client, server]) {
      expect(await guest.getOption(handle, OPTION.NO_DELAY)).toBe(1);
      if (!tcpOptions(bench).includes(OPTION.LINGER)) continue;
      expect(await guest.getOption(handle, OPTION.KEEP_ALIVE)).toBe(0);
      expect(await guest.getOption(handle, OPTION.LINGER)).toBe(-1);
    }
    const { handle } = await guest.udp();
    expect(await guest.getOption(handle, OPTION.BROADCAST)).toBe(0);
    expect(await guest.getOption(handle, OPTION.MULTICAST_HOPS)).toBe(1);
    expect(await guest.getOption(handle, OPTION.MULTICAST_LOOP)).toBe(1);
  });

  law("a buffer has at least the bytes that were asked for, as far as it may", async (bench) => {
    const { guest } = bench;
    const { client } = await guest.pair();
    const { handle } = await guest.udp();
    for (const option of BUFFERS) {
      for (const socket of tcpOptions(bench).includes(option) ? [client, handle] : [handle]) {
        expect(await guest.getOption(socket, option)).toBeGreaterThan(0);
        expect(await guest.setOption(socket, option, 16_384)).toBe(0);
        expect(await guest.getOption(socket, option)).toBeGreaterThanOrEqual(16_384);
      }
    }
  });

  law("an accepted connection has the options of its listener", async (bench) => {
    const { guest } = bench;
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    must(await guest.setOption(listener, OPTION.NO_DELAY, 0));
    const keeps = tcpOptions(bench).includes(OPTION.KEEP_ALIVE);
    if (keeps) must(await guest.setOption(listener, OPTION.KEEP_ALIVE, 77));
    must(await guest.connect(port));
    const server = must(await guest.accept(listener));
    expect(await guest.getOption(server, OPTION.NO_DELAY)).toBe(0);
    if (keeps) expect(await guest.getOption(server, OPTION.KEEP_ALIVE)).toBe(77);
  });
}

function refusalLaws(law: Law): void {
  law("an option that a socket does not have gives -ENOPROTOOPT", async (bench) => {
    const { guest } = bench;
    const { listener, client } = await guest.pair();
    const { handle: udp } = await guest.udp();
    const all = [...Object.values(OPTION), 0, 10, 99, 0xffff_ffff];
    for (const [handle, has] of [
      [client, tcpOptions(bench)],
      [listener, tcpOptions(bench)],
      [udp, UDP],
    ] as const) {
      for (const option of all.filter((one) => !has.includes(one))) {
        const set = await guest.setOption(handle, option, 1);
        expect(`${option}: ${errnoName(set)}`).toBe(`${option}: ENOPROTOOPT`);
        const get = { op: OP.GET_OPTION, handle, argument: option, otherPointer: guest.alloc(8) };
        expect(errnoName(await guest.submit(get))).toBe("ENOPROTOOPT");
      }
    }
  });

  law("a value out of an option's range gives -EINVAL, and changes nothing", async (bench) => {
    const { guest } = bench;
    const { client } = await guest.pair();
    const { handle: udp } = await guest.udp();
    for (const [handle, options] of [
      [client, tcpOptions(bench)],
      [udp, UDP],
    ] as const) {
      for (const option of options) {
        const [least, most] = RANGES[option]!;
        const before = await guest.getOption(handle, option);
        for (const value of [least - 1, most + 1, 2n ** 32n, 2n ** 63n - 1n, -(2n ** 63n)]) {
          const result = await guest.setOption(handle, option, value);
          expect(`${option} = ${value}: ${errnoName(result)}`).toBe(`${option} = ${value}: EINVAL`);
        }
        expect(await guest.getOption(handle, option)).toBe(before);
      }
    }
  });

  law("options of a file give -ENOTSOCK, and of a forged handle -EBADF", async ({ guest }) => {
    const file = must(await guest.open("/data", OPEN.READ));
    for (const [handle, errno] of [
      [file, "ENOTSOCK"],
      [0, "EBADF"],
      [-1, "EBADF"],
      [0x7fff_ffff, "EBADF"],
    ] as const) {
      expect(errnoName(await guest.setOption(handle, OPTION.NO_DELAY, 1))).toBe(errno);
      const get = { op: OP.GET_OPTION, handle, argument: OPTION.NO_DELAY };
      expect(errnoName(await guest.submit({ ...get, otherPointer: guest.alloc(8) }))).toBe(errno);
    }
  });

  law("GET_OPTION into the wild gives -EFAULT", async ({ guest }) => {
    const { client } = await guest.pair();
    const end = guest.memory.buffer.byteLength;
    for (const otherPointer of [end, end - 7, 0xffff_fff8, 0xffff_ffff]) {
      const get = { op: OP.GET_OPTION, handle: client, argument: OPTION.NO_DELAY, otherPointer };
      expect(errnoName(await guest.submit(get))).toBe("EFAULT");
    }
    const last = { op: OP.GET_OPTION, handle: client, argument: OPTION.NO_DELAY };
    expect(await guest.submit({ ...last, otherPointer: end - 8 })).toBe(0);
    expect(Number(guest.view.getBigInt64(end - 8, true))).toBe(1);
  });
}

function effectLaws(law: Law): void {
  law("CLOSE of a connection that lingers for 0 seconds resets it", async (bench) => {
    const { guest } = bench;
    if (!tcpOptions(bench).includes(OPTION.LINGER)) return;
    const { client, server } = await guest.pair();
    const reading = guest.submit({ op: OP.READ, handle: server, ...guest.put("....") });
    await guest.localAddress(server);
    must(await guest.setOption(client, OPTION.LINGER, 0));
    expect(await guest.close(client)).toBe(0);
    expect(errnoName(await reading)).toBe("ECONNRESET");
  });

  law("CLOSE of a connection that lingers loses no bytes", async (bench) => {
    const { guest } = bench;
    if (!tcpOptions(bench).includes(OPTION.LINGER)) return;
    const { client, server } = await guest.pair();
    const lingers = await guest.setOption(client, OPTION.LINGER, 30);
    // Node has the reset alone.
    expect(errnoName(lingers)).toBe(bench.name === "node" ? "ENOPROTOOPT" : "0");
    const data = pattern(150_000);
    await guest.writeAll(client, data);
    const closing = guest.close(client);
    expect(Buffer.compare(await guest.readToEnd(server), data)).toBe(0);
    expect(await closing).toBe(0);
  });

  law("connections that linger do not keep a backend that is disposed", async (bench) => {
    const { guest } = bench;
    if (!tcpOptions(bench).includes(OPTION.LINGER) || bench.name === "node") return;
    const other = await guest.pair();
    const piece = guest.put(pattern(256 * 1024));
    for (const closes of [true, false]) {
      // Nobody reads at the other end.
      const { client } = await guest.pair();
      must(await guest.setOption(client, OPTION.LINGER, 32_767));
      for (let index = 0; index < 64; index++) {
        void guest.submit({ op: OP.WRITE, handle: client, ...piece });
      }
      await guest.roundTrip(other);
      if (closes) void guest.close(client);
      await guest.roundTrip(other);
    }
  });

  law("SEND_TO everybody is allowed once BROADCAST is set", async ({ guest }) => {
    const handle = must(await guest.udpBind(0, [0, 0, 0, 0]));
    const everybody = { bytes: [255, 255, 255, 255], port: 9 };
    must(await guest.setOption(handle, OPTION.BROADCAST, 1));
    const sent = await guest.sendTo(handle, "x", everybody);
    // Without a network there is nobody.
    expect(["1", "ENETUNREACH"]).toContain(errnoName(sent));
    must(await guest.setOption(handle, OPTION.BROADCAST, 0));
    expect(errnoName(await guest.sendTo(handle, "x", everybody))).toBe("EACCES");
  });

  law("a connection works whatever its options are", async (bench) => {
    const { guest } = bench;
    const pair = await guest.pair();
    for (const option of tcpOptions(bench)) {
      const [, most] = RANGES[option]!;
      const value = option === OPTION.LINGER ? 0 : most;
      must(await guest.setOption(pair.client, option, value));
    }
    await guest.writeAll(pair.client, "options");
    expect(text(await guest.readExactly(pair.server, 7))).toBe("options");
  });
}
