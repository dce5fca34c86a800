//! The path of an operation, from the guest's memory to the directory that it lies in.

import { type ERRNO, PATH_MAX } from "../../abi.gen.ts";
import { StackfulError } from "../../errors.ts";
import { type Directory, type Located, locate, locateIn } from "../grants.ts";
import type { GuestRing } from "../ring.ts";
import type { Context } from "./resource.ts";

/** Where a record has a text. */
export interface TextField {
  readonly pointer: number;
  readonly length: number;
}

/** Where a record has a path: with `handle` -1 the grants say which directory it lies in. */
export interface PathField extends TextField {
  readonly handle: number;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Where the path lies. An empty one means the directory of `handle` itself.
 *
 * @param granted - What the embedder granted.
 * @throws {StackfulError} `SF_IO` with the errno that the operation results in.
 */
export function readGuestPath(
  { ring, handles }: Context,
  granted: readonly Directory[],
  { handle, pointer, length }: PathField,
): Located {
  const resource = handle === -1 ? undefined : handles.get(handle);
  if (handle !== -1 && resource === undefined) throw pathFailure("EBADF");
  const path = readGuestText(ring, { pointer, length });
  if (resource === undefined) return locate(granted, path);
  if (resource.directory === undefined) throw pathFailure("ENOTDIR");
  return locateIn(resource.directory, path);
}

/** As long as a path, at most; the same errors. */
export function readGuestText(ring: GuestRing, { pointer, length }: TextField): string {
  const bytes = ring.copyOut(pointer, length);
  if (bytes === undefined) throw pathFailure("EFAULT");
  if (length > PATH_MAX) throw pathFailure("ENAMETOOLONG");
  return decode(bytes);
}

/** That an operation on `path` results in `errno`. */
export function pathFailure(errno: keyof typeof ERRNO, path = ""): StackfulError {
  return new StackfulError("SF_IO", `path ${path}: ${errno}`, { errno });
}

function decode(bytes: Uint8Array): string {
  let path: string;
  try {
    path = decoder.decode(bytes);
  } catch {
    throw pathFailure("EINVAL");
  }
  if (path.includes("\0")) throw pathFailure("EINVAL", path);
  return path;
}
