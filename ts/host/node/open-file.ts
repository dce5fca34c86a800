//! OPEN: from a guest path to a handle, inside the granted directories.
//!
//! grants.ts walks the path; see there for the race that remains. Here it is narrowed: the last
//! component is opened without following a link, what was opened is compared with the granted
//! directory, and only then is it truncated. What a winner of the race can still get out of it is
//! an empty file, made by an OPEN with CREATE in the directory that the link led to.

import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { lstat, readlink, realpath, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ERRNO } from "../../abi.gen.ts";
import { StackfulError } from "../../errors.ts";
import { flagOf, permitted } from "../../permissions.ts";
import type { DirectoryGrant } from "../backend.ts";
import {
  checkDirectoryGrant,
  type Directory,
  isBeneath,
  type LinkReader,
  resolveBeneath,
} from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import { type OpenRequest, openFailure, readOpenRequest } from "../resources/open-request.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";
import type { Sandbox } from "../resources/sandbox.ts";
import { descriptorPath } from "./descriptor-path.ts";
import { File } from "./file.ts";
import { OpenDirectory } from "./open-directory.ts";

// Plain descriptors, because a FileHandle closes itself when it is collected.
const openFd = promisify(fs.open);
const closeFd = promisify(fs.close);
const fstat = promisify(fs.fstat);
const ftruncate = promisify(fs.ftruncate);

const links: LinkReader = {
  async kind(path) {
    try {
      const stats = await lstat(path);
      if (stats.isSymbolicLink()) return "link";
      return stats.isDirectory() ? "directory" : "other";
    } catch (error) {
      if (errnoOf(error) === ERRNO.ENOENT) return "missing";
      throw error;
    }
  },
  readLink: (path) => readlink(path),
};

/** @throws {StackfulError} `SF_IO` when the host has no such directory. */
export async function openDirectories(
  grants: readonly DirectoryGrant[] = [],
): Promise<readonly Directory[]> {
  return Promise.all(
    grants.map(async (grant) => {
      checkDirectoryGrant(grant);
      const permission = { name: "read", path: grant.host } as const;
      if (!permitted(permission)) {
        const message = `grant directory ${grant.host}: it needs ${flagOf(permission)}`;
        throw new StackfulError("SF_IO", message, { errno: "ENOTCAPABLE" });
      }
      try {
        const root = await realpath(grant.host);
        if (!(await stat(root)).isDirectory()) throw openFailure("ENOTDIR", root);
        return { root, guest: grant.guest, readOnly: grant.readOnly ?? false };
      } catch (cause) {
        const errno = cause instanceof StackfulError ? cause.errno : codeOf(cause);
        throw new StackfulError("SF_IO", `grant directory ${grant.host}: ${errno}`, {
          errno: errno ?? "EIO",
          hint: "a granted directory must exist",
          cause,
        });
      }
    }),
  );
}

/** Never rejects: what goes wrong is the operation's result. */
export async function startOpen(
  context: Context,
  directories: readonly Directory[],
  operation: Operation,
): Promise<void> {
  const { handles, operations, sandbox } = context;
  // While the path is walked nothing has happened yet, so that is when a CANCEL takes effect.
  operation.owner = { cancel: () => operations.finish(operation, -ERRNO.ECANCELED) };
  try {
    const request = readOpenRequest(context, directories, operation.submission);
    if (handles.full) throw openFailure("EMFILE");
    const path = await resolveBeneath(request.located, links, !request.noFollow);
    if (operation.finished) return;
    if (sandbox !== undefined && !allows(sandbox, request, path)) {
      throw openFailure("ENOTCAPABLE", path);
    }

    operation.owner = undefined;
    operations.finish(operation, await openHandle(context, request, path));
  } catch (error) {
    operations.finish(operation, -errnoOf(error));
  }
}

/** @returns the handle. */
async function openHandle(context: Context, request: OpenRequest, path: string): Promise<number> {
  const { directory } = request.located;
  const name = request.temporary ? join(path, `.stackful-${randomUUID()}`) : path;
  const fd = await openFd(name, hostFlags(request), request.mode);
  try {
    await verify(fd, name, directory);
    if (request.temporary) await unlink(name);
    const stats = await fstat(fd);
    if (stats.isFIFO() || stats.isSocket()) throw openFailure("ENOTSUP", path);
    if (request.truncate) await ftruncate(fd, 0);
    const resource = stats.isDirectory()
      ? new OpenDirectory(context, fd, { ...directory, root: path })
      : new File(context, fd, request, stats);
    const handle = context.handles.insert(resource);
    if (handle < 0) throw openFailure("EMFILE", path);
    return handle;
  } catch (error) {
    await closeFd(fd);
    throw error;
  }
}

function allows(sandbox: Sandbox, request: OpenRequest, path: string): boolean {
  const { root } = request.located.directory;
  const writes = request.write || request.create || request.truncate || request.append;
  return (
    (!request.read || sandbox.allowsFile("read", root, path)) &&
    (!writes || sandbox.allowsFile("write", root, path))
  );
}

function hostFlags(request: OpenRequest): number {
  const c = fs.constants;
  // O_NONBLOCK: opening a FIFO must not hold a thread of the pool until its other end opens.
  // Windows has none of the optional ones.
  let flags = (c.O_NOFOLLOW ?? 0) | (c.O_NONBLOCK ?? 0) | (c.O_NOCTTY ?? 0);
  if (!request.write) flags |= c.O_RDONLY;
  else flags |= request.read ? c.O_RDWR : c.O_WRONLY;
  if (request.create || request.temporary) flags |= c.O_CREAT;
  if (request.exclusive || request.temporary) flags |= c.O_EXCL;
  if (request.append) flags |= c.O_APPEND;
  if (request.directory && !request.temporary) flags |= c.O_DIRECTORY ?? 0;
  if (request.sync) {
    if (c.O_SYNC === undefined) throw openFailure("ENOTSUP");
    flags |= c.O_SYNC;
  }
  return flags;
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
  throw openFailure("ENOTCAPABLE", path);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
