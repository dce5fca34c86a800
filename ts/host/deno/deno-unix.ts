//! Unix sockets by their names, on Deno.listen and Deno.connect: streams alone. Deno removes the name of a
//! listener that it closes.

import type { Directory, Endpoint } from "../grants.ts";
import { startAtUnixName, type UnixName } from "../node/unix-name.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";
import { unixAnswer, unixListenerAnswer } from "../resources/unix-answers.ts";
import type { DenoApi, DenoConn, DenoListener as Listener } from "./deno-api.ts";
import { DenoConnection } from "./deno-connection.ts";
import { DenoListener } from "./deno-listener.ts";

/** Starts UNIX_LISTEN or UNIX_CONNECT. Never rejects: what goes wrong is the operation's result. */
export function startDenoUnix(
  api: DenoApi,
  context: Context,
  directories: readonly Directory[],
  operation: Operation,
): Promise<void> {
  return startAtUnixName(context, directories, operation, {
    listen: (name) => context.operations.finish(operation, listen(api, context, name)),
    connect: (name) => connect(api, context, name, operation),
  });
}

function listen(api: DenoApi, context: Context, name: UnixName): number {
  try {
    const listener = api.listen({ transport: "unix", path: name.path });
    return context.handles.insert(new DenoUnixListener(context, listener, name));
  } catch (error) {
    name.release();
    throw error;
  }
}

async function connect(
  api: DenoApi,
  context: Context,
  name: UnixName,
  operation: Operation,
): Promise<void> {
  let conn: DenoConn;
  try {
    conn = await api.connect({ transport: "unix", path: name.path });
  } finally {
    name.release();
  }
  if (operation.finished) {
    conn.close();
    return;
  }
  const connection = new DenoUnixConnection(context, conn);
  const handle = context.handles.insert(connection);
  if (handle < 0) void connection.close();
  context.operations.finish(operation, handle);
}

class DenoUnixConnection extends DenoConnection {
  override get local(): Endpoint | undefined {
    return undefined;
  }

  override get peer(): Endpoint | undefined {
    return undefined;
  }

  override start(operation: Operation): number | undefined {
    return unixAnswer(this.context, operation) ?? super.start(operation);
  }
}

class DenoUnixListener extends DenoListener {
  readonly #name: UnixName;

  constructor(context: Context, listener: Listener, name: UnixName) {
    super(context, listener, DenoUnixConnection);
    this.#name = name;
  }

  override start(operation: Operation): number | undefined {
    return unixListenerAnswer(this.context, operation) ?? super.start(operation);
  }

  protected override release(): number | Promise<number> {
    const released = super.release();
    // The name is removed by that path.
    this.#name.release();
    return released;
  }
}
