//! What a SPAWN asks for, copied out of the guest's memory and checked against what is granted.

import {
  ERRNO,
  EXIT_STATUS,
  PROCESS_REQUEST,
  PROCESS_STDIO,
  PROCESS_STREAM,
} from "../../abi.gen.ts";
import type { Directory, Located } from "../grants.ts";
import type { GuestRing } from "../ring.ts";
import { pathFailure, readGuestPath, readGuestText } from "./guest-path.ts";
import { findProgram, type Programs } from "./programs.ts";
import type { Context } from "./resource.ts";

/** Of arguments and environment together: what Linux takes by default. */
const BYTES_MAX = 2 * 1024 * 1024;

export const STREAMS = [0, 1, 2] as const;

export interface SpawnRequest {
  /** Where it is, for the handles of pipes. */
  readonly address: number;
  /** To be tried one after the other. */
  readonly programs: readonly string[];
  /** With argv[0]. */
  readonly arguments: readonly string[];
  /** Of a name that is there twice, the first. */
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined: where the host is. */
  readonly directory: Located | undefined;
  readonly streams: readonly StreamRequest[];
}

export interface StreamRequest {
  /** One of PROCESS_STDIO. */
  readonly kind: number;
  readonly handle: number;
}

/** How a child has ended, as the guest is told. */
export interface ExitStatus {
  readonly code: number;
  readonly signal: number;
}

/** @throws {StackfulError} `SF_IO` with the errno that the operation results in. */
export function readSpawnRequest(
  context: Context,
  programs: Programs | undefined,
  directories: readonly Directory[],
  address: number,
): SpawnRequest {
  const { ring } = context;
  const record = ring.copyOut(address, PROCESS_REQUEST.size);
  if (record === undefined) throw pathFailure("EFAULT");
  const view = new DataView(record.buffer);
  const field = (name: "path" | "arguments" | "environment" | "directory"): [number, number] => [
    view.getUint32(PROCESS_REQUEST[name], true),
    view.getUint32(PROCESS_REQUEST[`${name}Bytes`], true),
  ];
  const [pointer, length] = field("path");
  const name = readGuestText(ring, { pointer, length });
  if (name === "") throw pathFailure("ENOENT");
  const found = findProgram(programs, name);
  if (typeof found === "string") throw pathFailure(found, name);
  const argv = readStrings(ring, field("arguments"));
  if (argv.length === 0) throw pathFailure("EINVAL");
  const environment = readEnvironment(programs, readStrings(ring, field("environment")));
  const [directoryAt, directoryBytes] = field("directory");
  const directory =
    directoryBytes === 0
      ? undefined
      : readGuestPath(context, directories, {
          handle: -1,
          pointer: directoryAt,
          length: directoryBytes,
        });
  const streams = STREAMS.map((index) => {
    const at = PROCESS_REQUEST.stdio + index * PROCESS_STREAM.size;
    const kind = view.getUint32(at + PROCESS_STREAM.kind, true);
    if (kind > PROCESS_STDIO.HANDLE) throw pathFailure("EINVAL");
    return { kind, handle: view.getInt32(at + PROCESS_STREAM.handle, true) };
  });
  return { address, programs: found, arguments: argv, environment, directory, streams };
}

/** Tells the guest the handle of its end of a pipe. */
export function writePipe(
  ring: GuestRing,
  { address }: SpawnRequest,
  index: number,
  handle: number,
): void {
  const at = PROCESS_REQUEST.stdio + index * PROCESS_STREAM.size + PROCESS_STREAM.handle;
  ring.copyIn(address + at, new Uint8Array(Int32Array.of(handle).buffer));
}

export function writeExitStatus(ring: GuestRing, address: number, status: ExitStatus): void {
  const record = new DataView(new ArrayBuffer(EXIT_STATUS.size));
  record.setInt32(EXIT_STATUS.code, status.code, true);
  record.setUint32(EXIT_STATUS.signal, status.signal, true);
  ring.copyIn(address, new Uint8Array(record.buffer));
}

/** Strings one behind the other, each with a zero at its end. */
function readStrings(ring: GuestRing, [pointer, length]: readonly [number, number]): string[] {
  if (length === 0) return [];
  if (!ring.inRange(pointer, length)) throw pathFailure("EFAULT");
  if (length > BYTES_MAX) throw pathFailure("E2BIG");
  const bytes = ring.copyOut(pointer, length)!;
  if (bytes.at(-1) !== 0) throw pathFailure("EINVAL");
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.slice(0, -1).split("\0");
  } catch {
    // JavaScript has no other strings to give a program.
    throw pathFailure("EINVAL");
  }
}

function readEnvironment(
  programs: Programs | undefined,
  entries: readonly string[],
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const entry of entries) {
    const at = entry.indexOf("=");
    if (at < 1) throw pathFailure("EINVAL");
    const name = entry.slice(0, at);
    const any = programs?.any === true || programs?.anyVariable === true;
    if (!any && programs?.variables.includes(name) !== true) throw pathFailure("ENOTCAPABLE");
    environment[name] ??= entry.slice(at + 1);
  }
  return environment;
}

/** What SPAWN results in when every program was tried: as execvp(3) has it. */
export function lastFailure(failures: readonly number[]): number {
  if (failures.includes(ERRNO.EACCES)) return ERRNO.EACCES;
  return failures.at(-1) ?? ERRNO.ENOENT;
}
