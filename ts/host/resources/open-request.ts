//! What an OPEN asks for, checked as far as the record alone can tell.

import { type ERRNO, OPEN } from "../../abi.gen.ts";
import { StackfulError } from "../../errors.ts";
import type { Directory, Located } from "../grants.ts";
import type { Submission } from "../ring.ts";
import { readGuestPath } from "./guest-path.ts";
import type { Context } from "./resource.ts";

export interface OpenRequest {
  readonly located: Located;
  readonly read: boolean;
  readonly write: boolean;
  readonly create: boolean;
  /** What exists is refused: with `create` alone. */
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly append: boolean;
  /** It must be a directory. */
  readonly directory: boolean;
  /** A link at the path's end is not followed. */
  readonly noFollow: boolean;
  readonly sync: boolean;
  /** A file without a name, in the directory that the path names. */
  readonly temporary: boolean;
  /** Permission bits of a file that is created. */
  readonly mode: number;
}

const FLAGS_WRITING = OPEN.WRITE | OPEN.CREATE | OPEN.TRUNCATE | OPEN.APPEND;
const FLAGS_KNOWN =
  OPEN.READ |
  FLAGS_WRITING |
  OPEN.EXCLUSIVE |
  OPEN.DIRECTORY |
  OPEN.NO_FOLLOW |
  OPEN.SYNC |
  OPEN.TEMPORARY;
/** What goes with each of these. */
const FLAGS_OF_DIRECTORIES = OPEN.READ | OPEN.DIRECTORY | OPEN.NO_FOLLOW;
const FLAGS_OF_TEMPORARIES = OPEN.READ | OPEN.WRITE | OPEN.APPEND | OPEN.SYNC | OPEN.TEMPORARY;
const PERMISSION_BITS = 0o777;

/** @throws {StackfulError} `SF_IO` with the errno that the operation results in. */
export function readOpenRequest(
  context: Context,
  granted: readonly Directory[],
  submission: Submission,
): OpenRequest {
  const located = readGuestPath(context, granted, submission);
  const { argument: wanted, mode } = submission;
  const has = (flags: number): boolean => (wanted & flags) !== 0;
  if (!agree(has)) throw openFailure("EINVAL");
  if (located.directory.readOnly && has(FLAGS_WRITING)) {
    throw openFailure("EROFS", located.directory.guest);
  }
  if (located.directoryOnly && has(FLAGS_WRITING) && !has(OPEN.TEMPORARY)) {
    throw openFailure("EISDIR");
  }
  const exclusive = has(OPEN.CREATE) && has(OPEN.EXCLUSIVE);
  return {
    located,
    read: has(OPEN.READ),
    write: has(OPEN.WRITE),
    create: has(OPEN.CREATE),
    exclusive,
    truncate: has(OPEN.TRUNCATE),
    append: has(OPEN.APPEND),
    directory: has(OPEN.DIRECTORY) || located.directoryOnly,
    // A slash behind a link means what it leads to.
    noFollow: (has(OPEN.NO_FOLLOW) || exclusive) && !located.directoryOnly,
    sync: has(OPEN.SYNC),
    temporary: has(OPEN.TEMPORARY),
    mode: mode & PERMISSION_BITS,
  };
}

export function openFailure(errno: keyof typeof ERRNO, path = ""): StackfulError {
  return new StackfulError("SF_IO", `open ${path}: ${errno}`, { errno });
}

/** Whether the flags make sense together. */
function agree(has: (flags: number) => boolean): boolean {
  if (has(~FLAGS_KNOWN) || !has(OPEN.READ | OPEN.WRITE)) return false;
  if (!has(OPEN.WRITE) && has(OPEN.TRUNCATE | OPEN.APPEND | OPEN.TEMPORARY)) return false;
  if (has(OPEN.DIRECTORY)) return !has(~FLAGS_OF_DIRECTORIES);
  return !has(OPEN.TEMPORARY) || !has(~FLAGS_OF_TEMPORARIES);
}
