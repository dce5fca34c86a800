//! Operations on what a path names, or on what a descriptor has open: stat, access, permissions, owner,
//! times, size. node:fs has no times but seconds as doubles, which are good to a microsecond; and no way to
//! leave one of the two alone but to write it back.

import * as fs from "node:fs";
import { promisify } from "node:util";
import { OP } from "../../abi.gen.ts";
import { jsRuntime } from "../../js-runtime.ts";
import { pathFailure } from "../resources/guest-path.ts";
import type { PathRequest, TimeChange } from "../resources/path-request.ts";
import { type FileStat, statRecord } from "../resources/stat-record.ts";
import { DESCRIPTORS_PATH, descriptorPath } from "./descriptor-path.ts";
import { descriptorsHavePaths, type Held, hold, openBeneath } from "./held.ts";

const { promises } = fs;
const closeFd = promisify(fs.close);
const ftruncate = promisify(fs.ftruncate);
const fchmod = promisify(fs.fchmod);
const fchown = promisify(fs.fchown);
const futimes = promisify(fs.futimes);

const ID_UNCHANGED = 0xffff_ffff;
const KIND_BITS = 0o170000;
const KINDS: ReadonlyMap<number, FileStat["kind"]> = new Map([
  [0o100000, "REGULAR"],
  [0o040000, "DIRECTORY"],
  [0o120000, "SYMLINK"],
  [0o010000, "PIPE"],
  [0o140000, "SOCKET"],
  [0o060000, "BLOCK_DEVICE"],
  [0o020000, "CHARACTER_DEVICE"],
]);

/** What an operation ends with, and what it has for the guest. */
export interface Outcome {
  readonly result: number;
  readonly data?: Uint8Array;
}

const DONE: Outcome = { result: 0 };

/**
 * @param path - Where `request.at` is, without links but perhaps the last.
 * @param began - Called when something is about to happen that cannot be taken back.
 */
export async function performOnObject(
  request: PathRequest,
  path: string,
  began: () => void,
): Promise<Outcome> {
  const { directory, directoryOnly } = request.at!;
  if (request.code === OP.TRUNCATE) {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
    const fd = await openBeneath(directory, path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    try {
      const stats = await statOf(fd);
      if (directoryOnly && !stats.isDirectory()) throw pathFailure("ENOTDIR", path);
      if (!stats.isFile()) throw pathFailure("EINVAL", path);
      began();
      await resize(fd, request.size);
      return DONE;
    } finally {
      await closeFd(fd);
    }
  }
  const held = await hold(directory, path);
  try {
    const stats = await (held.fd === undefined
      ? promises.lstat(held.path, { bigint: true })
      : statOf(held.fd));
    if (directoryOnly && !stats.isDirectory()) throw pathFailure("ENOTDIR", path);
    began();
    return await changeObject(request, held, stats);
  } finally {
    await held.release();
  }
}

async function changeObject(
  request: PathRequest,
  { path, fd }: Held,
  stats: fs.BigIntStats,
): Promise<Outcome> {
  const isLink = stats.isSymbolicLink();
  switch (request.code) {
    case OP.STAT:
      return { result: 0, data: recordOf(stats) };
    case OP.ACCESS:
      // Everybody has every permission for a link.
      if (!isLink) await promises.access(accessPath(path, fd), request.argument);
      return DONE;
    case OP.CHMOD:
      if (isLink) throw pathFailure("ENOTSUP", path);
      await promises.chmod(path, request.mode);
      return DONE;
    case OP.CHOWN: {
      const { user = ID_UNCHANGED, group = ID_UNCHANGED } = request;
      await (fd === undefined ? promises.lchown : promises.chown)(path, user, group);
      return DONE;
    }
    default:
      await (fd === undefined ? promises.lutimes : promises.utimes)(
        path,
        ...timesOf(request, stats),
      );
      return DONE;
  }
}

/** The same on an open file or directory. */
export async function performOnDescriptor(request: PathRequest, fd: number): Promise<Outcome> {
  const stats = await statOf(fd);
  switch (request.code) {
    case OP.STAT:
      return { result: 0, data: recordOf(stats) };
    case OP.ACCESS:
      if (!descriptorsHavePaths()) throw pathFailure("ENOTSUP");
      await promises.access(accessPath(`${DESCRIPTORS_PATH}/${fd}`, fd), request.argument);
      return DONE;
    case OP.CHMOD:
      await fchmod(fd, request.mode);
      return DONE;
    case OP.CHOWN:
      await fchown(fd, request.user ?? ID_UNCHANGED, request.group ?? ID_UNCHANGED);
      return DONE;
    case OP.UTIMES:
      await futimes(fd, ...timesOf(request, stats));
      return DONE;
    case OP.TRUNCATE:
      await resize(fd, request.size);
      return DONE;
    default:
      // LINK: node:fs would give a name to the descriptor's own link.
      throw pathFailure(stats.isDirectory() ? "EPERM" : "ENOTSUP");
  }
}

/** Deno's access looks at the permissions of a link in the path's place. */
function accessPath(path: string, fd: number | undefined): string {
  const real = jsRuntime() === "deno" && fd !== undefined ? descriptorPath(fd) : undefined;
  return real ?? path;
}

async function resize(fd: number, bytes: number): Promise<void> {
  if (bytes > Number.MAX_SAFE_INTEGER) throw pathFailure("EFBIG");
  await ftruncate(fd, bytes);
}

function statOf(fd: number): Promise<fs.BigIntStats> {
  return new Promise((resolve, reject) => {
    fs.fstat(fd, { bigint: true }, (error, stats) => {
      if (error === null) resolve(stats);
      else reject(error);
    });
  });
}

function recordOf(stats: fs.BigIntStats): Uint8Array {
  const mode = Number(stats.mode);
  return statRecord({
    device: stats.dev,
    inode: stats.ino,
    bytes: stats.size,
    allocatedBytes: stats.blocks * 512n,
    accessedNs: stats.atimeNs,
    modifiedNs: stats.mtimeNs,
    changedNs: stats.ctimeNs,
    createdNs: stats.birthtimeNs,
    kind: KINDS.get(mode & KIND_BITS) ?? "UNKNOWN",
    mode: mode & 0o7777,
    links: Number(stats.nlink),
    user: Number(stats.uid),
    group: Number(stats.gid),
    blockBytes: Number(stats.blksize),
  });
}

/** In seconds. */
function timesOf(
  request: PathRequest,
  stats: fs.BigIntStats,
): [accessed: number, modified: number] {
  return [seconds(request.accessed, stats.atimeNs), seconds(request.modified, stats.mtimeNs)];
}

function seconds(change: TimeChange, nowNs: bigint): number {
  if (change === "now") return Date.now() / 1000;
  if (change !== "keep") return inSeconds(change);
  const now = inSeconds(nowNs);
  // Half a microsecond more: what cuts the rest off must not cut a microsecond off. Bun cuts nothing off, and
  // of whole seconds there is nothing.
  return Number.isInteger(now) ? now : now + 5e-7;
}

function inSeconds(ns: bigint): number {
  return Number(ns / 1000n) / 1e6;
}
