//! OPEN on a simulated disk: from a guest path to a handle, inside the granted directories.

import { StackfulError } from "../../errors.ts";
import type { DirectoryGrant } from "../backend.ts";
import { checkDirectoryGrant, type Directory, resolveBeneathSync } from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";
import { type OpenRequest, openFailure, readOpenRequest } from "../resources/open-request.ts";
import type { Operation } from "../resources/operation.ts";
import { DirectoryHandle } from "./directory-handle.ts";
import type { SimDisk } from "./disk.ts";
import type { DirectoryNode, FileNode } from "./disk-node.ts";
import { FileHandle } from "./file-handle.ts";
import { finishAfter } from "./finish-after.ts";
import type { SimContext } from "./sim-backend.ts";

const OWNER_READS = 0o400;
const OWNER_WRITES = 0o200;

/** @throws {StackfulError} `SF_IO` when the disk has no such directory. */
export function findDirectories(
  disk: SimDisk,
  grants: readonly DirectoryGrant[] = [],
): readonly Directory[] {
  return grants.map((grant) => {
    checkDirectoryGrant(grant);
    const root = disk.realPath(grant.host);
    const node = disk.find(root);
    if (node?.kind !== "directory") {
      const errno = node === undefined ? "ENOENT" : "ENOTDIR";
      throw new StackfulError("SF_IO", `grant directory ${grant.host}: ${errno}`, {
        errno,
        hint: "make it on the host's disk first: a granted directory must exist",
      });
    }
    return { root, guest: grant.guest, readOnly: grant.readOnly ?? false };
  });
}

/** The operation's result, or undefined when it comes later. */
export function startOpen(
  context: SimContext,
  directories: readonly Directory[],
  operation: Operation,
): number | undefined {
  let request: OpenRequest;
  try {
    request = readOpenRequest(context, directories, operation.submission);
    if (context.handles.full) throw openFailure("EMFILE");
  } catch (error) {
    return -errnoOf(error);
  }
  finishAfter(context, operation, context.files.delayNs(false), () => open(context, request));
  return undefined;
}

function open(context: SimContext, request: OpenRequest): number {
  const { host, handles, network } = context;
  let path = "";
  let result: number;
  try {
    path = resolveBeneathSync(request.located, host.disk, !request.noFollow);
    const node = openNode(host.disk, path, request);
    result = handles.insert(
      node.kind === "directory"
        ? new DirectoryHandle(context, node, path, request.located.directory)
        : new FileHandle(context, node, path, request),
    );
  } catch (error) {
    result = -errnoOf(error);
  }
  if (network.observer.watched) {
    const { name } = host;
    network.observer.tell({ type: "file", host: name, what: "open", path, result });
  }
  return result;
}

function openNode(disk: SimDisk, path: string, request: OpenRequest): FileNode | DirectoryNode {
  const { read, write, create, exclusive, truncate, mode } = request;
  if (request.temporary) return disk.createUnnamed(path, mode);
  const kind = disk.kind(path);
  if (kind === "missing") {
    if (!create) throw openFailure("ENOENT", path);
    return disk.createFile(path, mode);
  }
  if (create && exclusive) throw openFailure("EEXIST", path);
  if (kind === "link") throw openFailure(request.directory ? "ENOTDIR" : "ELOOP", path);
  const node = disk.find(path)!;
  if (node.kind === "directory") {
    if (write || create) throw openFailure("EISDIR", path);
    return node;
  }
  if (request.directory || node.kind === "link") throw openFailure("ENOTDIR", path);
  if (node.kind === "socket") throw openFailure("ENXIO", path);
  const missing = (read ? OWNER_READS : 0) | (write ? OWNER_WRITES : 0);
  if ((missing & ~node.mode) !== 0) throw openFailure("EACCES", path);
  if (truncate) {
    node.content.truncate();
    node.modified();
  }
  return node;
}
