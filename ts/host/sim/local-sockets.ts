//! PIPE, SOCKET_PAIR and Unix sockets by their names, on one simulated host.

import { ERRNO, OP, SOCKET_TYPE, UNIX_NAME_MAX } from "../../abi.gen.ts";
import { type Directory, resolveBeneathSync } from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import { type PathField, pathFailure, readGuestPath } from "../resources/guest-path.ts";
import { backlogOf, ListenerBase } from "../resources/listener.ts";
import type { Operation } from "../resources/operation.ts";
import type { Resource } from "../resources/resource.ts";
import type { Submission } from "../ring.ts";
import type { SocketNode } from "./disk-node.ts";
import { CallEvent } from "./event-queue.ts";
import { Inbox, LocalDatagrams } from "./local-datagrams.ts";
import { connectionEnds, type LocalEnd, LocalStream, pipeEnds } from "./local-stream.ts";
import type { SimContext } from "./sim-backend.ts";
import { unixOptions } from "./unix-options.ts";

const encoder = new TextEncoder();

/** The connections that wait at a name. */
export class UnixListener {
  readonly waiting: LocalEnd[] = [];
  readonly backlog: number;
  onConnection: () => void = () => {};
  readonly arrived = new CallEvent(() => this.onConnection());

  constructor(backlog: number) {
    this.backlog = backlog;
  }
}

class UnixListenerHandle extends ListenerBase<SimContext> {
  protected override readonly local = undefined;
  protected override readonly options = unixOptions("tcp");
  readonly #listener: UnixListener;
  readonly #node: SocketNode;

  constructor(context: SimContext, listener: UnixListener, node: SocketNode) {
    super(context);
    this.#listener = listener;
    this.#node = node;
    listener.onConnection = () => this.pump();
  }

  protected override nextConnection(): LocalStream | undefined {
    const end = this.#listener.waiting.shift();
    return end === undefined ? undefined : new LocalStream(this.context, end);
  }

  protected override awaitConnection(): void {}

  protected override release(): number {
    this.#node.bound = undefined;
    this.#listener.onConnection = () => {};
    for (const end of this.#listener.waiting.splice(0)) end.close();
    return 0;
  }

  protected override keepAlive(): void {}
}

/** The result of PIPE or SOCKET_PAIR. */
export function startPair(context: SimContext, { submission }: Operation): number {
  const { network, ring, handles } = context;
  const { code, argument, pointer } = submission;
  const streams = code === OP.PIPE || argument === SOCKET_TYPE.STREAM;
  if (!streams && argument !== SOCKET_TYPE.DATAGRAM) return -ERRNO.EINVAL;
  if (!ring.inRange(pointer, 8)) return -ERRNO.EFAULT;
  const { scheduler } = network;
  let pair: readonly Resource[];
  if (streams) {
    const ends = code === OP.PIPE ? pipeEnds(scheduler) : connectionEnds(scheduler);
    pair = ends.map((end) => new LocalStream(context, end));
  } else {
    const [one, other] = [new Inbox(scheduler), new Inbox(scheduler)];
    pair = [new LocalDatagrams(context, one, other), new LocalDatagrams(context, other, one)];
  }
  const made: number[] = [];
  for (const resource of pair) {
    const handle = handles.insert(resource);
    if (handle >= 0) made.push(handle);
  }
  if (made.length < pair.length) {
    for (const handle of made) handles.remove(handle);
    return -ERRNO.EMFILE;
  }
  ring.copyIn(pointer, new Uint8Array(Int32Array.from(made).buffer));
  return 0;
}

/** The result of UNIX_LISTEN, UNIX_BIND, UNIX_CONNECT or UNIX_SEND_TO. */
export function startUnix(
  context: SimContext,
  directories: readonly Directory[],
  operation: Operation,
): number | undefined {
  const { submission } = operation;
  try {
    switch (submission.code) {
      case OP.UNIX_LISTEN:
        return listen(context, makeName(context, directories, submission), backlogOf(operation));
      case OP.UNIX_BIND:
        return bind(context, directories, submission);
      case OP.UNIX_CONNECT:
        return connect(context, directories, submission);
      default:
        return send(context, directories, operation);
    }
  } catch (error) {
    return -errnoOf(error);
  }
}

/** @throws {StackfulError} `SF_IO` with the errno that the operation results in. */
function makeName(
  context: SimContext,
  directories: readonly Directory[],
  field: PathField,
): SocketNode {
  const located = readGuestPath(context, directories, field);
  if (located.directory.readOnly) throw pathFailure("EROFS");
  if (context.handles.full) throw pathFailure("EMFILE");
  if (located.directoryOnly) throw pathFailure("EADDRINUSE");
  const { disk } = context.host;
  const path = resolveBeneathSync(located, disk, false);
  if (encoder.encode(path.slice(path.lastIndexOf("/") + 1)).length > UNIX_NAME_MAX) {
    throw pathFailure("ENAMETOOLONG");
  }
  if (disk.kind(path) !== "missing") throw pathFailure("EADDRINUSE", path);
  return disk.createSocket(path);
}

/** What is bound to the name. @throws {StackfulError} as `makeName`. */
function findBound(
  context: SimContext,
  directories: readonly Directory[],
  field: PathField,
): UnixListener | Inbox {
  const { disk } = context.host;
  const located = readGuestPath(context, directories, field);
  const path = resolveBeneathSync(located, disk, true);
  const node = disk.find(path);
  if (node === undefined) throw pathFailure("ENOENT", path);
  if (node.kind !== "socket" || node.bound === undefined) throw pathFailure("ECONNREFUSED", path);
  return node.bound;
}

function listen(context: SimContext, node: SocketNode, backlog: number): number {
  const listener = new UnixListener(backlog);
  node.bound = listener;
  return context.handles.insert(new UnixListenerHandle(context, listener, node));
}

function bind(
  context: SimContext,
  directories: readonly Directory[],
  submission: Submission,
): number {
  const inbox = new Inbox(context.network.scheduler);
  if (submission.handle === -1 && submission.length === 0) {
    return context.handles.insert(new LocalDatagrams(context, inbox));
  }
  const node = makeName(context, directories, submission);
  node.bound = inbox;
  const onClosed = (): void => {
    node.bound = undefined;
  };
  return context.handles.insert(new LocalDatagrams(context, inbox, undefined, onClosed));
}

function connect(
  context: SimContext,
  directories: readonly Directory[],
  submission: Submission,
): number {
  const { handles, network } = context;
  const { STREAM, DATAGRAM } = SOCKET_TYPE;
  const { argument } = submission;
  if (argument !== STREAM && argument !== DATAGRAM) return -ERRNO.EINVAL;
  const bound = findBound(context, directories, submission);
  if (handles.full) return -ERRNO.EMFILE;
  if (bound instanceof UnixListener !== (argument === STREAM)) return -ERRNO.EPROTOTYPE;
  if (bound instanceof Inbox) {
    return handles.insert(new LocalDatagrams(context, new Inbox(network.scheduler), bound));
  }
  // Linux lets one more wait than it was told.
  if (bound.waiting.length > bound.backlog) return -ERRNO.EAGAIN;
  const [client, server] = connectionEnds(network.scheduler);
  bound.waiting.push(server);
  network.scheduler.after(0, bound.arrived);
  return handles.insert(new LocalStream(context, client));
}

function send(
  context: SimContext,
  directories: readonly Directory[],
  operation: Operation,
): number | undefined {
  const { pointer, length, otherHandle, otherPointer, otherLength, handle } = operation.submission;
  const resource = context.handles.get(handle);
  if (resource === undefined) return -ERRNO.EBADF;
  if (!(resource instanceof LocalDatagrams)) return resource.start(operation);
  const data = context.ring.copyOut(pointer, length);
  if (data === undefined && length > 0) return -ERRNO.EFAULT;
  const path = { handle: otherHandle, pointer: otherPointer, length: otherLength };
  const bound = findBound(context, directories, path);
  if (bound instanceof UnixListener) return -ERRNO.EPROTOTYPE;
  return bound.put(data ?? new Uint8Array(0), undefined) ?? -ERRNO.EAGAIN;
}
