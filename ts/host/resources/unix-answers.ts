//! What a Unix socket answers in a way of its own, on hosts that set no option of it.

import { ERRNO, OP } from "../../abi.gen.ts";
import { writeEndpoint } from "./endpoint.ts";
import type { Operation } from "./operation.ts";
import type { Context } from "./resource.ts";

/** The result; undefined: it answers as a TCP socket does. Its addresses have no family. */
export function unixAnswer({ ring }: Context, { submission }: Operation): number | undefined {
  switch (submission.code) {
    case OP.LOCAL_ADDRESS:
    case OP.PEER_ADDRESS:
      return writeEndpoint(ring, submission.pointer, undefined);
    case OP.SET_OPTION:
    case OP.GET_OPTION:
      return -ERRNO.ENOPROTOOPT;
    default:
      return undefined;
  }
}

/** The same of a listener, which has no peer. */
export function unixListenerAnswer(context: Context, operation: Operation): number | undefined {
  return operation.submission.code === OP.PEER_ADDRESS ? undefined : unixAnswer(context, operation);
}
