//! What an OPEN asks for, checked as far as the record alone can tell.

import { type ERRNO, OPEN, PATH_MAX } from "../../abi.gen.ts";
import { StackfulError } from "../../errors.ts";
import { type Directory, type Located, locate } from "../grants.ts";
import type { GuestRing, Submission } from "../ring.ts";

export interface OpenRequest {
  readonly located: Located;
  readonly read: boolean;
  readonly write: boolean;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly append: boolean;
  /** Permission bits of a file that is created. */
  readonly mode: number;
}

const FLAGS_KNOWN =
  OPEN.READ | OPEN.WRITE | OPEN.CREATE | OPEN.EXCLUSIVE | OPEN.TRUNCATE | OPEN.APPEND;
const FLAGS_WRITING = OPEN.WRITE | OPEN.CREATE | OPEN.TRUNCATE | OPEN.APPEND;
const PERMISSION_BITS = 0o777;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws {StackfulError} `SF_IO` with the errno that the operation results in. */
export function readOpenRequest(
  ring: GuestRing,
  directories: readonly Directory[],
  submission: Submission,
): OpenRequest {
  const located = locate(directories, readPath(ring, submission));
  const { argument: wanted, mode } = submission;
  const has = (flag: number): boolean => (wanted & flag) !== 0;
  if (!has(OPEN.READ | OPEN.WRITE) || (wanted & ~FLAGS_KNOWN) !== 0) throw openFailure("EINVAL");
  if (has(OPEN.TRUNCATE) && !has(OPEN.WRITE)) throw openFailure("EINVAL");
  if (located.directory.readOnly && has(FLAGS_WRITING)) {
    throw openFailure("EROFS", located.directory.guest);
  }
  if (located.directoryOnly && has(FLAGS_WRITING)) throw openFailure("EISDIR");
  return {
    located,
    read: has(OPEN.READ),
    write: has(OPEN.WRITE),
    create: has(OPEN.CREATE),
    exclusive: has(OPEN.EXCLUSIVE),
    truncate: has(OPEN.TRUNCATE),
    append: has(OPEN.APPEND),
    mode: mode & PERMISSION_BITS,
  };
}

export function openFailure(errno: keyof typeof ERRNO, path = ""): StackfulError {
  return new StackfulError("SF_IO", `open ${path}: ${errno}`, { errno });
}

function readPath(ring: GuestRing, { pointer, length }: Submission): string {
  if (!ring.inRange(pointer, length)) throw openFailure("EFAULT");
  if (length > PATH_MAX) throw openFailure("ENAMETOOLONG");
  let path: string;
  try {
    path = decoder.decode(ring.copyOut(pointer, length));
  } catch {
    throw openFailure("EINVAL");
  }
  if (path.includes("\0")) throw openFailure("EINVAL", path);
  return path;
}
