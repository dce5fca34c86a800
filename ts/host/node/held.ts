//! A directory, or anything else on the host's disk, that nobody can exchange for something else while it
//! is worked on: Linux has a path for each descriptor, which leads to what that has open, whatever
//! happens to its names. Once it is open, the system tells where it really lies.
//!
//! Elsewhere, and where Deno does not permit those paths, a path that was free of links a moment ago has to
//! do.

import * as fs from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { platform } from "node:process";
import { promisify } from "node:util";
import { permitted } from "../../permissions.ts";
import { type Directory, isBeneath } from "../grants.ts";
import { pathFailure } from "../resources/guest-path.ts";
import { DESCRIPTORS_PATH, descriptorPath } from "./descriptor-path.ts";

// Plain descriptors, because a FileHandle closes itself when it is collected.
const openFd = promisify(fs.open);
const closeFd = promisify(fs.close);
const fstat = promisify(fs.fstat);

/** Names what is there, without access to it. Node has no name for it; most of Linux has this number. */
const O_PATH = 0o10000000;

export interface Held {
  /** A path that leads there, and to nothing else. */
  readonly path: string;
  /** Undefined: nothing is held, and `path` is as good as it was. */
  readonly fd: number | undefined;
  release(): Promise<void>;
}

/**
 * @param path - Below the directory, without links; a link at its end is held itself.
 * @param extraFlags - Of open(2), such as O_DIRECTORY.
 * @throws {StackfulError} `SF_IO` with errno ENOTCAPABLE when it turns out to lie elsewhere.
 */
export async function hold(directory: Directory, path: string, extraFlags = 0): Promise<Held> {
  if (!descriptorsHavePaths()) return { path, fd: undefined, release: async () => {} };
  const fd = await openBeneath(directory, path, O_PATH | extraFlags);
  return { path: `${DESCRIPTORS_PATH}/${fd}`, fd, release: () => closeFd(fd) };
}

/**
 * Opens what is there. A link at the end of `path` gives ELOOP.
 *
 * @returns the descriptor, the caller's, of something that lies in the directory.
 */
export async function openBeneath(
  directory: Directory,
  path: string,
  flags: number,
  mode?: number,
): Promise<number> {
  const fd = await openFd(path, flags | (fs.constants.O_NOFOLLOW ?? 0), mode);
  try {
    await verify(fd, path, directory);
    return fd;
  } catch (error) {
    await closeFd(fd);
    throw error;
  }
}

/** Fails unless `fd`, opened at `path`, is inside the directory now that it is open. */
async function verify(fd: number, path: string, { root }: Directory): Promise<void> {
  const link = descriptorPath(fd);
  if (link !== undefined) {
    if (isBeneath(root, link)) return;
  } else {
    // Whether the path, free of links now, still leads to the file that is open.
    const now = await realpath(path);
    const [opened, named] = await Promise.all([fstat(fd), stat(now)]);
    if (isBeneath(root, now) && opened.ino === named.ino && opened.dev === named.dev) return;
  }
  throw pathFailure("ENOTCAPABLE", path);
}

/** `hold` of a directory. */
export function holdDirectory(directory: Directory, path: string): Promise<Held> {
  return hold(directory, path, fs.constants.O_DIRECTORY);
}

export function descriptorsHavePaths(): boolean {
  if (platform !== "linux") return false;
  const path = DESCRIPTORS_PATH;
  return permitted({ name: "read", path }) && permitted({ name: "write", path });
}
