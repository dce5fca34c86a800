//! What the resolution of a path asks the host's disk.

import { lstat, readlink } from "node:fs/promises";
import { ERRNO } from "../../abi.gen.ts";
import type { LinkReader } from "../grants.ts";
import { errnoOf } from "../resources/errno.ts";

export const links: LinkReader = {
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
