//! Errors of JavaScript hosts as the numbers of abi.h, by name: a host's own numbers differ.

import { ERRNO } from "../../abi.gen.ts";
import { StackfulError } from "../../errors.ts";

/** Names that say the same as one in abi.h; codes of Node's and classes of Deno's without one in POSIX. */
const ALIASES: Readonly<Record<string, keyof typeof ERRNO>> = {
  EWOULDBLOCK: "EAGAIN",
  EOPNOTSUPP: "ENOTSUP",
  EHOSTDOWN: "EHOSTUNREACH",
  ESHUTDOWN: "EPIPE",
  EILSEQ: "EINVAL",
  ERR_INVALID_ARG_VALUE: "EINVAL",
  ERR_SOCKET_DGRAM_IS_CONNECTED: "EISCONN",
  ERR_SOCKET_DGRAM_NOT_CONNECTED: "EDESTADDRREQ",
  ERR_SOCKET_CLOSED: "EPIPE",
  ERR_SOCKET_CLOSED_BEFORE_CONNECTION: "ECONNRESET",
  ERR_STREAM_DESTROYED: "EPIPE",
  ERR_STREAM_WRITE_AFTER_END: "EPIPE",
  NotCapable: "ENOTCAPABLE",
};

/** The errno, positive, that says what `error` says; EIO when none does. */
export function errnoOf(error: unknown): number {
  const name = nameOf(error);
  if (name === undefined) return ERRNO.EIO;
  return ERRNO[(ALIASES[name] ?? name) as keyof typeof ERRNO] ?? ERRNO.EIO;
}

/** Of a positive errno. */
export function errnoName(errno: number): keyof typeof ERRNO {
  const names = Object.keys(ERRNO) as (keyof typeof ERRNO)[];
  return names.find((name) => ERRNO[name] === errno) ?? "EIO";
}

function nameOf(error: unknown): string | undefined {
  if (error instanceof StackfulError) return error.errno;
  const { code, name } = (error ?? {}) as { code?: string; name?: string };
  return code ?? name;
}
