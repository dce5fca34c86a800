//! What events call operations on paths.

import { OP } from "../../abi.gen.ts";
import type { PathEventName } from "./world-event.ts";

const NAMES = new Map<number, PathEventName>([
  [OP.STAT, "stat"],
  [OP.ACCESS, "access"],
  [OP.CHMOD, "chmod"],
  [OP.CHOWN, "chown"],
  [OP.UTIMES, "utimes"],
  [OP.TRUNCATE, "truncate"],
  [OP.LINK, "link"],
  [OP.SYMLINK, "symlink"],
  [OP.READLINK, "readlink"],
  [OP.UNLINK, "unlink"],
  [OP.RMDIR, "rmdir"],
  [OP.RENAME, "rename"],
  [OP.MKDIR, "mkdir"],
]);

export function pathEvent(code: number): PathEventName {
  return NAMES.get(code)!;
}
