//! OPEN: from a guest path to a handle, inside the granted directories.
//!
//! grants.ts walks the path; see there for the race that remains. held.ts closes it where it can.

import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { realpath, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isatty } from "node:tty";
import { promisify } from "node:util";
import { ERRNO } from "../../abi.gen.ts";
import { StackfulError } from "../../errors.ts";
import { flagOf, permitted } from "../../permissions.ts";
import type { DirectoryGrant } from "../backend.ts";
import {
  checkDirectoryGrant,
  type Directory,
  directoryGrantError,
  resolveBeneath,
} from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import { type OpenRequest, openFailure, readOpenRequest } from "../resources/open-request.ts";
import type { Operation } from "../resources/operation.ts";
import type { Context } from "../resources/resource.ts";
import type { Sandbox } from "../resources/sandbox.ts";
import { File } from "./file.ts";
import { holdDirectory, openBeneath } from "./held.ts";
import { OpenDirectory } from "./open-directory.ts";
import { links } from "./path-links.ts";

// Plain descriptors, because a FileHandle closes itself when it is collected.
const closeFd = promisify(fs.close);
const fstat = promisify(fs.fstat);
const ftruncate = promisify(fs.ftruncate);

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
        throw directoryGrantError(grant, errno ?? "EIO", cause);
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
  const fd = await openDescriptor(request, path);
  try {
    const stats = await fstat(fd);
    if (waits(fd, stats)) throw openFailure("ENOTSUP", path);
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

/** Whether reading it waits for others, which node:fs does not do without holding a thread. */
function waits(fd: number, stats: fs.Stats): boolean {
  return stats.isFIFO() || stats.isSocket() || (stats.isCharacterDevice() && isatty(fd));
}

async function openDescriptor(request: OpenRequest, path: string): Promise<number> {
  const { directory } = request.located;
  const flags = hostFlags(request);
  const makes = request.temporary || (request.create && path !== directory.root);
  if (!makes) return openBeneath(directory, path, flags);
  // What is made must not be made elsewhere first.
  const parent = await holdDirectory(directory, request.temporary ? path : dirname(path));
  try {
    const name = request.temporary ? `.stackful-${randomUUID()}` : basename(path);
    const fd = await openBeneath(directory, join(parent.path, name), flags, request.mode);
    if (request.temporary) await unlink(join(parent.path, name));
    return fd;
  } finally {
    await parent.release();
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
  let flags = (c.O_NONBLOCK ?? 0) | (c.O_NOCTTY ?? 0);
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

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
