//! A bound node:dgram socket as UdpSocket wants it.

import type { Socket } from "node:dgram";
import { errnoOf } from "../resources/errno.ts";
import type { DatagramPort } from "../resources/udp-socket.ts";
import { endpointOf, hostOf } from "./address.ts";

/** Takes the socket over, except for its events. It keeps the event loop alive only while told to. */
export function datagramPort(socket: Socket): DatagramPort {
  const { address, port } = socket.address();
  socket.unref();
  return {
    local: endpointOf(address, port)!,
    send: (data, to, done) =>
      socket.send(data, to.port, hostOf(to), (error, bytes) =>
        done(error == null ? bytes : -errnoOf(error)),
      ),
    keepAlive: (alive) => (alive ? socket.ref() : socket.unref()),
    close: () => {
      socket.close();
    },
  };
}
