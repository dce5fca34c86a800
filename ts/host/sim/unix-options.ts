//! What can be set on a Unix socket.

import { OPTION } from "../../abi.gen.ts";
import { type SocketKind, SocketOptions } from "../resources/socket-options.ts";

/** The sizes are remembered, and change nothing. */
export function unixOptions(kind: SocketKind): SocketOptions {
  return new SocketOptions(kind, {
    options: [OPTION.SEND_BUFFER, OPTION.RECEIVE_BUFFER],
    set: () => 0,
  });
}
