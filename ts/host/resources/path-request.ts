//! What an operation on paths asks for, checked as far as the record alone can tell, and whose it is then.

import {
  ACCESS,
  ID_KEEP,
  OP,
  PATH_FLAGS,
  PATH_MAX,
  RENAME,
  STAT,
  TIME_CHANGE,
  TIMES,
} from "../../abi.gen.ts";
import type { Directory, Located } from "../grants.ts";
import type { Submission } from "../ring.ts";
import { errnoOf } from "./errno.ts";
import { pathFailure, readGuestPath, readGuestText } from "./guest-path.ts";
import type { Operation } from "./operation.ts";
import type { Context, Resource } from "./resource.ts";

export interface PathRequest {
  readonly code: number;
  /** PATH; absent where there is none, and where it is `opened`. */
  readonly at: Located | undefined;
  /** What the handle has open, for an empty PATH. */
  readonly opened: Opened | undefined;
  /** OTHER PATH, where there is one. */
  readonly other: Located | undefined;
  /** Of SYMLINK. */
  readonly target: string;
  /** A link at the path's end is meant itself. */
  readonly noFollow: boolean;
  /** Of ACCESS and RENAME. */
  readonly argument: number;
  /** Permission bits. */
  readonly mode: number;
  /** Of CHOWN; undefined: it stays. */
  readonly user: number | undefined;
  readonly group: number | undefined;
  /** Of TRUNCATE, in bytes. */
  readonly size: number;
  /** Of UTIMES. */
  readonly accessed: TimeChange;
  readonly modified: TimeChange;
  /** Where in guest memory the result goes, and how many bytes it may have. */
  readonly out: number;
  readonly outBytes: number;
}

/** A file or a directory: operations whose path is empty work on it. */
export interface Opened extends Resource {
  /** Whether its grant allows no changes. */
  readonly readOnly: boolean;
  startPath(operation: Operation, request: PathRequest): void;
}

/** Nanoseconds since 1970. */
export type TimeChange = bigint | "keep" | "now";

interface Shape {
  readonly path: boolean;
  readonly other: boolean;
  /** An empty PATH means what the handle has open. */
  readonly empty: boolean;
  /** It needs grants to write. */
  readonly changes: boolean;
  /** It reads sf_path_flags. */
  readonly flags: boolean;
}

const PERMISSION_BITS = 0o777;
const LOOKS: Shape = { path: true, other: false, empty: true, changes: false, flags: true };
const CHANGES: Shape = { ...LOOKS, changes: true };
const NAMES: Shape = { ...CHANGES, empty: false, flags: false };

const SHAPES: ReadonlyMap<number, Shape> = new Map([
  [OP.STAT, LOOKS],
  [OP.ACCESS, LOOKS],
  [OP.CHMOD, CHANGES],
  [OP.CHOWN, CHANGES],
  [OP.UTIMES, CHANGES],
  [OP.TRUNCATE, { ...CHANGES, flags: false }],
  [OP.LINK, { ...CHANGES, other: true, flags: false }],
  [OP.SYMLINK, { ...NAMES, path: false, other: true }],
  [OP.READLINK, { ...NAMES, changes: false }],
  [OP.UNLINK, NAMES],
  [OP.RMDIR, NAMES],
  [OP.RENAME, { ...NAMES, other: true }],
  [OP.MKDIR, NAMES],
]);

const ON_OBJECTS: ReadonlySet<number> = new Set([
  OP.STAT,
  OP.ACCESS,
  OP.CHMOD,
  OP.CHOWN,
  OP.UTIMES,
  OP.TRUNCATE,
]);

export function isPathOperation(code: number): boolean {
  return SHAPES.has(code);
}

/** Whether it works on what PATH names; else on the name. */
export function isOnObject(code: number): boolean {
  return ON_OBJECTS.has(code);
}

/**
 * Starts an operation on paths: on what is open where PATH is empty, else `begin` does.
 *
 * @returns its result, or undefined when it comes later.
 */
export function startPathRequest(
  context: Context,
  granted: readonly Directory[],
  operation: Operation,
  begin: (request: PathRequest) => void,
): number | undefined {
  try {
    const request = readPathRequest(context, granted, operation.submission);
    if (request.opened === undefined) begin(request);
    else request.opened.startPath(operation, request);
    return undefined;
  } catch (error) {
    return -errnoOf(error);
  }
}

/** @throws {StackfulError} `SF_IO` with the errno that the operation results in. */
function readPathRequest(
  context: Context,
  granted: readonly Directory[],
  submission: Submission,
): PathRequest {
  const { code, flags, handle, argument, mode, offset, otherPointer, otherLength } = submission;
  const shape = SHAPES.get(code)!;
  const opened =
    shape.path && submission.length === 0 && handle !== -1
      ? findOpened(context, shape, handle)
      : undefined;
  const at =
    shape.path && opened === undefined ? readGuestPath(context, granted, submission) : undefined;
  const target = shape.path ? "" : readGuestText(context.ring, submission);
  const otherField = {
    handle: submission.otherHandle,
    pointer: otherPointer,
    length: otherLength,
  };
  const other = shape.other ? readOther(context, granted, otherField) : undefined;
  if (shape.flags && (flags & ~PATH_FLAGS.NO_FOLLOW) !== 0) throw pathFailure("EINVAL");
  const rest = readRest(context, submission);
  const changes = shape.changes || (code === OP.ACCESS && (argument & ACCESS.WRITE) !== 0);
  const readOnly =
    opened?.readOnly === true || at?.directory.readOnly === true || other?.directory.readOnly;
  if (changes && readOnly === true) throw pathFailure("EROFS");
  return {
    code,
    at,
    opened,
    other,
    target,
    // A slash behind a link means what it leads to.
    noFollow: (flags & PATH_FLAGS.NO_FOLLOW) !== 0 && at?.directoryOnly !== true,
    argument,
    mode: mode & PERMISSION_BITS,
    user: argument === ID_KEEP ? undefined : argument,
    group: mode === ID_KEEP ? undefined : mode,
    size: offset,
    out: otherPointer,
    ...rest,
  };
}

function findOpened({ handles }: Context, shape: Shape, handle: number): Opened {
  const resource = handles.get(handle);
  if (resource === undefined) throw pathFailure("EBADF");
  if (!shape.empty) throw pathFailure("ENOENT");
  if (!isOpened(resource)) throw pathFailure("ENOTSUP");
  return resource;
}

function isOpened(resource: Resource): resource is Opened {
  return "startPath" in resource;
}

function readOther(
  context: Context,
  granted: readonly Directory[],
  field: { readonly handle: number; readonly pointer: number; readonly length: number },
): Located {
  const other = readGuestPath(context, granted, field);
  if (field.length === 0) throw pathFailure("ENOENT");
  return other;
}

/** What the operation wants besides its paths. */
function readRest(
  { ring }: Context,
  { code, argument, offset, otherPointer, otherLength }: Submission,
): Pick<PathRequest, "outBytes" | "accessed" | "modified"> {
  const nothing = { outBytes: 0, accessed: "keep", modified: "keep" } as const;
  const inRange = (bytes: number): void => {
    if (!ring.inRange(otherPointer, bytes)) throw pathFailure("EFAULT");
  };
  const must = (right: boolean): void => {
    if (!right) throw pathFailure("EINVAL");
  };
  switch (code) {
    case OP.STAT:
      inRange(STAT.size);
      return { ...nothing, outBytes: STAT.size };
    case OP.READLINK:
      inRange(otherLength);
      must(otherLength > 0);
      return { ...nothing, outBytes: Math.min(otherLength, PATH_MAX) };
    case OP.UTIMES: {
      inRange(TIMES.size);
      const view = new DataView(ring.copyOut(otherPointer, TIMES.size)!.buffer);
      const time = (name: "accessed" | "modified"): TimeChange => {
        const change = view.getUint32(TIMES[name], true);
        must(change <= TIME_CHANGE.NOW);
        if (change === TIME_CHANGE.KEEP) return "keep";
        return change === TIME_CHANGE.NOW ? "now" : view.getBigInt64(TIMES[`${name}Ns`], true);
      };
      return { ...nothing, accessed: time("accessed"), modified: time("modified") };
    }
    case OP.TRUNCATE:
      must(offset >= 0);
      return nothing;
    case OP.ACCESS:
      must(argument <= (ACCESS.READ | ACCESS.WRITE | ACCESS.EXECUTE));
      return nothing;
    case OP.RENAME:
      must(argument <= RENAME.EXCHANGE);
      return nothing;
    default:
      return nothing;
  }
}
