//! Child processes as the laws start them.

import {
  EXIT_STATUS,
  OP,
  PROCESS_REQUEST,
  PROCESS_STDIO,
  PROCESS_STREAM,
} from "../../ts/abi.gen.ts";
import type { Grants } from "../../ts/host/backend.ts";
import type { OperationName } from "../../ts/host/capability.ts";
import { packageRoot } from "../../ts/package-files.ts";
import type { Law } from "./backend-conformance.ts";
import { type Guest, must, text } from "./guest.ts";

/** What the laws run, and what they give it. */
export const SHELL = programOf("sh");
export const CAT = programOf("cat");
export const MISSING = "/nowhere/program";

/** On Windows those that scripts/windows.ts has made. */
function programOf(name: string): string {
  if (process.platform !== "win32") return `/bin/${name}`;
  return packageRoot(`dist/native/win32-x64/${name}.exe`).replaceAll("\\", "/");
}

/** A stream of the child's: one of PROCESS_STDIO, or a handle of the guest's. */
export type Stream = "null" | "inherit" | "pipe" | { readonly handle: number };

export interface Program {
  readonly path?: string | Uint8Array;
  /** With argv[0]. */
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly directory?: string;
  readonly stdio?: readonly [Stream, Stream, Stream];
}

/** What ended it. */
export interface End {
  readonly code: number;
  readonly signal: number;
}

export interface Child {
  readonly handle: number;
  /** The guest's ends of pipes; elsewhere -1. */
  readonly pipes: readonly [number, number, number];
}

/** Grants of a law about processes: what it starts, and /data. */
export function processGrants(processes: Grants["processes"]): (data: string) => Grants {
  return (data) => ({
    connect: [{}],
    listen: [{}],
    directories: [{ host: data, guest: "/data" }],
    ...(processes === undefined ? {} : { processes }),
  });
}

/** `law` for laws about processes: what their guest may start, unless one says otherwise, and which operations they need. */
export function lawOfProcesses(
  law: Law,
  processes: Grants["processes"],
  needs: readonly OperationName[] = ["SPAWN", "WAIT"],
): Law {
  return (title, body, options) =>
    law(title, body, { needs, grants: processGrants(processes), ...options });
}

export function putStrings(
  guest: Guest,
  list: readonly string[],
): { pointer: number; length: number } {
  return guest.put(list.map((item) => `${item}\0`).join(""));
}

/** The address of an sf_process_request. */
export function putRequest(
  guest: Guest,
  {
    path = SHELL,
    args = ["sh"],
    env = [],
    directory = "",
    stdio = ["null", "null", "null"],
  }: Program,
): number {
  const fields = {
    path: guest.put(path),
    arguments: putStrings(guest, args),
    environment: putStrings(guest, env),
    directory: guest.put(directory),
  };
  const at = guest.alloc(PROCESS_REQUEST.size);
  for (const [name, { pointer, length }] of Object.entries(fields) as [
    keyof typeof fields,
    { pointer: number; length: number },
  ][]) {
    guest.view.setUint32(at + PROCESS_REQUEST[name], pointer, true);
    guest.view.setUint32(at + PROCESS_REQUEST[`${name}Bytes`], length, true);
  }
  stdio.forEach((stream, index) => {
    const stdioAt = streamAt(at, index);
    const handle = typeof stream === "object" ? stream.handle : -1;
    guest.view.setUint32(stdioAt + PROCESS_STREAM.kind, kindOf(stream), true);
    guest.view.setInt32(stdioAt + PROCESS_STREAM.handle, handle, true);
  });
  return at;
}

export function streamAt(request: number, index: number): number {
  return request + PROCESS_REQUEST.stdio + index * PROCESS_STREAM.size;
}

function kindOf(stream: Stream): number {
  if (typeof stream === "object") return PROCESS_STDIO.HANDLE;
  return { null: PROCESS_STDIO.NULL, inherit: PROCESS_STDIO.INHERIT, pipe: PROCESS_STDIO.PIPE }[
    stream
  ];
}

/** The result of SPAWN, and the handles that it wrote. */
export async function trySpawn(
  guest: Guest,
  program: Program,
): Promise<{ result: number } & Child> {
  const pointer = putRequest(guest, program);
  const result = await guest.submit({ op: OP.SPAWN, pointer });
  const pipes = [0, 1, 2].map((index) =>
    guest.view.getInt32(streamAt(pointer, index) + PROCESS_STREAM.handle, true),
  ) as [number, number, number];
  return { result, handle: result, pipes };
}

export async function spawn(guest: Guest, program: Program): Promise<Child> {
  const child = await trySpawn(guest, program);
  must(child.result);
  return child;
}

/** A shell that runs `script`. */
export function shell(script: string, program: Program = {}): Program {
  return { args: ["sh", "-c", script], ...program };
}

export function waitFor(
  guest: Guest,
  handle: number,
): { token: number; result: Promise<number>; end: () => End } {
  const pointer = guest.alloc(EXIT_STATUS.size);
  const end = (): End => ({
    code: guest.view.getInt32(pointer + EXIT_STATUS.code, true),
    signal: guest.view.getUint32(pointer + EXIT_STATUS.signal, true),
  });
  return { ...guest.start({ op: OP.WAIT, handle, pointer }), end };
}

export async function endOf(guest: Guest, handle: number): Promise<End> {
  const waiting = waitFor(guest, handle);
  must(await waiting.result);
  return waiting.end();
}

export function kill(guest: Guest, handle: number, signal: number): Promise<number> {
  return guest.submit({ op: OP.KILL, handle, argument: signal });
}

/** What a shell's script writes to its standard output, and how it ends. */
export async function run(
  guest: Guest,
  script: string,
  program: Program = {},
): Promise<End & { output: string }> {
  const { handle, pipes } = await spawn(
    guest,
    shell(script, { stdio: ["null", "pipe", "null"], ...program }),
  );
  const output = text(await guest.readToEnd(pipes[1]));
  const end = await endOf(guest, handle);
  must(await guest.close(pipes[1]));
  must(await guest.close(handle));
  return { output, ...end };
}

/** The first line of what a child writes: by then it runs, and has set up what comes before that. */
export async function firstLine(guest: Guest, handle: number): Promise<string> {
  let line = "";
  while (!line.endsWith("\n")) line += text(await guest.readExactly(handle, 1));
  return line.trimEnd();
}

/** Whether this machine has such a process, be it a zombie. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
