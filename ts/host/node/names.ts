//! Operations on names: made, removed, moved, and what a link says. None follows the name.

import { link, lstat, mkdir, readlink, rename, rmdir, symlink, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type ERRNO, OP, RENAME } from "../../abi.gen.ts";
import type { StackfulError } from "../../errors.ts";
import { jsRuntime } from "../../js-runtime.ts";
import { type Located, resolveBeneath } from "../grants.ts";
import { pathFailure } from "../resources/guest-path.ts";
import type { PathRequest } from "../resources/path-request.ts";
import { type Held, holdDirectory } from "./held.ts";
import type { Outcome } from "./object.ts";
import { links } from "./path-links.ts";

/** A name in a directory that is held. */
interface Name {
  readonly path: string;
  /** A slash follows it: it is meant to be a directory's. */
  readonly slash: boolean;
  /** False: the path ends in "." or "..", or names the directory itself; it was found to be one. */
  readonly named: boolean;
  readonly held: Held | undefined;
}

/** @param began - Called when something is about to happen that cannot be taken back. */
export async function performOnNames(request: PathRequest, began: () => void): Promise<Outcome> {
  const names: Name[] = [];
  try {
    for (const located of [request.at, request.other]) {
      if (located === undefined) continue;
      // A slash behind a link means what it leads to.
      const named = located.named && (request.code !== OP.READLINK || !located.directoryOnly);
      names.push(await findName({ ...located, named }));
    }
    return await perform(request, names[0]!, names.at(-1)!, began);
  } finally {
    for (const { held } of names) await held?.release();
  }
}

async function perform(
  request: PathRequest,
  name: Name,
  other: Name,
  began: () => void,
): Promise<Outcome> {
  switch (request.code) {
    case OP.READLINK: {
      if (!name.named) throw pathFailure("EINVAL");
      const text = new TextEncoder().encode(await readlink(name.path));
      const data = text.subarray(0, request.outBytes);
      return { result: data.length, data };
    }
    case OP.UNLINK:
      if (!name.named) throw pathFailure("EISDIR");
      if (name.slash) throw await ofSlash(name, "EISDIR");
      // Deno's unlink removes an empty directory too.
      if (jsRuntime() === "deno" && (await isDirectory(name))) throw pathFailure("EISDIR");
      began();
      await unlink(name.path);
      break;
    case OP.RMDIR:
      // A root of the guest's stays.
      if (!name.named) throw pathFailure("EBUSY");
      began();
      await rmdir(name.path);
      break;
    case OP.MKDIR:
      if (!name.named) throw pathFailure("EEXIST");
      began();
      await mkdir(name.path, { mode: request.mode });
      break;
    case OP.SYMLINK:
      await checkNew(name);
      if (request.target === "") throw pathFailure("ENOENT");
      began();
      await symlink(request.target, name.path);
      break;
    case OP.LINK:
      if (!name.named) throw pathFailure("EPERM");
      if (name.slash) throw await ofSlash(name, "EPERM");
      await checkNew(other);
      began();
      await link(name.path, other.path);
      break;
    default:
      if (!name.named || !other.named) throw pathFailure("EBUSY");
      // node:fs cannot do these at once, and in two steps they would be something else.
      if (request.argument !== RENAME.REPLACE) throw pathFailure("ENOTSUP");
      if ((name.slash || other.slash) && !(await isDirectory(name))) throw pathFailure("ENOTDIR");
      began();
      await rename(name.path, other.path);
      break;
  }
  return { result: 0 };
}

async function findName(located: Located): Promise<Name> {
  const { directory, directoryOnly, named } = located;
  const path = await resolveBeneath(located, links, !named);
  if (!named) {
    const kind = await links.kind(path);
    if (kind !== "directory") throw pathFailure(kind === "missing" ? "ENOENT" : "ENOTDIR", path);
    return { path, slash: true, named, held: undefined };
  }
  const held = await holdDirectory(directory, dirname(path));
  return { path: join(held.path, basename(path)), slash: directoryOnly, named, held };
}

async function isDirectory({ path }: Name): Promise<boolean> {
  return (await lstat(path)).isDirectory();
}

/** What is said of a name with a slash behind it, where only one that no directory has is of use. */
async function ofSlash(name: Name, directory: keyof typeof ERRNO): Promise<StackfulError> {
  return pathFailure((await isDirectory(name)) ? directory : "ENOTDIR", name.path);
}

/** Fails unless something can be made at the name, as far as the path tells. */
async function checkNew(name: Name): Promise<void> {
  if (!name.named) throw pathFailure("EEXIST");
  if (!name.slash) return;
  await lstat(name.path);
  throw pathFailure("EEXIST", name.path);
}
