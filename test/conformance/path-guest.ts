//! The guest's operations on paths, one call each. A result below 0 is an errno; see `errnoName`.

import {
  ACCESS,
  FILE_KIND,
  OP,
  PATH_FLAGS,
  RENAME,
  STAT,
  TIME_CHANGE,
  TIMES,
} from "../../ts/abi.gen.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { errnoName, type Guest, must, text } from "./guest.ts";
import { needing } from "./needing.ts";

/** Where a path lies: below the grants, or in an open directory. */
export interface Where {
  readonly handle?: number;
  readonly flags?: number;
}

export interface Stat {
  readonly kind: string;
  readonly mode: number;
  readonly bytes: number;
  readonly links: number;
  readonly inode: bigint;
  readonly device: bigint;
  readonly user: number;
  readonly group: number;
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
}

/** A law that works by paths. */
export type PathLaw = (
  title: string,
  body: (paths: PathGuest, bench: Bench) => Promise<void>,
  options?: Parameters<Law>[2],
) => void;

/** What `PathGuest` says of a success without bytes. */
export const OK = "0";

export const NO_FOLLOW: Where = { flags: PATH_FLAGS.NO_FOLLOW };

export class PathGuest {
  readonly guest: Guest;

  constructor(guest: Guest) {
    this.guest = guest;
  }

  async stat(path: string, where: Where = {}): Promise<Stat> {
    const otherPointer = this.guest.alloc(STAT.size);
    must(await this.guest.submit({ op: OP.STAT, ...this.#at(path, where), otherPointer }));
    const { view } = this.guest;
    const u32 = (field: number): number => view.getUint32(otherPointer + field, true);
    const u64 = (field: number): bigint => view.getBigUint64(otherPointer + field, true);
    return {
      kind: kindName(u32(STAT.kind)),
      mode: u32(STAT.mode),
      bytes: Number(u64(STAT.bytes)),
      links: u32(STAT.links),
      inode: u64(STAT.inode),
      device: u64(STAT.device),
      user: u32(STAT.user),
      group: u32(STAT.group),
      accessedNs: u64(STAT.accessedNs),
      modifiedNs: u64(STAT.modifiedNs),
    };
  }

  /** The kind of what is there, or the errno. */
  async kind(path: string, where: Where = {}): Promise<string> {
    const otherPointer = this.guest.alloc(STAT.size);
    const at = this.#at(path, where);
    const result = await this.guest.submit({ op: OP.STAT, ...at, otherPointer });
    if (result < 0) return errnoName(result);
    return kindName(this.guest.view.getUint32(otherPointer + STAT.kind, true));
  }

  chmod(path: string, mode: number, where: Where = {}): Promise<string> {
    return this.#result({ op: OP.CHMOD, ...this.#at(path, where), mode });
  }

  chown(path: string, user: number, group: number, where: Where = {}): Promise<string> {
    return this.#result({ op: OP.CHOWN, ...this.#at(path, where), argument: user, mode: group });
  }

  /** undefined: it stays; "now". */
  utimes(
    path: string,
    accessed: bigint | "now" | undefined,
    modified: bigint | "now" | undefined,
    where: Where = {},
  ): Promise<string> {
    const otherPointer = this.guest.alloc(TIMES.size);
    const { view } = this.guest;
    for (const [name, time] of [
      ["accessed", accessed],
      ["modified", modified],
    ] as const) {
      const change =
        time === undefined ? TIME_CHANGE.KEEP : time === "now" ? TIME_CHANGE.NOW : TIME_CHANGE.AT;
      view.setUint32(otherPointer + TIMES[name], change, true);
      const ns = typeof time === "bigint" ? time : 0n;
      view.setBigInt64(otherPointer + TIMES[`${name}Ns`], ns, true);
    }
    return this.#result({ op: OP.UTIMES, ...this.#at(path, where), otherPointer });
  }

  truncate(path: string, bytes: number | bigint, where: Where = {}): Promise<string> {
    return this.#result({ op: OP.TRUNCATE, ...this.#at(path, where), offset: bytes });
  }

  access(path: string, access: number = ACCESS.EXISTS, where: Where = {}): Promise<string> {
    return this.#result({ op: OP.ACCESS, ...this.#at(path, where), argument: access });
  }

  link(path: string, other: string, where: Where = {}, otherHandle = -1): Promise<string> {
    return this.#result({
      op: OP.LINK,
      ...this.#at(path, where),
      ...this.#other(other, otherHandle),
    });
  }

  symlink(target: string, path: string, otherHandle = -1): Promise<string> {
    const other = this.#other(path, otherHandle);
    return this.#result({ op: OP.SYMLINK, ...this.guest.put(target), ...other });
  }

  /** What the link says, or the errno. */
  async readlink(path: string, bytesMax = 4096, where: Where = {}): Promise<string> {
    const otherPointer = this.guest.alloc(bytesMax);
    const at = this.#at(path, where);
    const out = { otherPointer, otherLength: bytesMax };
    const result = await this.guest.submit({ op: OP.READLINK, ...at, ...out });
    return result < 0 ? errnoName(result) : text(this.guest.bytes(otherPointer, result));
  }

  unlink(path: string, where: Where = {}): Promise<string> {
    return this.#result({ op: OP.UNLINK, ...this.#at(path, where) });
  }

  rmdir(path: string, where: Where = {}): Promise<string> {
    return this.#result({ op: OP.RMDIR, ...this.#at(path, where) });
  }

  rename(
    path: string,
    other: string,
    how: number = RENAME.REPLACE,
    where: Where = {},
    otherHandle = -1,
  ): Promise<string> {
    return this.#result({
      op: OP.RENAME,
      ...this.#at(path, where),
      ...this.#other(other, otherHandle),
      argument: how,
    });
  }

  mkdir(path: string, mode = 0o755, where: Where = {}): Promise<string> {
    return this.#result({ op: OP.MKDIR, ...this.#at(path, where), mode });
  }

  #at(path: string, { handle = -1, flags = 0 }: Where) {
    return { handle, flags, ...this.guest.put(path) };
  }

  #other(path: string, otherHandle: number) {
    const { pointer, length } = this.guest.put(path);
    return { otherHandle, otherPointer: pointer, otherLength: length };
  }

  async #result(submission: Parameters<Guest["submit"]>[0]): Promise<string> {
    return errnoName(await this.guest.submit(submission));
  }
}

function kindName(kind: number): string {
  return Object.entries(FILE_KIND).find(([, code]) => code === kind)?.[0] ?? String(kind);
}

/** Adds laws of paths, where the backend has operations on them. */
export function onPaths(law: Law): PathLaw {
  const pathLaw = needing(law, "STAT");
  return (title, body, options) =>
    pathLaw(title, (bench) => body(new PathGuest(bench.guest), bench), options);
}
