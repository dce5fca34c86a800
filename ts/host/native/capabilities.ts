//! What the native backends can do.

import { capabilities } from "../capability.ts";

export const CAPABILITIES = capabilities({
  LISTEN: "native",
  ACCEPT: "native",
  CONNECT: "native",
  READ: "native",
  WRITE: "native",
  READV: "native",
  WRITEV: "native",
  SHUTDOWN: "native",
  CLOSE: "native",
  OPEN: "native",
  PREAD: "native",
  PWRITE: "native",
  FSYNC: "native",
  LOCAL_ADDRESS: "native",
  PEER_ADDRESS: "native",
  UDP_BIND: "native",
  SEND_TO: "native",
  RECEIVE_FROM: "native",
});
