//! The program behind the laws about the process's own streams: uses them through one backend after the other,
//! and writes what it saw into a file. Parameters: that file; what the streams are, see stdio.test.ts; the
//! backends.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { OP, TERMINAL_MODE } from "../../ts/abi.gen.ts";
import type { Backend, BackendName, BackendOptions } from "../../ts/host/backend.ts";
import { openBackend } from "../../ts/host/open-backend.ts";
import { openOther } from "../native/other-host.ts";
import { errnoName, Guest, must, pattern, text } from "./guest.ts";
import { type Kind, MUCH_BYTES, type Seen, sizeOf } from "./stdio-report.ts";

const [report = "", kind, ...names] = process.argv.slice(2) as [string, Kind, ...string[]];

// Whatever the tests around it are told to use.
delete process.env.STACKFUL_BACKEND;

if (kind === "exit") await exitRaw(names[0]!);

const seen: Record<string, Seen | string> = {};
for (const name of names) {
  try {
    seen[name] = await tryBackend(name);
  } catch (error) {
    seen[name] = String((error as Error).stack);
    process.exitCode = 1;
    break;
  }
}
writeFileSync(report, JSON.stringify(seen));
process.stderr.write("done\n");

/** Leaves its terminal raw, and everything open. */
async function exitRaw(name: string): Promise<never> {
  const guest = new Guest(await open(name, { grants: { stdio: true }, handlesMax: 1 }));
  const handle = await stream(guest, 0);
  must(await guest.submit({ op: OP.TERMINAL_MODE, handle, argument: TERMINAL_MODE.RAW }));
  process.exit(0);
}

async function tryBackend(name: string): Promise<Seen> {
  const backend = await open(name, {
    grants: { stdio: true, connect: [{}], listen: [{}] },
    handlesMax: 32,
  });
  try {
    return await useStreams(name, new Guest(backend), backend);
  } finally {
    await backend[Symbol.asyncDispose]();
  }
}

async function useStreams(name: string, guest: Guest, backend: Backend): Promise<Seen> {
  const flags = [0, 1, 2].map(statusFlags);
  const say = async (what: string): Promise<void> => {
    const handle = await stream(guest, 2);
    await guest.writeAll(handle, `${what} ${name}\n`);
    must(await guest.close(handle));
  };
  const refused = await refusals(guest);
  const waits = kind === "nothing" || kind === "files" ? undefined : await waiting(guest, backend);

  let input = await stream(guest, 0);
  const output = await stream(guest, 1);
  await say("ready");
  const line = kind === "nothing" ? "" : `line ${name}\n`;
  const read = text(await guest.readExactly(input, line.length));
  await guest.writeAll(output, read);
  const terminal = kind === "terminal" ? await useTerminal(guest, input, say) : undefined;
  if (kind === "pipes" || kind === "sockets") await fill(guest, output, say);
  must(await guest.close(input));
  input = await stream(guest, 0);
  const again = kind === "nothing" ? (await guest.read(input, 10)).length : 0;
  return {
    refused,
    ...(waits === undefined ? {} : { waits }),
    read,
    again,
    ...(terminal === undefined ? {} : { terminal }),
    flagsKept: [0, 1, 2].every((fd) => statusFlags(fd) === flags[fd]),
  };
}

async function stream(guest: Guest, number: number): Promise<number> {
  return must(await guest.submit({ op: OP.STDIO, argument: number }));
}

/** Errors, by what was asked. */
async function refusals(guest: Guest): Promise<Seen["refused"]> {
  const [input, output] = [await stream(guest, 0), await stream(guest, 1)];
  const ask = async (op: number, handle: number): Promise<string> => {
    return errnoName(await guest.submit({ op, handle, ...guest.put("????") }));
  };
  const refused = {
    "WRITE to input": await ask(OP.WRITE, input),
    "READ of output": await ask(OP.READ, output),
    PREAD: await ask(OP.PREAD, input),
    SHUTDOWN: await ask(OP.SHUTDOWN, output),
    SEND_FILE: await ask(OP.SEND_FILE, output),
    SET_OPTION: await ask(OP.SET_OPTION, output),
    TERMINAL_MODE: await ask(OP.TERMINAL_MODE, output),
    TERMINAL_SIZE: await ask(OP.TERMINAL_SIZE, output),
    "stream 3": errnoName(await guest.submit({ op: OP.STDIO, argument: 3 })),
  };
  for (const handle of [input, output]) must(await guest.close(handle));
  return refused;
}

/** What becomes of READs that find nothing; connections go on meanwhile. */
async function waiting(guest: Guest, backend: Backend): Promise<Seen["waits"]> {
  const input = await stream(guest, 0);
  const canceled = guest.start({ op: OP.READ, handle: input, ...guest.put("?") });
  const closed = guest.start({ op: OP.READ, handle: input, ...guest.put("?") });
  await guest.roundTrip(await guest.pair());
  const { pending } = backend;
  guest.cancel(canceled.token);
  const first = errnoName(await canceled.result);
  must(await guest.close(input));
  return { pending, canceled: first, closed: errnoName(await closed.result) };
}

/** Writes more than anything holds while nobody reads: connections go on meanwhile. */
async function fill(
  guest: Guest,
  output: number,
  say: (what: string) => Promise<void>,
): Promise<void> {
  const much = pattern(MUCH_BYTES);
  let written = false;
  const all = guest.writeAll(output, much).then(() => {
    written = true;
  });
  const pair = await guest.pair();
  for (let turn = 0; turn < 100; turn++) await guest.roundTrip(pair);
  if (written) throw new Error("a stream that nobody reads took everything");
  await say("full");
  await all;
}

async function useTerminal(
  guest: Guest,
  input: number,
  say: (what: string) => Promise<void>,
): Promise<Seen["terminal"]> {
  const before = mode();
  const setMode = (handle: number, argument: number) =>
    guest.submit({ op: OP.TERMINAL_MODE, handle, argument });
  const size = await sizeOf(guest, input);

  must(await setMode(input, TERMINAL_MODE.RAW));
  await say("raw");
  const keys = text(await guest.readExactly(input, 2));
  const raw = mode() !== before;
  // It stays raw while another handle has it so.
  const output = await stream(guest, 1);
  must(await setMode(output, TERMINAL_MODE.RAW));
  must(await setMode(input, TERMINAL_MODE.COOKED));
  const stillRaw = mode() !== before;
  must(await guest.close(output));
  const restored = mode() === before;
  const unknown = errnoName(await setMode(input, 2));
  // Disposing the backend has to put this right.
  must(await setMode(input, TERMINAL_MODE.RAW));
  return { size, keys, raw, stillRaw, restored, unknown, mode: before };
}

/** All settings of the terminal. */
function mode(): string {
  return spawnSync("stty", ["-g"], { stdio: ["inherit", "pipe", "ignore"] }).stdout.toString();
}

/** What whoever shares the descriptor would notice. */
function statusFlags(fd: number): string {
  return /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "";
}

async function open(name: string, options: BackendOptions): Promise<Backend> {
  const other = openOther(name, options);
  return other ?? (await openBackend(name as BackendName, options)).backend;
}
