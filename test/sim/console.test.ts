//! Laws of the standard streams of runtimes on simulated hosts, and of simulated terminals.

import { expect, test } from "vitest";
import { OP, TERMINAL_MODE } from "../../ts/abi.gen.ts";
import type { ConsoleOptions, SimConsole } from "../../ts/host/sim/sim-console.ts";
import type { World } from "../../ts/host/sim/world.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import { errnoName, Guest, must, pattern, text } from "../conformance/guest.ts";
import { endOf, spawn } from "../conformance/process-guest.ts";
import { sizeOf } from "../conformance/stdio-report.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { withWorld } from "./worlds.ts";

const load = guestOfFile("stdio", { command: true });

interface Seat {
  readonly console: SimConsole;
  readonly guest: Guest;
  /** Handles of its streams. */
  readonly streams: readonly [number, number, number];
}

/** A guest at a console. */
async function seatAt(world: World, options: ConsoleOptions): Promise<Seat> {
  const console = world.host("host").console(options);
  const grants = { stdio: true, processes: true, connect: [{}], listen: [{}] } as const;
  const guest = new Guest(await console.open({ grants, handlesMax: 64 }));
  const open = async (argument: number): Promise<number> =>
    must(await guest.submit({ op: OP.STDIO, argument }));
  return { console, guest, streams: [await open(0), await open(1), await open(2)] };
}

const TERMINAL = { terminal: { columns: 80, rows: 24 } };

function setMode({ guest }: Seat, handle: number, argument: number): Promise<number> {
  return guest.submit({ op: OP.TERMINAL_MODE, handle, argument });
}

test("a guest reads what the embedder writes, to its end, and is read in turn", async () => {
  await withWorld({}, async (world) => {
    const { console, guest, streams } = await seatAt(world, {});
    const waiting = guest.read(streams[0], 16);
    await guest.roundTrip(await guest.pair());
    console.write("hello");
    expect(text(await waiting)).toBe("hello");
    console.write("last");
    console.end();
    expect(() => console.write("more")).toThrow(RangeError);
    expect(text(await guest.readToEnd(streams[0]))).toBe("last");
    await guest.writeAll(streams[1], "output");
    await guest.writeAll(streams[2], "errors");
    await guest.roundTrip(await guest.pair());
    expect([text(console.output()), text(console.output(2))]).toEqual(["output", "errors"]);
    expect(console.output()).toHaveLength(0);
    const lines: string[] = [];
    console.onOutput = (data, stream) => lines.push(`${stream}: ${text(data)}`);
    await guest.writeAll(streams[2], "later");
    await guest.roundTrip(await guest.pair());
    expect(lines).toEqual(["2: later"]);
    expect(errnoName(await setMode({ console, guest, streams }, streams[0], 1))).toBe("ENOTTY");
    expect(() => console.resize(1, 1)).toThrow(TypeError);
  });
});

test("streams go one way, and have no other operation", async () => {
  await withWorld({}, async (world) => {
    const { guest, streams } = await seatAt(world, TERMINAL);
    const ask = async (op: number, handle: number): Promise<string> =>
      errnoName(await guest.submit({ op, handle, ...guest.put("????") }));
    expect(await ask(OP.WRITE, streams[0])).toBe("EBADF");
    expect(await ask(OP.READ, streams[1])).toBe("EBADF");
    for (const op of [OP.PREAD, OP.SHUTDOWN, OP.SEND_FILE, OP.SET_OPTION])
      expect(await ask(op, streams[1])).toBe("ENOTSUP");
  });
});

test("on a host without a console streams lead nowhere", async () => {
  await withWorld({}, async (world) => {
    const backend = await world.host("host").open({ grants: { stdio: true }, handlesMax: 4 });
    const guest = new Guest(backend);
    const input = must(await guest.submit({ op: OP.STDIO, argument: 0 }));
    const output = must(await guest.submit({ op: OP.STDIO, argument: 1 }));
    expect(await guest.read(input, 4)).toHaveLength(0);
    await guest.writeAll(output, "to nobody");
  });
});

test("a terminal shows what is typed, has lines that can be edited, and an end", async () => {
  await withWorld({}, async (world) => {
    const { console, guest, streams } = await seatAt(world, TERMINAL);
    const waiting = guest.read(streams[0], 64);
    console.write("abcä\x7f");
    await guest.roundTrip(await guest.pair());
    expect(guest.backend.pending).toBe(1);
    console.write("\x08x\r");
    expect(text(await waiting)).toBe("abx\n");
    expect(text(console.output())).toBe("abcä\b \b\b \bx\n");
    console.write("part\x04");
    expect(text(await guest.read(streams[0], 64))).toBe("part");
    console.write("\x04");
    expect(await guest.read(streams[0], 64)).toHaveLength(0);
  });
});

test("a terminal is raw as long as some handle has it so", async () => {
  await withWorld({}, async (world) => {
    const seat = await seatAt(world, TERMINAL);
    const { console, guest, streams } = seat;
    console.write("be");
    must(await setMode(seat, streams[0], TERMINAL_MODE.RAW));
    must(await setMode(seat, streams[1], TERMINAL_MODE.RAW));
    console.write("\x03q");
    await guest.roundTrip(await guest.pair());
    expect(text(await guest.readExactly(streams[0], 4))).toBe("be\x03q");
    expect(text(console.output())).toBe("be");
    must(await setMode(seat, streams[0], TERMINAL_MODE.COOKED));
    expect(console.raw).toBe(true);
    must(await guest.close(streams[1]));
    expect(console.raw).toBe(false);
    must(await setMode(seat, streams[0], TERMINAL_MODE.RAW));
    await guest.backend[Symbol.asyncDispose]();
    expect(console.raw).toBe(false);
  });
});

test("a terminal has a size; another, and keys, are signals to the programs at it", async () => {
  await withWorld({}, async (world) => {
    const host = world.host("host");
    const { console, guest, streams } = await seatAt(world, TERMINAL);
    const signals: string[] = [];
    console.onSignal = (signal) => signals.push(signal);
    host.program("/bin/top", async (process) => {
      process.onSignal("SIGWINCH", () => void process.write("resized\n"));
      await process.write("ready\n");
      await process.sleep(3_600_000);
      return 0;
    });
    const stdio = ["inherit", "pipe", "inherit"] as const;
    const { handle, pipes } = await spawn(guest, { path: "/bin/top", stdio });
    await guest.readExactly(pipes[1], 6);
    expect(await sizeOf(guest, streams[1])).toEqual([80, 24]);
    console.resize(132, 50);
    expect(await sizeOf(guest, streams[0])).toEqual([132, 50]);
    expect(text(await guest.readExactly(pipes[1], 8))).toBe("resized\n");
    console.write("never read\x03");
    expect(await endOf(guest, handle)).toEqual({ code: -1, signal: 2 });
    console.write("\x1c");
    expect(signals).toEqual(["SIGWINCH", "SIGINT", "SIGQUIT"]);
    expect(() => console.resize(-1, 24)).toThrow(RangeError);
  });
});

test("a runtime at a console has its streams", async () => {
  await withWorld({}, async (world) => {
    const console = world.host("host").console();
    const module = await WebAssembly.compile((await load()).wasm);
    const created = Runtime.create(module, { backend: console, grants: { stdio: true } });
    await using runtime = await world.hold(created);
    const code = runtime.run();
    const sent = pattern(200_000);
    console.write(sent);
    console.end();
    expect(await code).toBe(0);
    expect(Buffer.compare(console.output(), sent)).toBe(0);
  });
});
