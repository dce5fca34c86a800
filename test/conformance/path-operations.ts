//! Of each operation on paths one that can finish at once, for laws that hold for every operation.

import { join } from "node:path/posix";
import { ID_KEEP, OP, STAT, TIMES } from "../../ts/abi.gen.ts";
import type { Bench } from "./backend-conformance.ts";
import type { Submit } from "./ring-driver.ts";

let made = 0;

/** A file that is there, by a name of its own. */
async function file({ guest, files, data }: Bench) {
  const name = `file-${made++}`;
  await files.write(join(data, name), "content");
  return guest.put(`/data/${name}`);
}

function newName({ guest }: Bench) {
  const { pointer, length } = guest.put(`/data/new-${made++}`);
  return { otherPointer: pointer, otherLength: length };
}

export const PATH_OPERATIONS: Readonly<Record<string, (bench: Bench) => Promise<Submit>>> = {
  STAT: async (bench) => ({
    op: OP.STAT,
    ...(await file(bench)),
    otherPointer: bench.guest.alloc(STAT.size),
  }),
  CHMOD: async (bench) => ({ op: OP.CHMOD, ...(await file(bench)), mode: 0o600 }),
  CHOWN: async (bench) => ({
    op: OP.CHOWN,
    ...(await file(bench)),
    argument: ID_KEEP,
    mode: ID_KEEP,
  }),
  UTIMES: async (bench) => ({
    op: OP.UTIMES,
    ...(await file(bench)),
    otherPointer: bench.guest.alloc(TIMES.size),
  }),
  TRUNCATE: async (bench) => ({ op: OP.TRUNCATE, ...(await file(bench)), offset: 3 }),
  ACCESS: async (bench) => ({ op: OP.ACCESS, ...(await file(bench)) }),
  LINK: async (bench) => ({ op: OP.LINK, ...(await file(bench)), ...newName(bench) }),
  SYMLINK: async (bench) => ({ op: OP.SYMLINK, ...bench.guest.put("target"), ...newName(bench) }),
  READLINK: async ({ guest, files, data }) => {
    const name = `link-${made++}`;
    await files.makeLink("target", join(data, name));
    const out = { otherPointer: guest.alloc(8), otherLength: 8 };
    return { op: OP.READLINK, ...guest.put(`/data/${name}`), ...out };
  },
  UNLINK: async (bench) => ({ op: OP.UNLINK, ...(await file(bench)) }),
  RMDIR: async ({ guest, files, data }) => {
    const name = `directory-${made++}`;
    await files.makeDirectory(join(data, name));
    return { op: OP.RMDIR, ...guest.put(`/data/${name}`) };
  },
  RENAME: async (bench) => ({ op: OP.RENAME, ...(await file(bench)), ...newName(bench) }),
  MKDIR: async ({ guest }) => ({
    op: OP.MKDIR,
    ...guest.put(`/data/directory-${made++}`),
    mode: 0o700,
  }),
};
