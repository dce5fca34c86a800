//! A bound node:dgram socket as UdpSocket wants it.

import type { Socket } from "node:dgram";
import { ERRNO } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import type { DatagramPort } from "../resources/udp-socket.ts";
import { endpointOf, hostOf } from "./address.ts";
import { datagramOptions, setMembership } from "./datagram-options.ts";

/** Takes the socket over, except for its events. It keeps the event loop alive only while told to. */
export function datagramPort(socket: Socket): DatagramPort {
  let connected = false;
  socket.unref();
  return {
    get local() {
      const { address, port } = socket.address();
      return endpointOf(address, port)!;
    },
    options: datagramOptions(socket),
    send: (data, to, done) => {
      const told = (error: Error | null, bytes: number): void =>
        done(error == null ? bytes : -errnoOf(error));
      // A connected socket takes no address, not even its peer's.
      if (connected) socket.send(data, told);
      else sendTo(socket, data, to, told);
    },
    connect: (peer) => {
      if (connected) socket.disconnect();
      connected = peer !== undefined;
      return peer === undefined ? 0 : connect(socket, peer);
    },
    membership: (group, join) => setMembership(socket, group, join),
    keepAlive: (alive) => (alive ? socket.ref() : socket.unref()),
    close: () => {
      socket.close();
    },
  };
}

/**
 * Bun tells a socket that talks to nobody in particular that nobody listened where an earlier datagram went, in the
 * place of sending this one.
 */
function sendTo(
  socket: Socket,
  data: Uint8Array,
  to: Endpoint,
  told: (error: Error | null, bytes: number) => void,
): void {
  socket.send(data, to.port, hostOf(to), (error, bytes) => {
    const ofEarlier = error != null && errnoOf(error) === ERRNO.ECONNREFUSED;
    if (ofEarlier) sendTo(socket, data, to, told);
    else told(error, bytes);
  });
}

function connect(socket: Socket, peer: Endpoint): Promise<number> {
  return new Promise((resolve) =>
    socket.connect(peer.port, hostOf(peer), (error?: Error) =>
      resolve(error === undefined ? 0 : -errnoOf(error)),
    ),
  );
}
