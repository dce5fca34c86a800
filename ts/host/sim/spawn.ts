//! SPAWN on a simulated host. It takes its time and then happens at once: until then it can be canceled, and
//! has not happened.

import { ERRNO, PROCESS_STDIO } from "../../abi.gen.ts";
import { type Directory, resolveBeneathSync } from "../grants.ts";
import { errnoName, errnoOf } from "../resources/errno.ts";
import { pathFailure } from "../resources/guest-path.ts";
import type { Operation } from "../resources/operation.ts";
import type { Programs as GrantedPrograms } from "../resources/programs.ts";
import {
  lastFailure,
  readSpawnRequest,
  type SpawnRequest,
  type StreamRequest,
  writePipe,
} from "../resources/spawn-request.ts";
import { ChildHandle } from "./child-handle.ts";
import { finishAfter } from "./finish-after.ts";
import type { HostProcesses } from "./host-processes.ts";
import { LocalStream, pipeEnds } from "./local-stream.ts";
import { NullStream } from "./null-stream.ts";
import { type Found, triesNext } from "./programs.ts";
import { isShareable, type Shareable } from "./shareable.ts";
import type { SimContext } from "./sim-backend.ts";
import type { SimProcess } from "./sim-process.ts";
import type { StandardStreams } from "./standard-streams.ts";

/** What a backend starts children with. */
export interface Nursery {
  /** Those that live, whoever has a handle. */
  readonly children: Set<SimProcess>;
  readonly childrenMax: number;
  readonly granted: GrantedPrograms | undefined;
  /** Numbers of its own streams that a child may have. */
  readonly inherited: readonly number[];
  readonly directories: readonly Directory[];
  readonly standard: StandardStreams;
  readonly processes: HostProcesses;
}

/** The operation's result, or undefined when it comes later. */
export function startSpawn(
  context: SimContext,
  nursery: Nursery,
  operation: Operation,
): number | undefined {
  let request: SpawnRequest;
  try {
    const { pointer } = operation.submission;
    request = readSpawnRequest(context, nursery.granted, nursery.directories, pointer);
    check(context, nursery, request);
  } catch (error) {
    return -errnoOf(error);
  }
  const { programs } = nursery.processes;
  finishAfter(context, operation, programs.delayNs(), () => {
    try {
      return spawn(context, nursery, request);
    } catch (error) {
      return -errnoOf(error);
    }
  });
  return undefined;
}

function check(context: SimContext, nursery: Nursery, { streams }: SpawnRequest): void {
  if (nursery.children.size >= nursery.childrenMax) throw pathFailure("EAGAIN");
  const pipes = streams.filter(({ kind }) => kind === PROCESS_STDIO.PIPE);
  if (context.handles.room < pipes.length + 1) throw pathFailure("EMFILE");
  streams.forEach((stream, number) => {
    if (stream.kind === PROCESS_STDIO.HANDLE) givenOf(context, stream);
    const inherits = stream.kind === PROCESS_STDIO.INHERIT;
    if (inherits && !nursery.inherited.includes(number)) throw pathFailure("ENOTCAPABLE");
  });
}

function givenOf({ handles }: SimContext, { handle }: StreamRequest): Shareable {
  const resource = handles.get(handle);
  if (resource === undefined) throw pathFailure("EBADF");
  if (!isShareable(resource)) throw pathFailure("ENOTSUP");
  return resource;
}

/** Returns the handle of the child. */
function spawn(context: SimContext, nursery: Nursery, request: SpawnRequest): number {
  const { host, handles, network, ring } = context;
  // Others may have come in between.
  check(context, nursery, request);
  const directory = directoryOf(context, request);
  const { path, found } = findFirst(nursery.processes, request);
  if (nursery.processes.programs.fails()) {
    const { observer } = network;
    if (observer.watched) observer.tell({ type: "fault", host: host.name, fault: "EAGAIN" });
    return -ERRNO.EAGAIN;
  }
  const [argv0, ...rest] = request.arguments;
  const pipes = new Map<number, LocalStream>();
  const child = nursery.processes.start(found.program, {
    path,
    arguments: found.before.length > 0 ? [...found.before, ...rest] : [argv0!, ...rest],
    environment: request.environment,
    directory,
    console: nursery.standard.console,
    streams: (childContext) => {
      const make = (number: 0 | 1 | 2): Shareable => {
        const stream = request.streams[number]!;
        switch (stream.kind) {
          case PROCESS_STDIO.NULL:
            return new NullStream(childContext);
          case PROCESS_STDIO.INHERIT:
            return nursery.standard.open(number, childContext);
          case PROCESS_STDIO.HANDLE:
            return givenOf(context, stream).share(childContext);
          default: {
            const [output, input] = pipeEnds(network.scheduler);
            pipes.set(number, new LocalStream(context, number === 0 ? input : output));
            return new LocalStream(childContext, number === 0 ? output : input);
          }
        }
      };
      return [make(0), make(1), make(2)];
    },
  });
  for (const [number, pipe] of pipes) writePipe(ring, request, number, handles.insert(pipe));
  nursery.children.add(child);
  child.whenEnded(() => nursery.children.delete(child));
  return handles.insert(new ChildHandle(context, child));
}

/** Where the child starts. */
function directoryOf({ host: { disk } }: SimContext, { directory }: SpawnRequest): string {
  if (directory === undefined) return "/";
  const path = resolveBeneathSync(directory, disk, true);
  const kind = disk.kind(path);
  if (kind === "missing") throw pathFailure("ENOENT", path);
  if (kind !== "directory") throw pathFailure("ENOTDIR", path);
  return path;
}

/** The first of the programs that can be started. */
function findFirst(
  processes: HostProcesses,
  { programs }: SpawnRequest,
): { readonly path: string; readonly found: Found } {
  const failures: number[] = [];
  for (const path of programs) {
    try {
      return { path, found: processes.programs.find(path) };
    } catch (error) {
      const errno = errnoOf(error);
      if (!triesNext(errno)) throw error;
      failures.push(errno);
    }
  }
  throw pathFailure(errnoName(lastFailure(failures)));
}
