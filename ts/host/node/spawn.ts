//! SPAWN, on node:child_process. Its descriptors are closed, its signals reset and its end waited for as
//! libuv does that; what has no format it gives to the shell.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { ERRNO, PROCESS_STDIO } from "../../abi.gen.ts";
import { jsRuntime } from "../../js-runtime.ts";
import { type Directory, resolveBeneath } from "../grants.ts";
import { errnoName, errnoOf } from "../resources/errno.ts";
import { pathFailure } from "../resources/guest-path.ts";
import type { Operation } from "../resources/operation.ts";
import type { Programs } from "../resources/programs.ts";
import type { Context } from "../resources/resource.ts";
import {
  lastFailure,
  readSpawnRequest,
  type SpawnRequest,
  type StreamRequest,
  writePipe,
} from "../resources/spawn-request.ts";
import { Child } from "./child.ts";
import { ChildPipe } from "./child-pipe.ts";
import { type Held, holdDirectory } from "./held.ts";
import { links } from "./path-links.ts";

/**
 * Windows has neither such paths nor such signals. The input of Bun's children is no socket: it cannot be told
 * whether the event loop is to wait for it.
 */
export const HAS_PROCESSES = process.platform !== "win32" && jsRuntime() !== "bun";

/** The children of one backend, whoever has a handle. */
export class Children {
  readonly #running = new Set<Child>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get full(): boolean {
    return this.#running.size >= this.#max;
  }

  add(child: Child, process: ChildProcess): void {
    this.#running.add(child);
    process.once("exit", () => this.#running.delete(child));
  }

  /** Kills those that are left, and waits for them. */
  async end(): Promise<void> {
    await Promise.all([...this.#running].map((child) => child.end()));
  }
}

/** What a backend starts them with. */
export interface Nursery {
  readonly children: Children;
  readonly programs: Programs | undefined;
  /** Numbers of the host's own streams that a child may have. */
  readonly inherited: readonly number[];
  readonly directories: readonly Directory[];
}

/** Never rejects: what goes wrong is the operation's result. */
export async function startSpawn(
  context: Context,
  nursery: Nursery,
  operation: Operation,
): Promise<void> {
  const { operations } = context;
  // Until the program is started nothing has happened.
  operation.owner = { cancel: () => operations.finish(operation, -ERRNO.ECANCELED) };
  let held: Held | undefined;
  try {
    const { programs, directories } = nursery;
    const { pointer } = operation.submission;
    const request = readSpawnRequest(context, programs, directories, pointer);
    checkRoom(context, nursery, request);
    stdioOf(context, nursery, request);
    held = await holdStart(request);
    if (operation.finished) return;
    operation.owner = undefined;
    const child = await startFirst(context, nursery, request, held?.path);
    operations.finish(operation, child);
  } catch (error) {
    operations.finish(operation, -errnoOf(error));
  } finally {
    await held?.release();
  }
}

/** The directory that the child starts in. */
async function holdStart({ directory }: SpawnRequest): Promise<Held | undefined> {
  if (directory === undefined) return undefined;
  return holdDirectory(directory.directory, await resolveBeneath(directory, links, true));
}

function checkRoom({ handles }: Context, { children }: Nursery, { streams }: SpawnRequest): void {
  if (children.full) throw pathFailure("EAGAIN");
  const pipes = streams.filter(({ kind }) => kind === PROCESS_STDIO.PIPE);
  if (handles.room < pipes.length + 1) throw pathFailure("EMFILE");
}

/** As node:child_process has it: a number is a descriptor. */
function stdioOf(
  context: Context,
  { inherited }: Nursery,
  { streams }: SpawnRequest,
): ("ignore" | "pipe" | number)[] {
  return streams.map((stream, number) => {
    if (stream.kind === PROCESS_STDIO.NULL) return "ignore";
    if (stream.kind === PROCESS_STDIO.PIPE) return "pipe";
    if (stream.kind === PROCESS_STDIO.HANDLE) return givenOf(context, stream);
    if (!inherited.includes(number)) throw pathFailure("ENOTCAPABLE");
    return number;
  });
}

function givenOf({ handles }: Context, { handle }: StreamRequest): number {
  const resource = handles.get(handle);
  if (resource === undefined) throw pathFailure("EBADF");
  if (resource.givable === undefined) throw pathFailure("ENOTSUP");
  return resource.givable;
}

/** Starts the first of the programs that can be started. Returns its handle. */
async function startFirst(
  context: Context,
  nursery: Nursery,
  request: SpawnRequest,
  cwd: string | undefined,
): Promise<number> {
  const failures: number[] = [];
  for (const path of request.programs) {
    try {
      return await startOne(context, nursery, request, path, cwd);
    } catch (error) {
      const errno = errnoOf(error);
      const next = [ERRNO.ENOENT, ERRNO.ENOTDIR, ERRNO.EACCES] as const;
      if (!next.some((code) => code === errno)) throw error;
      failures.push(errno);
    }
  }
  throw pathFailure(errnoName(lastFailure(failures)));
}

async function startOne(
  context: Context,
  nursery: Nursery,
  request: SpawnRequest,
  path: string,
  cwd: string | undefined,
): Promise<number> {
  // Others may have come in between.
  checkRoom(context, nursery, request);
  if (context.sandbox?.allowsProgram(path) === false) throw pathFailure("ENOTCAPABLE");
  const [argv0, ...args] = request.arguments;
  const child = spawn(path, args, {
    argv0: argv0!,
    env: { ...request.environment },
    stdio: stdioOf(context, nursery, request),
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (child.pid !== undefined) return adopt(context, nursery.children, request, child);
  const [error] = await once(child, "error").catch((error: unknown) => [error]);
  for (const stream of child.stdio) stream?.destroy();
  throw error;
}

/** Gives the guest its handles, for which there was room. Returns that of the child. */
function adopt(
  context: Context,
  children: Children,
  request: SpawnRequest,
  process: ChildProcess,
): number {
  const child = new Child(context, process);
  children.add(child, process);
  request.streams.forEach(({ kind }, index) => {
    if (kind !== PROCESS_STDIO.PIPE) return;
    const stream = process.stdio[index] as Socket;
    const pipe = new ChildPipe(context, stream, index === 0);
    writePipe(context.ring, request, index, context.handles.insert(pipe));
  });
  return context.handles.insert(child);
}
