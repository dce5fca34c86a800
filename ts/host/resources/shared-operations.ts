//! The operations that every backend written in JavaScript has, by what they wait for.

import type { OperationName } from "../capability.ts";

/** On sockets, and those that wait for nothing. */
export const ON_SOCKETS: readonly OperationName[] = [
  "LISTEN",
  "ACCEPT",
  "CONNECT",
  "READ",
  "WRITE",
  "READV",
  "WRITEV",
  "SEND_FILE",
  "SHUTDOWN",
  "CLOSE",
  "SEEK",
  "LOCAL_ADDRESS",
  "PEER_ADDRESS",
  "SET_OPTION",
  "GET_OPTION",
  "UDP_BIND",
  "UDP_CONNECT",
  "SEND_TO",
  "RECEIVE_FROM",
  "SEND_BATCH",
  "RECEIVE_BATCH",
  "MEMBERSHIP",
  "RESOLVER",
];

/** On files, directories and paths. */
export const ON_FILES: readonly OperationName[] = [
  "OPEN",
  "PREAD",
  "PWRITE",
  "PREADV",
  "PWRITEV",
  "FSYNC",
  "COPY",
  "READ_DIRECTORY",
  "STAT",
  "ACCESS",
  "CHMOD",
  "CHOWN",
  "UTIMES",
  "TRUNCATE",
  "LINK",
  "SYMLINK",
  "READLINK",
  "UNLINK",
  "RMDIR",
  "RENAME",
  "MKDIR",
];
