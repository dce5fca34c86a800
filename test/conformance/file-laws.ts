//! Laws of files: opening with each flag, positions, short transfers at the end, and what a file
//! cannot do.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { ADDRESS, OP, OPEN, PATH_MAX, SHUTDOWN } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, must, pattern, text } from "./guest.ts";

const READ_WRITE_NEW = OPEN.READ | OPEN.WRITE | OPEN.CREATE;

export function fileLaws(law: Law): void {
  openLaws(law);
  positionLaws(law);

  law("FSYNC of a written file gives 0", async ({ guest }) => {
    const file = must(await guest.open("/data/file", READ_WRITE_NEW));
    expect(await guest.pwrite(file, "kept", 0)).toBe(4);
    expect(await guest.submit({ op: OP.FSYNC, handle: file })).toBe(0);
  });

  law(
    "a file opened for one direction refuses the other with -EBADF",
    async ({ guest, data, files }) => {
      await files.write(join(data, "file"), "abc");
      const reader = must(await guest.open("/data/file", OPEN.READ));
      expect(errnoName(await guest.pwrite(reader, "x", 0))).toBe("EBADF");
      expect(errnoName(await guest.write(reader, "x"))).toBe("EBADF");
      const writer = must(await guest.open("/data/file", OPEN.WRITE));
      const buffer = guest.put("...");
      expect(errnoName(await guest.submit({ op: OP.PREAD, handle: writer, ...buffer }))).toBe(
        "EBADF",
      );
      expect(await files.readText(join(data, "file"))).toBe("abc");
    },
  );

  law("a directory can be opened for reading, and read only gives -EISDIR", async ({ guest }) => {
    const directory = must(await guest.open("/data", OPEN.READ));
    const buffer = guest.put("...");
    const result = await guest.submit({ op: OP.PREAD, handle: directory, ...buffer });
    expect(errnoName(result)).toBe("EISDIR");
  });

  law("socket operations are refused on a file", async ({ guest }) => {
    const file = must(await guest.open("/data/file", READ_WRITE_NEW));
    const pointer = guest.alloc(ADDRESS.size);
    expect(errnoName(await guest.accept(file))).toBe("EINVAL");
    expect(errnoName(await guest.shutdown(file, SHUTDOWN.WRITE))).toBe("ENOTSOCK");
    for (const op of [OP.LOCAL_ADDRESS, OP.PEER_ADDRESS]) {
      expect(errnoName(await guest.submit({ op, handle: file, pointer }))).toBe("ENOTSOCK");
    }
  });

  law("a transfer of nothing at any offset of a file gives 0", async ({ guest }) => {
    const handle = must(await guest.open("/data/file", READ_WRITE_NEW));
    for (const op of [OP.PREAD, OP.PWRITE, OP.READ, OP.WRITE, OP.READV, OP.WRITEV]) {
      expect(await guest.submit({ op, handle, pointer: guest.alloc(8), offset: 100 })).toBe(0);
    }
  });
}

function openLaws(law: Law): void {
  law(
    "OPEN of a missing file gives -ENOENT, unless it may create it",
    async ({ guest, data, files }) => {
      expect(errnoName(await guest.open("/data/file", OPEN.READ))).toBe("ENOENT");
      expect(errnoName(await guest.open("/data/file", OPEN.READ | OPEN.WRITE))).toBe("ENOENT");
      expect(errnoName(await guest.open("/data/no/file", READ_WRITE_NEW))).toBe("ENOENT");
      must(await guest.open("/data/file", READ_WRITE_NEW));
      expect(await files.readText(join(data, "file"))).toBe("");
    },
  );

  law("a created file has the permission bits asked for", async ({ guest, data, files }) => {
    // Both are bits that no usual umask takes away from the owner.
    for (const mode of [0o600, 0o400]) {
      must(await guest.open(`/data/${mode}`, OPEN.READ | OPEN.WRITE | OPEN.CREATE, mode));
      expect(await files.mode(join(data, String(mode)))).toBe(mode);
    }
  });

  law("EXCLUSIVE refuses a file that exists with -EEXIST", async ({ guest }) => {
    const flags = READ_WRITE_NEW | OPEN.EXCLUSIVE;
    must(await guest.open("/data/file", flags));
    expect(errnoName(await guest.open("/data/file", flags))).toBe("EEXIST");
  });

  law("TRUNCATE empties the file", async ({ guest, data, files }) => {
    await files.write(join(data, "file"), "old content");
    must(await guest.open("/data/file", OPEN.WRITE | OPEN.TRUNCATE));
    expect(await files.readText(join(data, "file"))).toBe("");
  });

  law("without TRUNCATE, OPEN changes nothing in the file", async ({ guest, data, files }) => {
    await files.write(join(data, "file"), "old content");
    must(await guest.open("/data/file", READ_WRITE_NEW));
    expect(await files.readText(join(data, "file"))).toBe("old content");
  });

  law("APPEND makes every WRITE go to the end", async ({ guest, data, files }) => {
    await files.write(join(data, "file"), "one");
    const first = must(await guest.open("/data/file", OPEN.WRITE | OPEN.APPEND));
    const second = must(await guest.open("/data/file", OPEN.WRITE | OPEN.APPEND));
    must(await guest.write(first, "two"));
    must(await guest.write(second, "three"));
    must(await guest.write(first, "four"));
    expect(await files.readText(join(data, "file"))).toBe("onetwothreefour");
  });

  law("OPEN with no direction or an unknown flag gives -EINVAL", async ({ guest, data, files }) => {
    await files.write(join(data, "file"), "");
    for (const flags of [0, OPEN.CREATE, OPEN.APPEND, OPEN.READ | 1024, OPEN.READ | 0x8000_0000]) {
      expect(errnoName(await guest.open("/data/file", flags >>> 0))).toBe("EINVAL");
    }
  });

  law("OPEN for writing gives -EISDIR on a directory", async ({ guest, data, files }) => {
    await files.makeDirectory(join(data, "sub"));
    expect(errnoName(await guest.open("/data/sub", OPEN.WRITE))).toBe("EISDIR");
  });

  law("a file in the middle of a path gives -ENOTDIR", async ({ guest, data, files }) => {
    await files.write(join(data, "file"), "");
    for (const path of ["/data/file/below", "/data/file/", "/data/file/../file"]) {
      expect(errnoName(await guest.open(path, OPEN.READ))).toBe("ENOTDIR");
    }
  });

  law("an empty path gives -ENOENT, one with a zero byte -EINVAL", async ({ guest }) => {
    expect(errnoName(await guest.open("", OPEN.READ))).toBe("ENOENT");
    expect(errnoName(await guest.open("/data/a\0b", OPEN.READ))).toBe("EINVAL");
  });

  law("a path or a name that is too long gives -ENAMETOOLONG", async ({ guest }) => {
    const name = `/data/${"x".repeat(300)}`;
    expect(errnoName(await guest.open(name, OPEN.READ))).toBe("ENAMETOOLONG");
    const path = `/data/${"./".repeat(PATH_MAX)}`;
    expect(errnoName(await guest.open(path, OPEN.READ))).toBe("ENAMETOOLONG");
  });

  law("names are bytes of UTF-8", async ({ guest, data, files }) => {
    await files.write(join(data, "größe-大小-📏"), "found");
    const file = must(await guest.open("/data/größe-大小-📏", OPEN.READ));
    expect(text(await guest.pread(file, 16, 0))).toBe("found");
  });
}

function positionLaws(law: Law): void {
  law("what PWRITE wrote, PREAD reads", async ({ guest }) => {
    const file = must(await guest.open("/data/file", READ_WRITE_NEW));
    const written = pattern(100_000);
    expect(await guest.pwrite(file, written, 0)).toBe(written.length);
    for (const [offset, length] of [
      [0, 1],
      [99_999, 1],
      [4095, 4098],
      [0, 100_000],
    ] as const) {
      const read = await guest.pread(file, length, offset);
      expect(Buffer.compare(read, written.subarray(offset, offset + length))).toBe(0);
    }
  });

  law(
    "PREAD is short at the end of the file and gives 0 beyond it",
    async ({ guest, data, files }) => {
      await files.write(join(data, "file"), "0123456789");
      const file = must(await guest.open("/data/file", OPEN.READ));
      expect(text(await guest.pread(file, 100, 7))).toBe("789");
      expect(await guest.pread(file, 100, 10)).toHaveLength(0);
      expect(await guest.pread(file, 100, 2n ** 40n)).toHaveLength(0);
    },
  );

  law("offsets are 64 bits wide", async ({ guest }) => {
    const file = must(await guest.open("/data/sparse", READ_WRITE_NEW));
    const offset = 5n * 2n ** 30n + 3n;
    expect(await guest.pwrite(file, "far", offset)).toBe(3);
    expect(text(await guest.pread(file, 8, offset))).toBe("far");
    expect([...(await guest.pread(file, 3, offset & 0xffff_ffffn))]).toEqual([0, 0, 0]);
  });

  law("a negative offset gives -EINVAL", async ({ guest }) => {
    const file = must(await guest.open("/data/file", READ_WRITE_NEW));
    const buffer = guest.put("...");
    for (const offset of [-1n, -(2n ** 63n)]) {
      for (const op of [OP.PREAD, OP.PWRITE]) {
        const result = await guest.submit({ op, handle: file, ...buffer, offset });
        expect(errnoName(result)).toBe("EINVAL");
      }
    }
  });

  law("PREADs at once on one file each get their own bytes", async ({ guest, data, files }) => {
    const content = pattern(64 * 1000);
    await files.write(join(data, "file"), content);
    const file = must(await guest.open("/data/file", OPEN.READ));
    const reads = Array.from({ length: 64 }, (_, index) => guest.pread(file, 1000, index * 1000));
    const read = await Promise.all(reads);
    read.forEach((bytes, index) => {
      const expected = content.subarray(index * 1000, index * 1000 + 1000);
      expect(Buffer.compare(bytes, expected)).toBe(0);
    });
  });

  law("READ and WRITE go on where the last one ended", async ({ guest, data, files }) => {
    await files.write(join(data, "file"), "0123456789");
    const file = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE));
    expect(text(await guest.read(file, 4))).toBe("0123");
    expect(await guest.write(file, "ab")).toBe(2);
    expect(text(await guest.read(file, 100))).toBe("6789");
    expect(await guest.read(file, 100)).toHaveLength(0);
    expect(text(await guest.pread(file, 100, 0))).toBe("0123ab6789");
  });

  law(
    "PREAD and PWRITE leave the position of READ and WRITE alone",
    async ({ guest, data, files }) => {
      await files.write(join(data, "file"), "0123456789");
      const file = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE));
      expect(text(await guest.pread(file, 2, 8))).toBe("89");
      expect(await guest.pwrite(file, "x", 9)).toBe(1);
      expect(text(await guest.read(file, 2))).toBe("01");
    },
  );

  law(
    "READs and WRITEs outstanding on one file happen in order",
    async ({ guest, data, files }) => {
      const path = join(data, "file");
      const writer = must(await guest.open("/data/file", READ_WRITE_NEW));
      const lines = Array.from({ length: 40 }, (_, index) => `line ${String(index).padStart(3)}\n`);
      await Promise.all(lines.map((line) => guest.write(writer, line)));
      expect(await files.readText(path)).toBe(lines.join(""));
      const reader = must(await guest.open("/data/file", OPEN.READ));
      const read = await Promise.all(lines.map(() => guest.read(reader, 9)));
      expect(read.map(text)).toEqual(lines);
    },
  );

  law("READV and WRITEV work on files", async ({ guest, data, files }) => {
    const handle = must(await guest.open("/data/file", READ_WRITE_NEW));
    const out = [guest.put("ab"), guest.put(""), guest.put("cde")];
    const write = { op: OP.WRITEV, handle, pointer: guest.iovecs(out), length: 3 };
    expect(await guest.submit(write)).toBe(5);
    expect(await files.readText(join(data, "file"))).toBe("abcde");
    const reader = must(await guest.open("/data/file", OPEN.READ));
    const pieces = [guest.put("__"), guest.put("_____")];
    const read = { op: OP.READV, handle: reader, pointer: guest.iovecs(pieces), length: 2 };
    expect(await guest.submit(read)).toBe(5);
    expect(pieces.map(({ pointer, length }) => text(guest.bytes(pointer, length)))).toEqual([
      "ab",
      "cde__",
    ]);
  });
}
