//! Operations on names: made, removed, moved, and what a link says. None follows the name.

import { type ERRNO, OP, RENAME } from "../../abi.gen.ts";
import type { StackfulError } from "../../errors.ts";
import { type Located, resolveBeneathSync } from "../grants.ts";
import { pathFailure } from "../resources/guest-path.ts";
import type { PathRequest } from "../resources/path-request.ts";
import { DirectoryNode, type DiskNode, LinkNode } from "./disk-node.ts";
import type { SimContext } from "./sim-backend.ts";

/** A name in a directory. */
export interface Name {
  readonly directory: DirectoryNode;
  readonly name: string;
  /** What is there. */
  readonly node: DiskNode | undefined;
  /** A slash follows it: it is meant to be a directory's. */
  readonly slash: boolean;
}

/** @throws {StackfulError} `SF_IO` with the errno that the operation results in. */
export function performOnNames(context: SimContext, request: PathRequest): number {
  const { volume } = context.host.disk;
  const name = findName(context, request.at ?? request.other!, request.code === OP.READLINK);
  const other = request.at && request.other ? findName(context, request.other) : undefined;
  switch (request.code) {
    case OP.READLINK: {
      if (name === undefined) throw pathFailure("EINVAL");
      const node = there(name);
      if (node.kind !== "link") throw pathFailure("EINVAL");
      const text = new TextEncoder().encode(node.target).subarray(0, request.outBytes);
      context.ring.copyIn(request.out, text);
      return text.length;
    }
    case OP.UNLINK: {
      if (name === undefined) throw pathFailure("EISDIR");
      const node = there(name);
      if (node.kind === "directory" || name.slash) throw ofDirectory(node, "EISDIR");
      name.directory.change(name.name, undefined);
      return 0;
    }
    case OP.RMDIR: {
      // A root of the guest's stays.
      if (name === undefined) throw pathFailure("EBUSY");
      const node = there(name);
      if (node.kind !== "directory") throw pathFailure("ENOTDIR");
      if (node.entries.size > 0) throw pathFailure("ENOTEMPTY");
      name.directory.change(name.name, undefined);
      return 0;
    }
    case OP.MKDIR:
      if (name === undefined || name.node !== undefined) throw pathFailure("EEXIST");
      name.directory.change(name.name, new DirectoryNode(volume, request.mode));
      return 0;
    case OP.SYMLINK: {
      const free = checkNew(name);
      if (request.target === "") throw pathFailure("ENOENT");
      free.directory.change(free.name, new LinkNode(volume, request.target));
      return 0;
    }
    case OP.LINK: {
      if (name === undefined) throw pathFailure("EPERM");
      const node = there(name);
      if (name.slash) throw ofDirectory(node, "EPERM");
      return linkNode(node, other);
    }
    default:
      return rename(name, other, request.argument);
  }
}

/**
 * Finds the name; undefined: the path ends in "." or "..", or names its directory itself. It was found to
 * be one then.
 *
 * @param slashFollows - A slash behind a link means what it leads to, so that there is no name either.
 */
export function findName(
  { host: { disk } }: SimContext,
  located: Located,
  slashFollows = false,
): Name | undefined {
  const named = located.named && !(slashFollows && located.directoryOnly);
  const path = resolveBeneathSync(located, disk, !named);
  if (named) {
    const { directory, name } = disk.parentOf(path);
    return { directory, name, node: disk.at(path), slash: located.directoryOnly };
  }
  const node = disk.at(path);
  if (node?.kind !== "directory") throw pathFailure(node === undefined ? "ENOENT" : "ENOTDIR");
  return undefined;
}

/** Gives what is there, perhaps without a name, one more. */
export function linkNode(node: DiskNode, to: Name | undefined): number {
  if (node.kind === "directory") throw pathFailure("EPERM");
  const free = checkNew(to);
  // It was removed, and stays so.
  if (node.places.length === 0 && node.wasNamed) throw pathFailure("ENOENT");
  free.directory.change(free.name, node);
  return 0;
}

function rename(from: Name | undefined, to: Name | undefined, how: number): number {
  if (from === undefined || to === undefined) throw pathFailure("EBUSY");
  const node = there(from);
  const isDirectory = node.kind === "directory";
  const exchange = how === RENAME.EXCHANGE;
  if (how === RENAME.NO_REPLACE && to.node !== undefined) throw pathFailure("EEXIST");
  if (exchange) there(to);
  if (!isDirectory && (from.slash || (to.slash && !exchange))) throw pathFailure("ENOTDIR");
  if (exchange && to.slash && to.node?.kind !== "directory") throw pathFailure("ENOTDIR");
  if (isDirectory && node.contains(to.directory)) throw pathFailure("EINVAL");
  if (to.node?.kind === "directory" && to.node.contains(from.directory)) {
    throw pathFailure(exchange ? "EINVAL" : "ENOTEMPTY");
  }
  if (node === to.node) return 0;
  if (!exchange) checkReplaced(isDirectory, to.node);
  DirectoryNode.change([
    { ...to, node },
    { ...from, node: exchange ? to.node : undefined },
  ]);
  return 0;
}

function checkReplaced(isDirectory: boolean, replaced: DiskNode | undefined): void {
  if (replaced === undefined) return;
  if (replaced.kind !== "directory") {
    if (isDirectory) throw pathFailure("ENOTDIR");
    return;
  }
  if (!isDirectory) throw pathFailure("EISDIR");
  if (replaced.entries.size > 0) throw pathFailure("ENOTEMPTY");
}

function there({ node, name }: Name): DiskNode {
  if (node === undefined) throw pathFailure("ENOENT", name);
  return node;
}

/** What is said where only a name that no directory has is of use. */
function ofDirectory(node: DiskNode, directory: keyof typeof ERRNO): StackfulError {
  return pathFailure(node.kind === "directory" ? directory : "ENOTDIR");
}

/** Fails unless something can be made at the name. */
function checkNew(name: Name | undefined): Name {
  if (name === undefined || name.node !== undefined) throw pathFailure("EEXIST");
  if (name.slash) throw pathFailure("ENOENT", name.name);
  return name;
}
