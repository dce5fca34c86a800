//! What a guest may reach, for backends written in JavaScript: endpoints, and paths below granted
//! directories. Knows no host API, so that every such backend decides alike.
//!
//! A path is resolved here component by component, links included, and may not leave its directory
//! on the way, not even to come back (as openat2's RESOLVE_BENEATH has it). Between this walk and
//! the open that follows it, another process of the host can exchange a component for a link. A
//! backend closes that race where it can work in an open directory (ts/host/node/held.ts); elsewhere it
//! narrows it, by opening without following links and by comparing what it opened with the directory.

import { StackfulError } from "../errors.ts";
import type { DirectoryGrant, EndpointGrant, Grants } from "./backend.ts";

/** An sf_address as the host keeps it: 4 address bytes or 16. */
export interface Endpoint {
  readonly bytes: Uint8Array;
  readonly port: number;
  /** IPv6 zone index, else 0. */
  readonly scope: number;
}

export function endpointGranted(
  grants: readonly EndpointGrant[] | undefined,
  { bytes, port }: Endpoint,
): boolean {
  return (grants ?? []).some(
    (grant) =>
      (grant.port === undefined || grant.port === port) &&
      (grant.bytes === undefined ||
        (grant.bytes.length === bytes.length &&
          grant.bytes.every((byte, index) => byte === bytes[index]))),
  );
}

/** A granted directory, ready to resolve paths below it. */
export interface Directory {
  /** Canonical path on the host, without links. */
  readonly root: string;
  readonly guest: string;
  readonly readOnly: boolean;
}

/** The directory a guest path falls under, and what is left of the path. */
export interface Located {
  readonly directory: Directory;
  readonly components: readonly string[];
  /** The path ends in a slash (or in "." or ".."): it must name a directory. */
  readonly directoryOnly: boolean;
  /** Its last component is a name, which can be made or removed: not the directory itself, "." or "..". */
  readonly named: boolean;
}

export type PathKind = "directory" | "link" | "other" | "missing";

/** The part of a file system that resolution needs. Failures are exceptions with a POSIX `code`. */
export interface LinkReader {
  kind(path: string): Promise<PathKind>;
  readLink(path: string): Promise<string>;
}

/** The same of a file system that answers at once. */
export interface LinkReaderSync {
  kind(path: string): PathKind;
  readLink(path: string): string;
}

/** As many links as Linux follows in one path. */
const LINKS_MAX = 40;

/** @throws {StackfulError} `SF_IO` with errno ENOENT or ENOTCAPABLE. */
export function locate(directories: readonly Directory[], path: string): Located {
  if (path === "") throw new StackfulError("SF_IO", "open: empty path", { errno: "ENOENT" });
  const wanted = componentsOf(path);
  let best: Directory | undefined;
  let bestLength = -1;
  for (const directory of directories) {
    const prefix = componentsOf(directory.guest);
    const matches =
      directory.guest.startsWith("/") === path.startsWith("/") &&
      prefix.every((component, index) => component === wanted[index]);
    if (matches && prefix.length > bestLength) {
      best = directory;
      bestLength = prefix.length;
    }
  }
  if (best === undefined) throw notCapable(path);
  return located(best, wanted.slice(bestLength), path);
}

/**
 * The same of a path that is relative to one directory; an empty one names it.
 *
 * @throws {StackfulError} `SF_IO` with errno ENOTCAPABLE when it begins with a slash.
 */
export function locateIn(directory: Directory, path: string): Located {
  if (path.startsWith("/")) throw notCapable(path);
  return located(directory, componentsOf(path), path);
}

/**
 * The host path that `located` names: below the directory's root, none of its components a link.
 * The last component may be missing.
 *
 * @param followLast - Whether to follow a link in the last component.
 * @throws {StackfulError} `SF_IO` with errno ENOTCAPABLE, ELOOP, ENOENT or ENOTDIR.
 */
export async function resolveBeneath(
  located: Located,
  files: LinkReader,
  followLast: boolean,
): Promise<string> {
  const walk = walkBeneath(located, followLast);
  let step = walk.next();
  while (!step.done) step = walk.next(await files[step.value.what](step.value.path));
  return step.value;
}

/** `resolveBeneath` at once. */
export function resolveBeneathSync(
  located: Located,
  files: LinkReaderSync,
  followLast: boolean,
): string {
  const walk = walkBeneath(located, followLast);
  let step = walk.next();
  while (!step.done) step = walk.next(files[step.value.what](step.value.path));
  return step.value;
}

/** What the walk wants to know of a path: the answer is a PathKind, or where the link leads. */
interface Question {
  readonly what: "kind" | "readLink";
  readonly path: string;
}

function* walkBeneath(
  { directory, components }: Located,
  followLast: boolean,
): Generator<Question, string, string> {
  const done: string[] = [];
  const left = [...components].reverse();
  const hostPath = (): string => joinHost(directory.root, done);
  let links = 0;
  while (left.length > 0) {
    const component = left.pop()!;
    if (component === "..") {
      if (done.pop() === undefined) throw notCapable(components.join("/"));
      continue;
    }
    done.push(component);
    const last = left.length === 0;
    const kind = last && !followLast ? "other" : yield { what: "kind", path: hostPath() };
    if (kind === "link") {
      if (++links > LINKS_MAX) throw failure("ELOOP", components);
      const target = yield { what: "readLink", path: hostPath() };
      // Host paths mean nothing to the guest: an absolute link always leads out.
      if (target.startsWith("/")) throw notCapable(components.join("/"));
      done.pop();
      left.push(...componentsOf(target).reverse());
    } else if (kind !== "directory" && !last) {
      throw failure(kind === "missing" ? "ENOENT" : "ENOTDIR", components);
    }
  }
  return hostPath();
}

/** Whether the canonical host path `path` is `root` or below it. */
export function isBeneath(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`);
}

/** Numbers of the host's own streams that a guest may have. */
export function grantedStreams({ stdio = [] }: Grants): readonly (0 | 1 | 2)[] {
  return stdio === true ? [0, 1, 2] : stdio;
}

/** @throws {TypeError} or RangeError for a grant that can match nothing. */
export function checkEndpointGrant({ bytes, port }: EndpointGrant): void {
  if (bytes !== undefined && bytes.length !== 4 && bytes.length !== 16) {
    throw new TypeError(`endpoint grant: an address of ${bytes.length} bytes`);
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RangeError(`endpoint grant: port ${port}`);
  }
}

/** @throws {TypeError} for what can be seen to be wrong without asking the host. */
export function checkDirectoryGrant({ host, guest }: DirectoryGrant): void {
  if (host === "" || guest === "" || `${host}${guest}`.includes("\0")) {
    throw new TypeError(`directory grant ${guest} -> ${host}: not a path`);
  }
  if (componentsOf(guest).includes("..")) {
    throw new TypeError(`directory grant ${guest}: the guest path must not contain ..`);
  }
}

/** The host has no such directory, or does not let it be opened. */
export function directoryGrantError(
  { host, guest }: DirectoryGrant,
  errno: string,
  cause?: unknown,
): StackfulError {
  const missing = errno === "ENOENT" || errno === "ENOTDIR";
  return new StackfulError("SF_IO", `grant directory ${host} as ${guest}: ${errno}`, {
    errno,
    ...(missing ? { hint: "a granted directory must exist" } : {}),
    cause,
  });
}

/** Without the empty and "." ones. ".." is kept: only resolved links give it a meaning. */
function componentsOf(path: string): string[] {
  return path.split("/").filter((component) => component !== "" && component !== ".");
}

function located(directory: Directory, components: readonly string[], path: string): Located {
  return {
    directory,
    components,
    directoryOnly: /(^|\/)\.{0,2}$/.test(path),
    named: components.length > 0 && !/(^|\/)\.{1,2}\/*$/.test(path),
  };
}

function joinHost(root: string, components: readonly string[]): string {
  if (components.length === 0) return root;
  return `${root.endsWith("/") ? root.slice(0, -1) : root}/${components.join("/")}`;
}

function notCapable(path: string): StackfulError {
  return new StackfulError("SF_IO", `open ${path}: below no granted directory`, {
    errno: "ENOTCAPABLE",
  });
}

function failure(errno: string, components: readonly string[]): StackfulError {
  return new StackfulError("SF_IO", `open ${components.join("/")}: ${errno}`, { errno });
}
