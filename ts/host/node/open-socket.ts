//! LISTEN, CONNECT and UDP_BIND: from an sf_address to a handle.

import { createSocket } from "node:dgram";
import { createServer, type ListenOptions } from "node:net";
import { ERRNO } from "../../abi.gen.ts";
import { jsRuntime } from "../../js-runtime.ts";
import type { EndpointGrant } from "../backend.ts";
import { bindFlags } from "../resources/bind-flags.ts";
import { grantedEndpoint } from "../resources/endpoint.ts";
import { errnoOf } from "../resources/errno.ts";
import { backlogOf } from "../resources/listener.ts";
import type { AppliedGrants } from "../resources/names.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";
import { UdpSocket } from "../resources/udp-socket.ts";
import { endpointOf, hostOf } from "./address.ts";
import { connectSocket } from "./connect-socket.ts";
import { SOCKET_OPTIONS } from "./connection.ts";
import { datagramPort } from "./datagram-port.ts";
import { denoDatagramPort } from "./deno-datagram-port.ts";
import { Listener } from "./listener.ts";

/** Where the dynamic ports begin (RFC 6335). */
const DYNAMIC_FIRST = 49_152;
const PORTS_END = 65_536;
const NAMED_TRIES = 8;

export const CAN_REUSE_PORT = canReusePort(process.versions.node);

/** Node's from 22.12 and 23.1 on; before, it would bind without it. */
function canReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (jsRuntime() !== "node") return false;
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}

export function startListen(
  context: Context,
  grants: readonly EndpointGrant[] | undefined,
  operation: Operation,
): number | undefined {
  const { operations, handles } = context;
  const flags = bindFlags(operation);
  if (typeof flags === "number") return flags;
  const endpoint = grantedEndpoint(context, grants, operation);
  if (typeof endpoint === "number") return endpoint;
  if (flags.reusePort && !CAN_REUSE_PORT) return -ERRNO.ENOTSUP;

  const backlog = backlogOf(operation);
  const server = createServer({ ...SOCKET_OPTIONS, pauseOnConnect: true });
  const listener = new Listener(context, server, backlog);
  const fail = (result: number): void => {
    operations.finish(operation, result);
    void listener.close();
  };
  operation.owner = { cancel: () => fail(-ERRNO.ECANCELED) };
  server.once("error", (error) => fail(-errnoOf(error)));
  server.once("listening", () => {
    // A name lookup, even of an address, makes Node listen although it was told to close before.
    if (operation.finished) {
      void listener.close();
      return;
    }
    const handle = handles.insert(listener);
    if (handle < 0) fail(handle);
    else operations.finish(operation, handle);
  });
  // Exclusive: in a node:cluster worker the socket would otherwise be the primary's.
  const { reusePort } = flags;
  server.listen({
    host: hostOf(endpoint),
    port: endpoint.port,
    backlog,
    exclusive: true,
    ...(reusePort ? { reusePort } : {}),
  } as ListenOptions);
  return undefined;
}

export function startConnect(
  context: Context,
  grants: readonly EndpointGrant[] | undefined,
  operation: Operation,
): number | undefined {
  const endpoint = grantedEndpoint(context, grants, operation);
  if (typeof endpoint === "number") return endpoint;
  connectSocket(context, operation, { host: hostOf(endpoint), port: endpoint.port });
  return undefined;
}

export function startUdpBind(
  context: Context,
  grants: AppliedGrants,
  operation: Operation,
): number | undefined {
  const { operations, handles } = context;
  const flags = bindFlags(operation);
  if (typeof flags === "number") return flags;
  const endpoint = grantedEndpoint(context, grants.bind, operation);
  if (typeof endpoint === "number") return endpoint;
  if (flags.reusePort && !CAN_REUSE_PORT) return -ERRNO.ENOTSUP;

  const inDeno = jsRuntime() === "deno";
  const ipv6Only = endpoint.bytes.length === 16;
  const socket = createSocket({
    type: ipv6Only ? "udp6" : "udp4",
    ipv6Only,
    ...(flags.reuseAddress ? { reuseAddr: true } : {}),
    ...(flags.reusePort ? { reusePort: true } : {}),
    // Addresses are never names here, and Node's own look-up would take a turn of the event loop.
    lookup: (address, { family }, done) => done(null, address, Number(family)),
  });
  const fail = (result: number): void => {
    if (operation.finished) return;
    operations.finish(operation, result);
    socket.close();
  };
  const ports = inDeno ? [endpoint.port] : portsToTry(endpoint.port);
  // Exclusive: in a node:cluster worker the socket would otherwise be the primary's.
  const bind = (): void =>
    void socket.bind({ address: hostOf(endpoint), port: ports.shift(), exclusive: true });
  operation.owner = { cancel: () => fail(-ERRNO.ECANCELED) };
  socket.on("error", (error) => {
    const errno = errnoOf(error);
    const again = errno === ERRNO.EADDRINUSE && ports.length > 0 && !operation.finished;
    if (again) bind();
    else fail(-errno);
  });
  socket.once("listening", () => {
    if (operation.finished) return;
    const port = inDeno ? denoDatagramPort(socket) : datagramPort(socket);
    const udp = new UdpSocket(context, port, grants);
    socket.on("message", (data, { address, port }) => udp.arrived(data, endpointOf(address, port)));
    socket.on("error", (error) => udp.failed(errnoOf(error)));
    const handle = handles.insert(udp);
    if (handle < 0) fail(handle);
    else operations.finish(operation, handle);
  });
  if (inDeno) socket.unref();
  bind();
  return undefined;
}

/**
 * Where a socket binds that wants `port`. A port that Linux chose it takes away when the socket is connected
 * to nobody again, and Node cannot bind it twice: so for any port some are tried first that are named.
 */
function portsToTry(port: number): number[] {
  if (port !== 0) return [port];
  const named = Array.from({ length: NAMED_TRIES }, () => {
    return DYNAMIC_FIRST + Math.floor(Math.random() * (PORTS_END - DYNAMIC_FIRST));
  });
  return [...named, 0];
}
