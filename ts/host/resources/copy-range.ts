//! What a COPY moves, where no system call does it.

import { ERRNO } from "../../abi.gen.ts";
import type { Submission } from "../ring.ts";
import { TRANSFER_BYTES_MAX } from "./resource.ts";

/** How many bytes to copy; or a negated errno: the ranges overlap in one file. */
export function bytesToCopy(
  { offset, otherOffset, length }: Submission,
  sourceBytes: number,
  sameFile: boolean,
): number {
  const bytes = Math.min(length, Math.max(0, sourceBytes - offset));
  if (sameFile && Math.abs(offset - otherOffset) < bytes) return -ERRNO.EINVAL;
  return Math.min(bytes, TRANSFER_BYTES_MAX);
}
