//! CONNECT and UNIX_CONNECT: from where to connect to, to a handle.

import { connect, type Socket } from "node:net";
import { ERRNO } from "../../abi.gen.ts";
import { errnoOf } from "../resources/errno.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";
import { Connection, SOCKET_OPTIONS } from "./connection.ts";

/**
 * Connects, until a CANCEL comes, and finishes the operation.
 *
 * @param Connected - What the connection becomes.
 */
export function connectSocket(
  context: Context,
  operation: Operation,
  where: { readonly host: string; readonly port: number } | { readonly path: string },
  Connected = Connection,
): Socket {
  const { operations, handles } = context;
  const socket = connect({ ...SOCKET_OPTIONS, ...where });
  socket.pause(); // Else Node would read ahead of the first READ.
  const fail = (result: number): void => {
    operations.finish(operation, result);
    socket.destroy();
  };
  operation.owner = { cancel: () => fail(-ERRNO.ECANCELED) };
  socket.once("error", (error) => fail(-errnoOf(error)));
  socket.once("connect", () => {
    if (operation.finished) return;
    const handle = handles.insert(new Connected(context, socket));
    if (handle < 0) fail(handle);
    else operations.finish(operation, handle);
  });
  return socket;
}
