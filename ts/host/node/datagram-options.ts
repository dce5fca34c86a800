//! Options and groups of a node:dgram socket.

import type { Socket } from "node:dgram";
import { ERRNO, OPTION } from "../../abi.gen.ts";
import type { Endpoint } from "../grants.ts";
import { addressText } from "../resources/address-text.ts";
import { errnoOf } from "../resources/errno.ts";
import type { OptionHost } from "../resources/socket-options.ts";
import { interfaceAddress, interfaceName } from "./address.ts";

type Setter = (socket: Socket, value: number) => unknown;

const SETTERS = new Map<number, Setter>([
  [OPTION.SEND_BUFFER, (socket, value) => socket.setSendBufferSize(value)],
  [OPTION.RECEIVE_BUFFER, (socket, value) => socket.setRecvBufferSize(value)],
  [OPTION.BROADCAST, (socket, value) => socket.setBroadcast(value === 1)],
  [OPTION.MULTICAST_HOPS, (socket, value) => socket.setMulticastTTL(value)],
  [OPTION.MULTICAST_LOOP, (socket, value) => socket.setMulticastLoopback(value === 1)],
  [OPTION.HOPS, (socket, value) => socket.setTTL(value)],
]);

const OPTIONS = [...SETTERS.keys()];

export function datagramOptions(socket: Socket): OptionHost {
  return {
    options: OPTIONS,
    set: (option, value) => attempt(() => SETTERS.get(option)!(socket, value)),
    get: (option) => {
      if (option === OPTION.SEND_BUFFER) return socket.getSendBufferSize();
      return option === OPTION.RECEIVE_BUFFER ? socket.getRecvBufferSize() : undefined;
    },
  };
}

/** Joins or leaves a group, whose scope is an interface's number. Returns 0 or a negated errno. */
export function setMembership(socket: Socket, { bytes, scope }: Endpoint, join: boolean): number {
  let multicastInterface: string | undefined;
  if (scope !== 0) {
    const name = interfaceName(scope);
    const address = name === undefined ? undefined : interfaceAddress(name);
    multicastInterface = bytes.length === 4 ? address : name && `::%${name}`;
    if (multicastInterface === undefined) return -ERRNO.ENODEV;
  }
  const group = addressText(bytes);
  return attempt(() =>
    join
      ? socket.addMembership(group, multicastInterface)
      : socket.dropMembership(group, multicastInterface),
  );
}

function attempt(what: () => unknown): number {
  try {
    what();
    return 0;
  } catch (error) {
    return -errnoOf(error);
  }
}
