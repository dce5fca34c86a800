//! What Linux answers to an operation that a handle does not have.

import { ERRNO, OP } from "../../abi.gen.ts";

/** A file: it is no socket, and no directory. */
export function refusedByFile(code: number): number {
  switch (code) {
    case OP.SHUTDOWN:
    case OP.LOCAL_ADDRESS:
    case OP.PEER_ADDRESS:
    case OP.SEND_TO:
    case OP.RECEIVE_FROM:
    case OP.SEND_BATCH:
    case OP.RECEIVE_BATCH:
    case OP.UDP_CONNECT:
    case OP.MEMBERSHIP:
    case OP.SET_OPTION:
    case OP.GET_OPTION:
    case OP.SEND_FILE:
    case OP.UNIX_SEND_TO:
      return -ERRNO.ENOTSOCK;
    case OP.READ_DIRECTORY:
      return -ERRNO.ENOTDIR;
    default:
      return -ERRNO.EINVAL;
  }
}

/** A directory: it has no bytes, and is no socket. */
export function refusedByDirectory(code: number): number {
  switch (code) {
    case OP.READ:
    case OP.WRITE:
    case OP.READV:
    case OP.WRITEV:
    case OP.PREAD:
    case OP.PWRITE:
    case OP.PREADV:
    case OP.PWRITEV:
    case OP.SEEK:
    case OP.ALLOCATE:
    case OP.COPY:
      return -ERRNO.EISDIR;
    default:
      return refusedByFile(code);
  }
}

/** A socket: it has no positions, and only datagrams carry addresses. */
export function refusedBySocket(code: number): number {
  switch (code) {
    case OP.PREAD:
    case OP.PWRITE:
    case OP.PREADV:
    case OP.PWRITEV:
    case OP.SEEK:
    case OP.ALLOCATE:
      return -ERRNO.ESPIPE;
    case OP.READ_DIRECTORY:
      return -ERRNO.ENOTDIR;
    case OP.SEND_TO:
    case OP.RECEIVE_FROM:
    case OP.SEND_BATCH:
    case OP.RECEIVE_BATCH:
    case OP.UDP_CONNECT:
    case OP.MEMBERSHIP:
    case OP.UNIX_SEND_TO:
      return -ERRNO.ENOTSUP;
    default:
      return -ERRNO.EINVAL;
  }
}
