//! What operations may fail with when the network and the disk do what they like.

import { ErrorSet } from "./reports.ts";

/** Connecting, reading, writing and ending a stream, each with a timeout, in a task that is canceled. */
export const STREAM_ERRORS = new ErrorSet(
  "ECANCELED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTCONN",
  "EPIPE",
  "ETIMEDOUT",
);

/** The same for messages of a known length: EPROTO when the stream ended within one. */
export const MESSAGE_ERRORS = STREAM_ERRORS.with("EPROTO");

/** Opening, reading, writing and syncing a file in a granted directory, in a task that is canceled. */
export const FILE_ERRORS = new ErrorSet("ECANCELED", "EIO", "ENOSPC");
