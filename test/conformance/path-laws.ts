//! Laws of operations on paths: what each does, its errors, and which it refuses where a grant is
//! read-only. Those of paths that lead out are in path-escape-laws.ts, those of names in name-laws.ts.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { ACCESS, ID_KEEP, OP, OPEN, PATH_MAX, STAT } from "../../ts/abi.gen.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { errnoName, must } from "./guest.ts";
import { nameLaws } from "./name-laws.ts";
import { NO_FOLLOW, OK, onPaths, type PathLaw } from "./path-guest.ts";

const SECOND = 1_000_000_000n;

export function pathLaws(law: Law): void {
  const pathLaw = onPaths(law);
  statLaws(pathLaw);
  changeLaws(pathLaw);
  sizeLaws(pathLaw);
  nameLaws(pathLaw);
  handleLaws(pathLaw);
  directoryLaws(pathLaw);
  readOnlyLaws(pathLaw);
  argumentLaws(pathLaw);
}

function statLaws(law: PathLaw): void {
  law("STAT tells what a file is", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "twelve bytes");
    expect(await paths.chmod("/data/file", 0o640)).toBe(OK);
    expect(await paths.stat("/data/file")).toMatchObject({
      kind: "REGULAR",
      mode: 0o640,
      bytes: 12,
      links: 1,
    });
    expect(await paths.stat("/data")).toMatchObject({ kind: "DIRECTORY" });
  });

  law("one file has one inode, two have two", async (paths, { files, data }) => {
    await files.write(join(data, "one"), "");
    await files.write(join(data, "two"), "");
    expect(await paths.link("/data/one", "/data/again")).toBe(OK);
    const one = await paths.stat("/data/one");
    const two = await paths.stat("/data/two");
    const again = await paths.stat("/data/again");
    expect(again.inode).toBe(one.inode);
    expect(again.links).toBe(2);
    expect(two.inode).not.toBe(one.inode);
    expect(two.device).toBe(one.device);
  });

  law("STAT follows the last link, unless it must not", async (paths, { files, data }) => {
    await files.makeDirectory(join(data, "sub"));
    await files.makeLink("sub", join(data, "link"));
    expect(await paths.kind("/data/link")).toBe("DIRECTORY");
    expect(await paths.kind("/data/link/")).toBe("DIRECTORY");
    expect(await paths.stat("/data/link", NO_FOLLOW)).toMatchObject({ kind: "SYMLINK", bytes: 3 });
    expect(await paths.kind("/data/link/", NO_FOLLOW)).toBe("DIRECTORY");
  });

  law("a path that leads nowhere gives -ENOENT or -ENOTDIR", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    await files.makeLink("missing", join(data, "dangling"));
    for (const [path, errno] of [
      ["/data/missing", "ENOENT"],
      ["/data/missing/below", "ENOENT"],
      ["/data/dangling", "ENOENT"],
      ["/data/file/", "ENOTDIR"],
      ["/data/file/.", "ENOTDIR"],
      ["/data/file/below", "ENOTDIR"],
    ] as const) {
      expect(`${path}: ${await paths.kind(path)}`).toBe(`${path}: ${errno}`);
      expect(`${path}: ${await paths.access(path)}`).toBe(`${path}: ${errno}`);
      expect(`${path}: ${await paths.chmod(path, 0o600)}`).toBe(`${path}: ${errno}`);
      expect(`${path}: ${await paths.utimes(path, 0n, 0n)}`).toBe(`${path}: ${errno}`);
    }
    expect(await paths.kind("/data/dangling", NO_FOLLOW)).toBe("SYMLINK");
  });

  law("ACCESS tells what may be done", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    expect(await paths.chmod("/data/file", 0o644)).toBe(OK);
    expect(await paths.access("/data/file")).toBe(OK);
    expect(await paths.access("/data/file", ACCESS.READ | ACCESS.WRITE)).toBe(OK);
    expect(await paths.access("/data/file", ACCESS.EXECUTE)).toBe("EACCES");
    expect(await paths.chmod("/data/file", 0o755)).toBe(OK);
    expect(await paths.access("/data/file", ACCESS.READ | ACCESS.EXECUTE)).toBe(OK);
    expect(await paths.access("/data/missing")).toBe("ENOENT");
  });
}

function changeLaws(law: PathLaw): void {
  law("CHMOD sets permission bits, and makes no set-user-ID file", async (paths, bench) => {
    await bench.files.write(join(bench.data, "file"), "");
    for (const mode of [0o600, 0o777, 0o444]) {
      expect(await paths.chmod("/data/file", 0o7000 | mode)).toBe(OK);
      expect((await paths.stat("/data/file")).mode).toBe(mode);
    }
  });

  law(
    "a file that CHMOD lets nobody write is told so, and can be given back",
    async (paths, bench) => {
      await bench.files.write(join(bench.data, "file"), "");
      const mayWrite = async (): Promise<boolean> =>
        ((await paths.stat("/data/file")).mode & 0o222) !== 0;
      expect(await mayWrite()).toBe(true);
      for (const may of [false, true]) {
        expect(await paths.chmod("/data/file", may ? 0o666 : 0o444)).toBe(OK);
        expect(await mayWrite()).toBe(may);
      }
    },
  );

  law("CHMOD follows a link, and cannot change one", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    await files.makeLink("file", join(data, "link"));
    expect(await paths.chmod("/data/link", 0o600)).toBe(OK);
    expect((await paths.stat("/data/file")).mode).toBe(0o600);
    expect(await paths.chmod("/data/link", 0o644, NO_FOLLOW)).toBe("ENOTSUP");
    expect(await paths.chmod("/data/file", 0o644, NO_FOLLOW)).toBe(OK);
    expect((await paths.stat("/data/file")).mode).toBe(0o644);
  });

  law("CHOWN keeps what it is told to keep", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    await files.makeLink("file", join(data, "link"));
    const { user, group } = await paths.stat("/data/file");
    expect(await paths.chown("/data/file", ID_KEEP, ID_KEEP)).toBe(OK);
    expect(await paths.chown("/data/file", user, ID_KEEP)).toBe(OK);
    expect(await paths.chown("/data/file", ID_KEEP, group)).toBe(OK);
    expect(await paths.chown("/data/link", user, group, NO_FOLLOW)).toBe(OK);
    expect(await paths.stat("/data/file")).toMatchObject({ user, group });
    if (user !== 0) {
      expect(await paths.chown("/data/file", 0, ID_KEEP)).toBe("EPERM");
      return;
    }
    expect(await paths.chown("/data/link", 12_345, ID_KEEP)).toBe(OK);
    expect(await paths.stat("/data/file")).toMatchObject({ user: 12_345, group });
    expect(await paths.chown("/data/link", ID_KEEP, 54_321, NO_FOLLOW)).toBe(OK);
    expect(await paths.stat("/data/file")).toMatchObject({ user: 12_345, group });
    expect(await paths.stat("/data/link", NO_FOLLOW)).toMatchObject({ group: 54_321 });
  });

  law("UTIMES sets times to the microsecond", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    const accessed = 1_600_000_000n * SECOND + 250_000_000n;
    const modified = 1_500_000_000n * SECOND + 500_000_000n;
    expect(await paths.utimes("/data/file", accessed, modified)).toBe(OK);
    expect(await paths.stat("/data/file")).toMatchObject({
      accessedNs: accessed,
      modifiedNs: modified,
    });
  });

  law("UTIMES keeps a time, or takes the present one", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    const past = 1_000_000_000n * SECOND;
    expect(await paths.utimes("/data/file", past, past)).toBe(OK);
    expect(await paths.utimes("/data/file", undefined, "now")).toBe(OK);
    const { accessedNs, modifiedNs } = await paths.stat("/data/file");
    expect(accessedNs).toBe(past);
    expect(modifiedNs).toBeGreaterThan(past);
    expect(await paths.utimes("/data/file", "now", undefined)).toBe(OK);
    const after = await paths.stat("/data/file");
    expect(after.accessedNs).toBeGreaterThan(past);
    // What a host without a way to keep it can write back of it.
    expect(after.modifiedNs / 1000n).toBe(modifiedNs / 1000n);
    expect(await paths.utimes("/data/missing", undefined, undefined)).toBe("ENOENT");
  });

  law("UTIMES of a link itself leaves its target alone", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    await files.makeLink("file", join(data, "link"));
    const then = 1_234_567_890n * SECOND;
    expect(await paths.utimes("/data/link", then, then, NO_FOLLOW)).toBe(OK);
    expect((await paths.stat("/data/link", NO_FOLLOW)).modifiedNs).toBe(then);
    expect((await paths.stat("/data/file")).modifiedNs).toBeGreaterThan(then);
    expect(await paths.utimes("/data/link", then, then)).toBe(OK);
    expect((await paths.stat("/data/file")).modifiedNs).toBe(then);
  });

  law("WRITE moves the time of modification", async (paths, { guest, files, data }) => {
    await files.write(join(data, "file"), "");
    const past = 1_000_000_000n * SECOND;
    expect(await paths.utimes("/data/file", past, past)).toBe(OK);
    const file = must(await guest.open("/data/file", OPEN.WRITE));
    must(await guest.write(file, "more"));
    expect((await paths.stat("/data/file")).modifiedNs).toBeGreaterThan(past);
  });
}

function sizeLaws(law: PathLaw): void {
  law("TRUNCATE cuts a file, and adds zeros", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "0123456789");
    await files.makeLink("file", join(data, "link"));
    expect(await paths.truncate("/data/file", 4)).toBe(OK);
    expect(await files.readText(join(data, "file"))).toBe("0123");
    expect(await paths.truncate("/data/link", 6)).toBe(OK);
    expect(await files.readText(join(data, "file"))).toBe("0123\0\0");
    expect(await paths.truncate("/data/file", 10_000)).toBe(OK);
    const content = await files.read(join(data, "file"));
    expect(content.length).toBe(10_000);
    expect(content.subarray(4).every((byte) => byte === 0)).toBe(true);
    expect((await paths.stat("/data/file")).bytes).toBe(10_000);
    expect(await paths.truncate("/data/file", 0)).toBe(OK);
    expect(await files.readText(join(data, "file"))).toBe("");
  });

  law("TRUNCATE refuses what has no size to set", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "kept");
    expect(await paths.truncate("/data/file", -1)).toBe("EINVAL");
    expect(await paths.truncate("/data/missing", 0)).toBe("ENOENT");
    expect(await paths.truncate("/data", 0)).toBe("EISDIR");
    expect(await paths.truncate("/data/file/", 0)).toBe("ENOTDIR");
    expect(await files.list(data)).toEqual(["file"]);
    expect(await files.readText(join(data, "file"))).toBe("kept");
  });
}

function handleLaws(law: PathLaw): void {
  law("an empty path means the open file", async (paths, { guest, files, data }) => {
    const handle = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE | OPEN.CREATE));
    const there = { handle };
    expect(await paths.truncate("", 100, there)).toBe(OK);
    expect(await paths.chmod("", 0o600, there)).toBe(OK);
    expect(await paths.utimes("", SECOND, 2n * SECOND, there)).toBe(OK);
    expect(await paths.chown("", ID_KEEP, ID_KEEP, there)).toBe(OK);
    expect(await paths.access("", ACCESS.READ, there)).toBe(OK);
    const byHandle = await paths.stat("", there);
    expect(byHandle).toMatchObject({
      kind: "REGULAR",
      mode: 0o600,
      bytes: 100,
      accessedNs: SECOND,
      modifiedNs: 2n * SECOND,
    });
    expect(await paths.stat("/data/file")).toEqual(byHandle);
    expect(await paths.unlink("/data/file")).toBe(OK);
    expect(await paths.stat("", there)).toMatchObject({ links: 0, bytes: 100 });
    expect(await files.list(data)).toEqual([]);
  });

  law("TRUNCATE of a file that is open for reading gives -EINVAL", async (paths, bench) => {
    await bench.files.write(join(bench.data, "file"), "kept");
    const handle = must(await bench.guest.open("/data/file", OPEN.READ));
    expect(await paths.truncate("", 0, { handle })).toBe("EINVAL");
    expect(await bench.files.readText(join(bench.data, "file"))).toBe("kept");
  });

  law(
    "an empty path of no handle gives -ENOENT, as where no handle helps",
    async (paths, bench) => {
      const { guest } = bench;
      const handle = must(await guest.open("/data", OPEN.READ));
      expect(await paths.kind("")).toBe("ENOENT");
      expect(await paths.mkdir("")).toBe("ENOENT");
      for (const result of [
        paths.unlink("", { handle }),
        paths.rmdir("", { handle }),
        paths.mkdir("", 0o700, { handle }),
        paths.readlink("", 16, { handle }),
        paths.rename("", "/data/new", 0, { handle }),
        paths.symlink("x", "", handle),
      ]) {
        expect(await result).toBe("ENOENT");
      }
    },
  );

  law(
    "a handle that is no directory's gives -ENOTDIR, a closed one -EBADF",
    async (paths, bench) => {
      const { guest, files, data } = bench;
      await files.write(join(data, "file"), "");
      const file = must(await guest.open("/data/file", OPEN.READ));
      const listener = must(await guest.listen());
      for (const handle of [file, listener]) {
        expect(await paths.kind("below", { handle })).toBe("ENOTDIR");
        expect(await paths.mkdir("below", 0o700, { handle })).toBe("ENOTDIR");
        expect(await paths.symlink("x", "below", handle)).toBe("ENOTDIR");
      }
      expect(await paths.kind("", { handle: listener })).toBe("ENOTSUP");
      must(await guest.close(file));
      expect(await paths.kind("", { handle: file })).toBe("EBADF");
      expect(await paths.rename("/data/file", "new", 0, {}, file)).toBe("EBADF");
    },
  );
}

function directoryLaws(law: PathLaw): void {
  const openDirectory = async ({ guest }: Bench, path: string): Promise<number> =>
    must(await guest.open(path, OPEN.READ | OPEN.DIRECTORY));

  law("paths lie in the directory whose handle is given", async (paths, bench) => {
    const { guest, files, data } = bench;
    await files.makeDirectory(join(data, "sub"));
    const handle = await openDirectory(bench, "/data/sub");
    const there = { handle };
    expect(await paths.mkdir("made", 0o755, there)).toBe(OK);
    expect(await paths.symlink("made", "link", handle)).toBe(OK);
    expect(await paths.kind("link", there)).toBe("DIRECTORY");
    expect(await paths.readlink("link", 16, there)).toBe("made");
    expect(await paths.chmod("made", 0o700, there)).toBe(OK);
    expect(await paths.rename("made", "/data/moved", 0, there)).toBe(OK);
    expect(await paths.rename("/data/moved", "made", 0, {}, handle)).toBe(OK);
    expect(await paths.rmdir("made", there)).toBe(OK);
    must(await guest.open("/data/sub/file", OPEN.WRITE | OPEN.CREATE));
    expect(await paths.link("file", "again", there, handle)).toBe(OK);
    expect(await paths.unlink("file", there)).toBe(OK);
    expect(await paths.stat("again", there)).toMatchObject({ kind: "REGULAR", links: 1 });
    expect(await paths.stat("", there)).toEqual(await paths.stat("/data/sub"));
    expect(await files.list(join(data, "sub"))).toEqual(["again", "link"]);
  });

  law("no path leads out of the directory whose handle is given", async (paths, bench) => {
    const { files, data } = bench;
    await files.makeDirectory(join(data, "sub"));
    await files.write(join(data, "file"), "above");
    await files.makeLink("../file", join(data, "sub", "up"));
    const handle = await openDirectory(bench, "/data/sub");
    for (const path of ["../file", "..", "/data/file", "/", "./../file"]) {
      for (const result of [
        paths.kind(path, { handle }),
        paths.unlink(path, { handle }),
        paths.mkdir(path, 0o700, { handle }),
        paths.rename(path, "/data/new", 0, { handle }),
        paths.rename("/data/file", path, 0, {}, handle),
        paths.symlink("x", path, handle),
      ]) {
        expect(`${path}: ${await result}`).toBe(`${path}: ENOTCAPABLE`);
      }
    }
    expect(await paths.truncate("up", 0, { handle })).toBe("ENOTCAPABLE");
    expect(await paths.kind("up", { handle, ...NO_FOLLOW })).toBe("SYMLINK");
    expect(await files.readText(join(data, "file"))).toBe("above");
  });

  law(
    "a directory of a read-only grant changes nothing by its handle either",
    async (paths, bench) => {
      const { files, data } = bench;
      await files.write(join(data, "file"), "kept");
      const handle = await openDirectory(bench, "/readonly");
      for (const result of [
        paths.chmod("", 0o700, { handle }),
        paths.unlink("file", { handle }),
        paths.mkdir("new", 0o700, { handle }),
        paths.truncate("file", 0, { handle }),
        paths.rename("file", "/data/new", 0, { handle }),
        paths.rename("/data/file", "new", 0, {}, handle),
        paths.link("file", "/data/new", { handle }),
        paths.symlink("x", "new", handle),
      ]) {
        expect(await result).toBe("EROFS");
      }
      expect(await files.list(data)).toEqual(["file"]);
    },
  );

  law(
    "a file without a name gets one by LINK, or -ENOTSUP",
    async (paths, { guest, files, data, name }) => {
      const flags = OPEN.READ | OPEN.WRITE | OPEN.TEMPORARY;
      const handle = await guest.open("/data", flags);
      if (errnoName(handle) === "ENOTSUP") return; // The file system of this machine has none.
      must(await guest.write(must(handle), "kept"));
      const unsupported = ["node", "deno", "kqueue"].includes(name);
      expect(await paths.link("", "/data/file", { handle })).toBe(unsupported ? "ENOTSUP" : OK);
      expect(await files.list(data)).toEqual(unsupported ? [] : ["file"]);
    },
  );
}

function readOnlyLaws(law: PathLaw): void {
  law("a read-only directory refuses every change with -EROFS", async (paths, bench) => {
    const { guest, files, data } = bench;
    await files.write(join(data, "file"), "unchanged");
    await files.makeDirectory(join(data, "sub"));
    await files.makeLink("file", join(data, "link"));
    const before = await paths.stat("/data/file");
    const handle = must(await guest.open("/readonly/file", OPEN.READ));
    for (const result of [
      paths.chmod("/readonly/file", 0),
      paths.chmod("", 0, { handle }),
      paths.chown("/readonly/file", ID_KEEP, ID_KEEP),
      paths.chown("", ID_KEEP, ID_KEEP, { handle }),
      paths.utimes("/readonly/file", 0n, 0n),
      paths.utimes("", 0n, 0n, { handle }),
      paths.truncate("/readonly/file", 0),
      paths.truncate("", 0, { handle }),
      paths.access("/readonly/file", ACCESS.WRITE),
      paths.access("", ACCESS.WRITE, { handle }),
      paths.link("/readonly/file", "/data/new"),
      paths.link("", "/data/new", { handle }),
      paths.link("/data/file", "/readonly/new"),
      paths.symlink("x", "/readonly/new"),
      paths.unlink("/readonly/file"),
      paths.rmdir("/readonly/sub"),
      paths.rename("/readonly/file", "/data/new"),
      paths.rename("/data/file", "/readonly/new"),
      paths.mkdir("/readonly/new"),
    ]) {
      expect(await result).toBe("EROFS");
    }
    expect(await paths.stat("/readonly/file")).toEqual(before);
    expect(await paths.access("/readonly/file", ACCESS.READ)).toBe(OK);
    expect(await paths.readlink("/readonly/link")).toBe("file");
    expect(await files.list(data)).toEqual(["file", "link", "sub"]);
    expect(await files.readText(join(data, "file"))).toBe("unchanged");
  });
}

function argumentLaws(law: PathLaw): void {
  law("arguments that mean nothing give -EINVAL", async (_paths, { guest, files, data }) => {
    await files.write(join(data, "file"), "");
    const at = guest.put("/data/file");
    const other = guest.put("/data/new");
    const others = { otherPointer: other.pointer, otherLength: other.length };
    const times = guest.alloc(24);
    guest.view.setUint32(times + 16, 3, true);
    for (const submission of [
      { op: OP.STAT, ...at, otherPointer: guest.alloc(STAT.size), flags: 2 },
      { op: OP.CHMOD, ...at, flags: 0x8000 },
      { op: OP.ACCESS, ...at, argument: 8 },
      { op: OP.RENAME, ...at, ...others, argument: 3 },
      { op: OP.UTIMES, ...at, otherPointer: times },
    ]) {
      expect(errnoName(await guest.submit(submission))).toBe("EINVAL");
    }
    expect(await files.list(data)).toEqual(["file"]);
  });

  law("a path with a zero byte gives -EINVAL, a long one -ENAMETOOLONG", async (paths) => {
    const long = `/data/${"x".repeat(300)}`;
    const longer = `/data/${"./".repeat(PATH_MAX)}x`;
    for (const [path, errno] of [
      ["/data/a\0b", "EINVAL"],
      [long, "ENAMETOOLONG"],
      [longer, "ENAMETOOLONG"],
    ] as const) {
      expect(await paths.kind(path)).toBe(errno);
      expect(await paths.mkdir(path)).toBe(errno);
      expect(await paths.unlink(path)).toBe(errno);
      expect(await paths.symlink("x", path)).toBe(errno);
    }
  });

  law("what lies outside guest memory gives -EFAULT", async (_paths, { guest, files, data }) => {
    await files.write(join(data, "file"), "kept");
    await files.makeLink("file", join(data, "link"));
    const end = guest.memory.buffer.byteLength;
    const at = guest.put("/data/link");
    for (const wild of [end - 4, end, 0xffff_fff0]) {
      for (const op of [OP.STAT, OP.UNLINK, OP.MKDIR, OP.RENAME, OP.SYMLINK, OP.TRUNCATE]) {
        const result = await guest.submit({ op, pointer: wild, length: 8 });
        expect(errnoName(result)).toBe("EFAULT");
      }
      for (const op of [OP.STAT, OP.UTIMES]) {
        expect(errnoName(await guest.submit({ op, ...at, otherPointer: wild }))).toBe("EFAULT");
      }
      for (const op of [OP.READLINK, OP.LINK, OP.RENAME, OP.SYMLINK]) {
        const other = { otherPointer: wild, otherLength: 16 };
        expect(errnoName(await guest.submit({ op, ...at, ...other }))).toBe("EFAULT");
      }
    }
    expect(await files.list(data)).toEqual(["file", "link"]);
  });
}
