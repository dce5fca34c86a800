//! Operations on what a path names, or on what is open: stat, access, permissions, owner, times, size; and
//! one more name for it. Its owner, who is not root, does them.

import { OP } from "../../abi.gen.ts";
import { pathFailure } from "../resources/guest-path.ts";
import type { PathRequest, TimeChange } from "../resources/path-request.ts";
import { statRecord } from "../resources/stat-record.ts";
import { type DiskNode, OWNER } from "./disk-node.ts";
import { FILE_BYTES_MAX, PAGE_BYTES } from "./file-content.ts";
import { findName, linkNode } from "./name-operations.ts";
import type { SimContext } from "./sim-backend.ts";

const OWNER_WRITES = 0o200;
const OWNER_SHIFT = 6;
const KINDS = {
  file: "REGULAR",
  directory: "DIRECTORY",
  link: "SYMLINK",
  socket: "SOCKET",
} as const;

const encoder = new TextEncoder();

/** @throws {StackfulError} `SF_IO` with the errno that the operation results in. */
export function performOnNode(context: SimContext, request: PathRequest, node: DiskNode): number {
  switch (request.code) {
    case OP.STAT:
      context.ring.copyIn(request.out, recordOf(node));
      return 0;
    case OP.ACCESS: {
      // Everybody has every permission for a link.
      const allowed = node.kind === "link" ? 0o7 : node.mode >> OWNER_SHIFT;
      if ((request.argument & ~allowed) !== 0) throw pathFailure("EACCES");
      return 0;
    }
    case OP.CHMOD:
      if (node.kind === "link") throw pathFailure("ENOTSUP");
      node.mode = request.mode;
      node.changed();
      return 0;
    case OP.CHOWN: {
      const { user = OWNER, group = OWNER } = request;
      if (user !== OWNER || group !== OWNER) throw pathFailure("EPERM");
      node.changed();
      return 0;
    }
    case OP.UTIMES: {
      const { wallNs } = context.host.disk.volume;
      node.accessedNs = timeOf(request.accessed, node.accessedNs, wallNs);
      node.modifiedNs = timeOf(request.modified, node.modifiedNs, wallNs);
      node.changed();
      return 0;
    }
    case OP.TRUNCATE:
      return resize(node, request.size);
    default:
      return linkNode(node, findName(context, request.other!));
  }
}

function resize(node: DiskNode, size: number): number {
  if (node.kind !== "file") throw pathFailure(node.kind === "directory" ? "EISDIR" : "EINVAL");
  if ((node.mode & OWNER_WRITES) === 0) throw pathFailure("EACCES");
  if (size > FILE_BYTES_MAX) throw pathFailure("EFBIG");
  if (!node.content.resize(size)) throw pathFailure("ENOSPC");
  node.modified();
  return 0;
}

function timeOf(change: TimeChange, before: bigint, wallNs: () => bigint): bigint {
  if (change === "keep") return before;
  return change === "now" ? wallNs() : change;
}

function recordOf(node: DiskNode): Uint8Array {
  return statRecord({
    device: 1n,
    inode: node.inode,
    bytes: BigInt(bytesOf(node)),
    allocatedBytes: BigInt(node.kind === "file" ? node.content.allocated : 0),
    accessedNs: node.accessedNs,
    modifiedNs: node.modifiedNs,
    changedNs: node.changedNs,
    createdNs: node.createdNs,
    kind: KINDS[node.kind],
    mode: node.mode,
    links: linksOf(node),
    user: OWNER,
    group: OWNER,
    blockBytes: PAGE_BYTES,
  });
}

function bytesOf(node: DiskNode): number {
  if (node.kind === "file") return node.content.size;
  if (node.kind === "socket") return 0;
  return node.kind === "link" ? encoder.encode(node.target).length : PAGE_BYTES;
}

/** A directory has its name, "." and the ".." of each directory in it. */
function linksOf(node: DiskNode): number {
  if (node.kind !== "directory") return node.places.length;
  const inside = [...node.entries.values()].filter(({ kind }) => kind === "directory");
  return 2 + inside.length;
}
