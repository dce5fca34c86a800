//! The backend on Deno's own functions, for Deno where native code is not allowed. Files are the node
//! backend's: unlike Deno.FsFile, node:fs reads at a position without moving the file's own, and opens
//! without following links.

import { fstatSync } from "node:fs";
import { ERRNO, OP } from "../../abi.gen.ts";
import type { Backend, BackendOptions, EndpointGrant } from "../backend.ts";
import { type Capabilities, capabilities } from "../capability.ts";
import type { Directory } from "../grants.ts";
import { openNames } from "../node/host-names.ts";
import { NODE_CAPABILITIES, NodeBackend } from "../node/node-backend.ts";
import { openDirectories } from "../node/open-file.ts";
import { HAS_UNIX_SOCKETS } from "../node/unix-socket.ts";
import { bindFlags } from "../resources/bind-flags.ts";
import { grantedEndpoint } from "../resources/endpoint.ts";
import { errnoOf } from "../resources/errno.ts";
import { backlogOf } from "../resources/listener.ts";
import type { Names } from "../resources/names.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context, Resource } from "../resources/resource.ts";
import { hostnameOf } from "./deno-address.ts";
import type { DenoApi } from "./deno-api.ts";
import { DenoConnection } from "./deno-connection.ts";
import { DenoListener } from "./deno-listener.ts";
import { DenoOutput } from "./deno-output.ts";
import { startDenoUnix } from "./deno-unix.ts";

/**
 * Opens the backend built on Deno.listen, Deno.connect and node:fs.
 *
 * @throws {StackfulError} `SF_IO` when a granted directory does not exist.
 * @throws {RangeError} when `handlesMax` is not an integer from 0 to 2^20, or a granted port not
 *   one from 0 to 65535.
 * @throws {TypeError} when a granted address has neither 4 bytes nor 16, or a path is not one.
 */
export async function openDenoBackend(api: DenoApi, options: BackendOptions): Promise<Backend> {
  return new DenoBackend(
    api,
    options,
    await openDirectories(options.grants.directories),
    await openNames(options.grants),
  );
}

const CAPABILITIES: Capabilities = new Map([
  ...NODE_CAPABILITIES,
  ...(HAS_UNIX_SOCKETS ? capabilities({ UNIX_LISTEN: "pool", UNIX_CONNECT: "pool" }) : []),
]);

class DenoBackend extends NodeBackend {
  override readonly name = "deno";
  protected override readonly capabilities: Capabilities = CAPABILITIES;
  readonly #api: DenoApi;

  constructor(
    api: DenoApi,
    options: BackendOptions,
    directories: readonly Directory[],
    names: Names | undefined,
  ) {
    super(options, directories, names);
    this.#api = api;
  }

  protected override startOpener(operation: Operation): number | undefined {
    switch (operation.submission.code) {
      case OP.LISTEN:
        return listen(this.#api, this.context, this.grants.listen, operation);
      case OP.CONNECT:
        return connect(this.#api, this.context, this.grants.connect, operation);
      case OP.UNIX_LISTEN:
      case OP.UNIX_CONNECT:
        void startDenoUnix(this.#api, this.context, this.directories, operation);
        return undefined;
      default:
        return super.startOpener(operation);
    }
  }

  protected override openStandard(number: number): Resource {
    const stats = fstatSync(number);
    if (number === 0 || !(stats.isFIFO() || stats.isSocket())) return super.openStandard(number);
    const { stdout, stderr } = this.#api;
    return new DenoOutput(this.context, number === 1 ? stdout : stderr);
  }
}

function listen(
  { listen }: DenoApi,
  context: Context,
  grants: readonly EndpointGrant[] | undefined,
  operation: Operation,
): number {
  const flags = bindFlags(operation);
  if (typeof flags === "number") return flags;
  const endpoint = grantedEndpoint(context, grants, operation);
  if (typeof endpoint === "number") return endpoint;
  // Deno ends the process when it is asked for without --unstable-net.
  if (flags.reusePort) return -ERRNO.ENOTSUP;
  try {
    const listener = listen({
      hostname: hostnameOf(endpoint),
      port: endpoint.port,
      tcpBacklog: backlogOf(operation),
    });
    return context.handles.insert(new DenoListener(context, listener));
  } catch (error) {
    return -errnoOf(error);
  }
}

function connect(
  api: DenoApi,
  context: Context,
  grants: readonly EndpointGrant[] | undefined,
  operation: Operation,
): number | undefined {
  const endpoint = grantedEndpoint(context, grants, operation);
  if (typeof endpoint === "number") return endpoint;

  const { operations, handles } = context;
  const abort = new AbortController();
  const finish = (result: number): void => operations.finish(operation, result);
  operation.owner = {
    cancel: () => {
      finish(-ERRNO.ECANCELED);
      abort.abort();
    },
  };
  const { port } = endpoint;
  api.connect({ hostname: hostnameOf(endpoint), port, signal: abort.signal }).then(
    (conn) => {
      if (operation.finished) {
        conn.close();
        return;
      }
      const connection = new DenoConnection(context, conn);
      const handle = handles.insert(connection);
      if (handle < 0) void connection.close();
      finish(handle);
    },
    (error: unknown) => finish(-errnoOf(error)),
  );
  return undefined;
}
