//! Unix sockets by their names, on node:net: streams alone, because node:dgram has none. Node removes the name
//! of a server that it closes.

import { createServer } from "node:net";
import { ERRNO } from "../../abi.gen.ts";
import type { Directory } from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import { backlogOf } from "../resources/listener.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";
import { unixAnswer, unixListenerAnswer } from "../resources/unix-answers.ts";
import { connectSocket } from "./connect-socket.ts";
import { Connection, SOCKET_OPTIONS } from "./connection.ts";
import { Listener } from "./listener.ts";
import { startAtUnixName, type UnixName } from "./unix-name.ts";

/** Windows has other names for them. */
export const HAS_UNIX_SOCKETS = process.platform !== "win32";

/** Starts UNIX_LISTEN or UNIX_CONNECT. Never rejects: what goes wrong is the operation's result. */
export function startUnix(
  context: Context,
  directories: readonly Directory[],
  operation: Operation,
): Promise<void> {
  return startAtUnixName(context, directories, operation, {
    listen: (name) => listen(context, name, operation),
    connect: (name) => {
      const socket = connectSocket(context, operation, { path: name.path }, UnixConnection);
      socket.once("close", name.release);
    },
  });
}

function listen(context: Context, name: UnixName, operation: Operation): void {
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

class UnixConnection extends Connection {
  override start(operation: Operation): number | undefined {
    return unixAnswer(this.context, operation) ?? super.start(operation);
  }
}

class UnixListener extends Listener {
  override start(operation: Operation): number | undefined {
    return unixListenerAnswer(this.context, operation) ?? super.start(operation);
  }
}
