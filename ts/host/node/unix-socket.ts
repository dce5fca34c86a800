//! Unix sockets by their names, on node:net: streams alone, because node:dgram has none.
//!
//! grants.ts walks the path; see there for the race that remains. Here it is narrowed: the directory is opened
//! without following a link and compared with the granted one, and node:net gets the name in that descriptor.
//! Node removes the name of a server that it closes.

import * as fs from "node:fs";
import { connect, createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { ERRNO, OP, SOCKET_TYPE, UNIX_NAME_MAX } from "../../abi.gen.ts";
import { type Directory, isBeneath, resolveBeneath } from "../grants.ts";
import { writeEndpoint } from "../resources/endpoint.ts";
import { errnoOf } from "../resources/errno.ts";
import { pathFailure, readGuestPath } from "../resources/guest-path.ts";
import { backlogOf } from "../resources/listener.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";
import { Connection, SOCKET_OPTIONS } from "./connection.ts";
import { descriptorPath } from "./descriptor-path.ts";
import { Listener } from "./listener.ts";
import { links } from "./path-links.ts";

const openFd = promisify(fs.open);

/** Windows has other names for them. */
export const HAS_UNIX_SOCKETS = process.platform !== "win32";

/** A name in a directory that is open. */
interface Name {
  readonly path: string;
  release(): void;
}

/** Starts UNIX_LISTEN or UNIX_CONNECT. Never rejects: what goes wrong is the operation's result. */
export async function startUnix(
  context: Context,
  directories: readonly Directory[],
  operation: Operation,
): Promise<void> {
  const { operations } = context;
  // While the path is walked nothing has happened yet, so that is when a CANCEL takes effect.
  operation.owner = { cancel: () => operations.finish(operation, -ERRNO.ECANCELED) };
  try {
    const listens = operation.submission.code === OP.UNIX_LISTEN;
    const name = await find(context, directories, operation, listens);
    if (operation.finished) name.release();
    else if (listens) listen(context, name, operation);
    else connectTo(context, name, operation);
  } catch (error) {
    operations.finish(operation, -errnoOf(error));
  }
}

async function find(
  context: Context,
  directories: readonly Directory[],
  { submission }: Operation,
  makes: boolean,
): Promise<Name> {
  const { argument } = submission;
  if (!makes && argument !== SOCKET_TYPE.STREAM) {
    throw pathFailure(argument === SOCKET_TYPE.DATAGRAM ? "ENOTSUP" : "EINVAL");
  }
  const located = readGuestPath(context, directories, submission);
  if (makes && located.directory.readOnly) throw pathFailure("EROFS");
  if (context.handles.full) throw pathFailure("EMFILE");
  if (makes && located.directoryOnly) throw pathFailure("EADDRINUSE");
  const path = await resolveBeneath(located, links, !makes);
  if (Buffer.byteLength(basename(path)) > (makes ? UNIX_NAME_MAX : 255)) {
    throw pathFailure("ENAMETOOLONG");
  }
  return openName(path, located.directory.root);
}

async function openName(path: string, root: string): Promise<Name> {
  const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;
  const fd = await openFd(dirname(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  let open = true;
  const release = (): void => {
    if (open) fs.closeSync(fd);
    open = false;
  };
  const at = descriptorPath(fd);
  if (at !== undefined && at !== root && !isBeneath(root, at)) {
    release();
    throw pathFailure("ENOTCAPABLE", path);
  }
  return {
    path: at === undefined ? path : join("/proc/self/fd", `${fd}`, basename(path)),
    release,
  };
}

function listen(context: Context, name: Name, operation: Operation): void {
  const { operations, handles } = context;
  const backlog = backlogOf(operation);
  const server = createServer({ ...SOCKET_OPTIONS, pauseOnConnect: true });
  const listener = new UnixListener(context, server, backlog, UnixConnection);
  // Its name is removed by that path, then.
  server.once("close", name.release);
  server.once("error", (error) => {
    operations.finish(operation, -errnoOf(error));
    if (!server.listening) name.release();
  });
  server.once("listening", () => {
    const handle = operation.finished ? -ERRNO.ECANCELED : handles.insert(listener);
    if (handle < 0) void listener.close();
    operations.finish(operation, handle);
  });
  server.listen({ path: name.path, backlog, exclusive: true });
}

function connectTo(context: Context, name: Name, operation: Operation): void {
  const { operations, handles } = context;
  const socket = connect({ ...SOCKET_OPTIONS, path: name.path });
  socket.pause(); // Else Node would read ahead of the first READ.
  const fail = (result: number): void => {
    operations.finish(operation, result);
    socket.destroy();
  };
  operation.owner = { cancel: () => fail(-ERRNO.ECANCELED) };
  socket.once("close", name.release);
  socket.once("error", (error) => fail(-errnoOf(error)));
  socket.once("connect", () => {
    if (operation.finished) return;
    const handle = handles.insert(new UnixConnection(context, socket));
    if (handle < 0) fail(handle);
    else operations.finish(operation, handle);
  });
}

/** Its addresses have no family, and node:net sets no option of it. */
class UnixConnection extends Connection {
  override start(operation: Operation): number | undefined {
    const { code, pointer } = operation.submission;
    switch (code) {
      case OP.LOCAL_ADDRESS:
      case OP.PEER_ADDRESS:
        return writeEndpoint(this.context.ring, pointer, undefined);
      case OP.SET_OPTION:
      case OP.GET_OPTION:
        return -ERRNO.ENOPROTOOPT;
      default:
        return super.start(operation);
    }
  }
}

class UnixListener extends Listener {
  override start(operation: Operation): number | undefined {
    const { code } = operation.submission;
    const option = code === OP.SET_OPTION || code === OP.GET_OPTION;
    return option ? -ERRNO.ENOPROTOOPT : super.start(operation);
  }
}
