//! The same for Deno's node:dgram, which differs from Node's in five things: it sends datagrams that are
//! handed over together in any order; ref and unref do not reach a receive that waits; a descriptor
//! outlives its close by a turn or two of the event loop; of a failed send it knows no reason; and it
//! connects no socket in the system, so that nobody tells when nobody listens.

import type { Socket } from "node:dgram";
import { nextMacrotask } from "../macrotask.ts";
import { errnoOf } from "../resources/errno.ts";
import type { DatagramPort } from "../resources/udp-socket.ts";
import { endpointOf, hostOf } from "./address.ts";
import { datagramOptions, setMembership } from "./datagram-options.ts";

/** As long as timers go. */
const FOREVER_MS = 2 ** 31 - 1;

/** Takes the socket over, except for its events. It was unref'd before it was bound. */
export function denoDatagramPort(socket: Socket): DatagramPort {
  const { address, port } = socket.address();
  let alive: ReturnType<typeof setInterval> | undefined;
  let closed = false;
  let sent: Promise<unknown> = Promise.resolve();
  const keepAlive = (wanted: boolean): void => {
    if (wanted === (alive !== undefined)) return;
    clearInterval(alive);
    alive = wanted ? setInterval(() => {}, FOREVER_MS) : undefined;
  };
  return {
    local: endpointOf(address, port)!,
    options: datagramOptions(socket),
    send: (data, to, done) => {
      sent = sent.then(async () => {
        if (closed) return;
        done(await send(socket, data, to.port, hostOf(to)));
      });
    },
    connect: () => 0,
    membership: (group, join) => setMembership(socket, group, join),
    keepAlive,
    close: async () => {
      closed = true;
      keepAlive(false);
      socket.close();
      for (let turn = 0; turn < 2; turn++) await new Promise<void>(nextMacrotask);
    },
  };
}

function send(socket: Socket, data: Uint8Array, port: number, host: string): Promise<number> {
  return new Promise((resolve) =>
    socket.send(data, port, host, (error, bytes) =>
      resolve(error == null ? bytes : -errnoOf(error)),
    ),
  );
}
