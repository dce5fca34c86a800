//! Laws of OPEN's rarer flags, and of the handles of directories: what is opened relative to one stays
//! below it, and keeps its grant.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { ADDRESS, OP, OPEN, SHUTDOWN, SYNC } from "../../ts/abi.gen.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { errnoName, must, text } from "./guest.ts";

const READ_WRITE_NEW = OPEN.READ | OPEN.WRITE | OPEN.CREATE;
const DIRECTORY = OPEN.READ | OPEN.DIRECTORY;

export function openLaws(law: Law): void {
  flagLaws(law);
  relativeLaws(law);
  handleLaws(law);
}

function flagLaws(law: Law): void {
  law("DIRECTORY opens a directory, and gives -ENOTDIR on a file", async (bench) => {
    const { guest } = bench;
    await tree(bench);
    must(await guest.open("/data/sub", DIRECTORY));
    expect(errnoName(await guest.open("/data/file", DIRECTORY))).toBe("ENOTDIR");
    expect(errnoName(await guest.open("/data/none", DIRECTORY))).toBe("ENOENT");
  });

  law("NO_FOLLOW gives -ELOOP on a link, and follows those before it", async (bench) => {
    const { guest, files, data } = bench;
    await tree(bench);
    await files.makeLink("file", join(data, "to-file"));
    await files.makeLink("sub", join(data, "to-sub"));
    const flags = OPEN.READ | OPEN.NO_FOLLOW;
    expect(errnoName(await guest.open("/data/to-file", flags))).toBe("ELOOP");
    expect(errnoName(await guest.open("/data/to-sub", flags | OPEN.DIRECTORY))).toBe("ENOTDIR");
    must(await guest.open("/data/file", flags));
    must(await guest.open("/data/to-sub/inner", flags));
    must(await guest.open("/data/to-sub/", flags));
    must(await guest.open("/data/to-file", OPEN.READ));
  });

  law("flags that make no sense together give -EINVAL", async (bench) => {
    const { guest } = bench;
    await tree(bench);
    for (const flags of [
      DIRECTORY | OPEN.WRITE,
      DIRECTORY | OPEN.CREATE,
      DIRECTORY | OPEN.EXCLUSIVE,
      DIRECTORY | OPEN.SYNC,
      DIRECTORY | OPEN.TEMPORARY,
      OPEN.DIRECTORY,
      OPEN.READ | OPEN.TEMPORARY,
      OPEN.READ | OPEN.APPEND,
      OPEN.READ | OPEN.TRUNCATE,
      OPEN.WRITE | OPEN.TEMPORARY | OPEN.CREATE,
      OPEN.WRITE | OPEN.TEMPORARY | OPEN.TRUNCATE,
      OPEN.WRITE | OPEN.TEMPORARY | OPEN.NO_FOLLOW,
    ]) {
      expect(`${flags}: ${errnoName(await guest.open("/data/sub", flags))}`).toBe(
        `${flags}: EINVAL`,
      );
    }
  });

  law("SYNC opens a file whose writes arrive as others do", async ({ guest, files, data }) => {
    const file = must(await guest.open("/data/file", READ_WRITE_NEW | OPEN.SYNC));
    expect(await guest.write(file, "kept")).toBe(4);
    expect(await files.readText(join(data, "file"))).toBe("kept");
  });

  law("TEMPORARY makes a file that no name leads to", async ({ guest, files, data }) => {
    const flags = OPEN.READ | OPEN.WRITE | OPEN.TEMPORARY;
    const [one, two] = [
      must(await guest.open("/data", flags)),
      must(await guest.open("/data/", flags)),
    ];
    expect(await guest.pwrite(one, "one", 0)).toBe(3);
    expect(text(await guest.pread(one, 8, 0))).toBe("one");
    expect(text(await guest.pread(two, 8, 0))).toBe("");
    expect(await files.list(data)).toEqual([]);
    for (const handle of [one, two]) expect(await guest.close(handle)).toBe(0);
    expect(await files.list(data)).toEqual([]);
  });

  law("TEMPORARY needs a directory that may be written to", async (bench) => {
    const { guest } = bench;
    await tree(bench);
    const flags = OPEN.WRITE | OPEN.TEMPORARY;
    expect(errnoName(await guest.open("/readonly", flags))).toBe("EROFS");
    expect(errnoName(await guest.open("/data/none", flags))).toBe("ENOENT");
    expect(errnoName(await guest.open("/data/file", flags))).toBe("ENOTDIR");
    expect(errnoName(await guest.open("/elsewhere", flags))).toBe("ENOTCAPABLE");
  });
}

function relativeLaws(law: Law): void {
  law("OPEN relative to a directory's handle finds and makes what is below it", async (bench) => {
    const { guest, files, data } = bench;
    await tree(bench);
    const sub = must(await guest.open("/data/sub", DIRECTORY));
    const inner = must(await guest.openAt(sub, "inner", OPEN.READ));
    expect(text(await guest.pread(inner, 16, 0))).toBe("inner");
    const made = must(await guest.openAt(sub, "made", READ_WRITE_NEW));
    expect(await guest.pwrite(made, "made", 0)).toBe(4);
    expect(await files.readText(join(data, "sub", "made"))).toBe("made");
    const deep = must(await guest.openAt(sub, "deep", DIRECTORY));
    must(await guest.openAt(deep, "bottom", OPEN.READ));
    must(await guest.openAt(sub, "deep/../inner", OPEN.READ));
    expect(errnoName(await guest.openAt(sub, "file", OPEN.READ))).toBe("ENOENT");
  });

  law("an empty path, or a dot, opens the directory anew", async (bench) => {
    const { guest } = bench;
    await tree(bench);
    const sub = must(await guest.open("/data/sub", DIRECTORY));
    for (const path of ["", ".", "./"]) {
      const again = must(await guest.openAt(sub, path, DIRECTORY));
      must(await guest.openAt(again, "inner", OPEN.READ));
      expect(await guest.close(again)).toBe(0);
      expect(errnoName(await guest.openAt(sub, path, OPEN.WRITE))).toBe("EISDIR");
    }
    must(await guest.openAt(sub, "inner", OPEN.READ));
  });

  law("nothing relative to a directory's handle leads out of it", async (bench) => {
    const { guest, files, data, outside } = bench;
    await tree(bench);
    await files.write(join(outside, "secret"), "secret");
    await files.makeLink("../file", join(data, "sub", "up"));
    await files.makeLink("..", join(data, "sub", "parent"));
    await files.makeLink(join(data, "file"), join(data, "sub", "absolute"));
    await files.makeLink("inner", join(data, "sub", "within"));
    const sub = must(await guest.open("/data/sub", DIRECTORY));
    for (const path of [
      "..",
      "../file",
      "../sub/inner",
      "deep/../../file",
      "/data/file",
      "/data/sub/inner",
      "/",
      "up",
      "parent/file",
      "parent/sub/inner",
      "absolute",
    ]) {
      for (const flags of [OPEN.READ, READ_WRITE_NEW]) {
        const result = errnoName(await guest.openAt(sub, path, flags));
        // What ends in a slash or dots is a directory, and that may be said first.
        expect(`${path}: ${result === "EISDIR" ? "ENOTCAPABLE" : result}`).toBe(
          `${path}: ENOTCAPABLE`,
        );
      }
    }
    must(await guest.openAt(sub, "within", OPEN.READ));
    expect(await files.list(data)).toEqual(["file", "sub"]);
  });

  law("a directory's handle keeps its grant: below a read-only one all is", async (bench) => {
    const { guest, files, data } = bench;
    await tree(bench);
    const root = must(await guest.open("/readonly", DIRECTORY));
    const sub = must(await guest.openAt(root, "sub", DIRECTORY));
    const again = must(await guest.openAt(sub, "", DIRECTORY));
    for (const handle of [sub, again]) {
      for (const flags of [OPEN.WRITE, OPEN.WRITE | OPEN.TRUNCATE, READ_WRITE_NEW]) {
        expect(errnoName(await guest.openAt(handle, "inner", flags))).toBe("EROFS");
      }
      const temporary = OPEN.WRITE | OPEN.TEMPORARY;
      expect(errnoName(await guest.openAt(handle, "", temporary))).toBe("EROFS");
      must(await guest.openAt(handle, "inner", OPEN.READ));
    }
    expect(await files.readText(join(data, "sub", "inner"))).toBe("inner");
  });

  law("OPEN relative to what is no directory gives -ENOTDIR or -EBADF", async (bench) => {
    const { guest } = bench;
    await tree(bench);
    const file = must(await guest.open("/data/file", OPEN.READ));
    const { client } = await guest.pair();
    for (const handle of [file, client]) {
      expect(errnoName(await guest.openAt(handle, "file", OPEN.READ))).toBe("ENOTDIR");
    }
    const sub = must(await guest.open("/data/sub", DIRECTORY));
    expect(await guest.close(sub)).toBe(0);
    for (const handle of [0, 1, -2, -0x8000_0000, 0x7fff_ffff, sub]) {
      const result = errnoName(await guest.openAt(handle, "/data/file", OPEN.READ));
      expect(`${handle}: ${result}`).toBe(`${handle}: EBADF`);
    }
  });

  law("CLOSE of a directory ends OPENs relative to it, or lets them succeed", async (bench) => {
    const { guest } = bench;
    await tree(bench);
    const sub = must(await guest.open("/data/sub", DIRECTORY));
    const opens = Array.from({ length: 20 }, () => guest.openAt(sub, "inner", OPEN.READ));
    const closed = guest.close(sub);
    for (const result of await Promise.all(opens)) {
      if (result < 0) expect(errnoName(result)).toBe("EBADF");
      else expect(await guest.close(result)).toBe(0);
    }
    expect(await closed).toBe(0);
  });

  law("a path outside the memory gives -EFAULT, too long -ENAMETOOLONG", async (bench) => {
    const { guest } = bench;
    await tree(bench);
    const handle = must(await guest.open("/data/sub", DIRECTORY));
    const open = (pointer: number, length: number): Promise<number> =>
      guest.submit({ op: OP.OPEN, handle, pointer, length, argument: OPEN.READ });
    const end = guest.memory.buffer.byteLength;
    for (const [pointer, length] of [
      [end - 1, 2],
      [0xffff_ffff, 1],
      [0, 0xffff_ffff],
      [0xffff_fff0, 0xff],
    ] as const) {
      expect(errnoName(await open(pointer, length))).toBe("EFAULT");
    }
    expect(errnoName(await guest.openAt(handle, "x".repeat(300), OPEN.READ))).toBe("ENAMETOOLONG");
    expect(errnoName(await guest.openAt(handle, "./".repeat(4000), OPEN.READ))).toBe(
      "ENAMETOOLONG",
    );
    expect(errnoName(await guest.openAt(handle, "in\0ner", OPEN.READ))).toBe("EINVAL");
  });
}

function handleLaws(law: Law): void {
  law("a directory's handle has no bytes: -EISDIR", async (bench) => {
    const { guest } = bench;
    const handle = must(await guest.open("/data", DIRECTORY));
    const vector = { pointer: guest.iovecs([guest.put("..")]), length: 1 };
    for (const op of [OP.READ, OP.WRITE, OP.PREAD, OP.PWRITE]) {
      expect(errnoName(await guest.submit({ op, handle, ...guest.put("...") }))).toBe("EISDIR");
      expect(errnoName(await guest.submit({ op, handle }))).toBe("EISDIR");
    }
    for (const op of [OP.READV, OP.WRITEV]) {
      expect(errnoName(await guest.submit({ op, handle, ...vector }))).toBe("EISDIR");
    }
  });

  law("a directory's handle is no socket", async ({ guest }) => {
    const handle = must(await guest.open("/data", OPEN.READ));
    const pointer = guest.alloc(ADDRESS.size);
    expect(errnoName(await guest.accept(handle))).toBe("EINVAL");
    expect(errnoName(await guest.shutdown(handle, SHUTDOWN.WRITE))).toBe("ENOTSOCK");
    for (const op of [OP.LOCAL_ADDRESS, OP.PEER_ADDRESS]) {
      expect(errnoName(await guest.submit({ op, handle, pointer }))).toBe("ENOTSOCK");
    }
  });

  law("FSYNC of a file or a directory gives 0, also of its data alone", async ({ guest }) => {
    const file = must(await guest.open("/data/file", READ_WRITE_NEW));
    expect(await guest.pwrite(file, "kept", 0)).toBe(4);
    const directory = must(await guest.open("/data", DIRECTORY));
    for (const handle of [file, directory]) {
      for (const argument of [SYNC.ALL, SYNC.DATA]) {
        expect(await guest.submit({ op: OP.FSYNC, handle, argument })).toBe(0);
      }
      for (const argument of [2, 0xffff_ffff]) {
        const result = await guest.submit({ op: OP.FSYNC, handle, argument });
        expect(errnoName(result)).toBe("EINVAL");
      }
    }
  });
}

/** /data/file, /data/sub/inner, /data/sub/deep/bottom. */
async function tree({ files, data }: Bench): Promise<void> {
  await files.write(join(data, "file"), "file");
  await files.makeDirectory(join(data, "sub"));
  await files.write(join(data, "sub", "inner"), "inner");
  await files.makeDirectory(join(data, "sub", "deep"));
  await files.write(join(data, "sub", "deep", "bottom"), "bottom");
}
