//! Laws of names: how links, files and directories are made, removed and moved.

import { join } from "node:path/posix";
import { platform } from "node:process";
import { expect } from "vitest";
import { OPEN, RENAME } from "../../ts/abi.gen.ts";
import { must, text } from "./guest.ts";
import { OK, type PathLaw } from "./path-guest.ts";

export function nameLaws(law: PathLaw): void {
  linkLaws(law);
  removalLaws(law);
  renameLaws(law);
}

function linkLaws(law: PathLaw): void {
  law("SYMLINK makes a link of any text, and READLINK tells it", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "there");
    for (const [name, target] of [
      ["plain", "file"],
      ["dangling", "no/where"],
      ["outwards", "../../etc"],
      ["absolute", "/etc/passwd"],
      ["names", "größe-大小"],
    ] as const) {
      expect(await paths.symlink(target, `/data/${name}`)).toBe(OK);
      expect(await paths.readlink(`/data/${name}`)).toBe(target);
    }
    expect(await paths.stat("/data/plain")).toMatchObject({ kind: "REGULAR", bytes: 5 });
  });

  law("SYMLINK refuses a name that is taken, or none", async (paths, { files, data }) => {
    await files.makeDirectory(join(data, "sub"));
    await files.makeLink("missing", join(data, "link"));
    expect(await paths.symlink("x", "/data/link")).toBe("EEXIST");
    expect(await paths.symlink("x", "/data/sub")).toBe("EEXIST");
    expect(await paths.symlink("x", "/data/sub/")).toBe("EEXIST");
    expect(await paths.symlink("x", "/data/.")).toBe("EEXIST");
    expect(await paths.symlink("x", "/data/sub/..")).toBe("EEXIST");
    expect(await paths.symlink("x", "/data/new/")).toBe("ENOENT");
    expect(await paths.symlink("", "/data/new")).toBe("ENOENT");
    expect(await paths.symlink("a\0b", "/data/new")).toBe("EINVAL");
    expect(await files.list(data)).toEqual(["link", "sub"]);
  });

  law("READLINK leaves out what has no room", async (paths, { files, data }) => {
    await files.makeLink("0123456789", join(data, "link"));
    expect(await paths.readlink("/data/link", 4)).toBe("0123");
    expect(await paths.readlink("/data/link", 10)).toBe("0123456789");
    expect(await paths.readlink("/data/link", 0)).toBe("EINVAL");
  });

  law("READLINK of what is no link gives -EINVAL", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    await files.makeLink(".", join(data, "link"));
    for (const [path, errno] of [
      ["/data/file", "EINVAL"],
      ["/data", "EINVAL"],
      ["/data/.", "EINVAL"],
      ["/data/link/", "EINVAL"],
      ["/data/file/", "ENOTDIR"],
      ["/data/missing", "ENOENT"],
      ["/data/missing/", "ENOENT"],
    ] as const) {
      expect(`${path}: ${await paths.readlink(path)}`).toBe(`${path}: ${errno}`);
    }
  });

  law("LINK gives a file one more name", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "one");
    await files.makeDirectory(join(data, "sub"));
    expect(await paths.link("/data/file", "/data/sub/again")).toBe(OK);
    expect(await files.readText(join(data, "sub", "again"))).toBe("one");
    expect(await paths.unlink("/data/file")).toBe(OK);
    expect(await paths.stat("/data/sub/again")).toMatchObject({ links: 1, bytes: 3 });
  });

  law("LINK does not follow a link: that gets the name", async (paths, { files, data }) => {
    await files.makeLink("missing", join(data, "link"));
    expect(await paths.link("/data/link", "/data/again")).toBe(OK);
    expect(await paths.readlink("/data/again")).toBe("missing");
  });

  law("LINK refuses directories and names that are taken", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    await files.makeDirectory(join(data, "sub"));
    for (const [path, other, errno] of [
      ["/data/sub", "/data/new", "EPERM"],
      ["/data/sub/", "/data/new", "EPERM"],
      ["/data/.", "/data/new", "EPERM"],
      ["/data/file/", "/data/new", "ENOTDIR"],
      ["/data/missing", "/data/new", "ENOENT"],
      ["/data/file", "/data/file", "EEXIST"],
      ["/data/file", "/data/sub", "EEXIST"],
      ["/data/file", "/data/.", "EEXIST"],
      ["/data/file", "/data/new/", "ENOENT"],
      ["/data/file", "/data/missing/new", "ENOENT"],
    ] as const) {
      const result = `${path} ${other}: ${await paths.link(path, other)}`;
      expect(result).toBe(`${path} ${other}: ${errno}`);
    }
    expect(await files.list(data)).toEqual(["file", "sub"]);
  });
}

function removalLaws(law: PathLaw): void {
  law("UNLINK takes the name; who has the file open keeps it", async (paths, bench) => {
    const { guest, files, data } = bench;
    await files.write(join(data, "file"), "still here");
    const file = must(await guest.open("/data/file", OPEN.READ));
    expect(await paths.unlink("/data/file")).toBe(OK);
    expect(await files.list(data)).toEqual([]);
    expect(text(await guest.pread(file, 64, 0))).toBe("still here");
    expect(await paths.unlink("/data/file")).toBe("ENOENT");
  });

  law("UNLINK removes a link, not what it leads to", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    await files.makeLink("file", join(data, "link"));
    expect(await paths.unlink("/data/link")).toBe(OK);
    expect(await files.list(data)).toEqual(["file"]);
  });

  law("UNLINK removes no directory, RMDIR nothing else", async (paths, { files, data }) => {
    await files.makeDirectory(join(data, "sub"));
    await files.write(join(data, "file"), "");
    await files.makeLink("sub", join(data, "link"));
    for (const [path, unlink, rmdir] of [
      ["/data/missing", "ENOENT", "ENOENT"],
      ["/data/file/", "ENOTDIR", "ENOTDIR"],
      ["/data/link/", "ENOTDIR", "ENOTDIR"],
      ["/data/file/below", "ENOTDIR", "ENOTDIR"],
      ["/data/.", "EISDIR", "EBUSY"],
      ["/data", "EISDIR", "EBUSY"],
      ["/data/sub/..", "EISDIR", "EBUSY"],
      ["/data/missing/..", "ENOENT", "ENOENT"],
    ] as const) {
      expect(`${path}: ${await paths.unlink(path)}`).toBe(`${path}: ${unlink}`);
      expect(`${path}: ${await paths.rmdir(path)}`).toBe(`${path}: ${rmdir}`);
    }
    expect(await paths.unlink("/data/sub")).toBe("EISDIR");
    expect(await paths.unlink("/data/sub/")).toBe("EISDIR");
    expect(await paths.rmdir("/data/file")).toBe("ENOTDIR");
    expect(await paths.rmdir("/data/link")).toBe("ENOTDIR");
    expect(await files.list(data)).toEqual(["file", "link", "sub"]);
  });

  law("MKDIR makes a directory, RMDIR removes it when it is empty", async (paths, bench) => {
    const { files, data } = bench;
    expect(await paths.mkdir("/data/new", 0o7700)).toBe(OK);
    expect(await paths.stat("/data/new")).toMatchObject({ kind: "DIRECTORY", mode: 0o700 });
    expect(await paths.mkdir("/data/new/below/")).toBe(OK);
    expect(await paths.rmdir("/data/new")).toBe("ENOTEMPTY");
    expect(await paths.rmdir("/data/new/below/")).toBe(OK);
    expect(await paths.rmdir("/data/new")).toBe(OK);
    expect(await files.list(data)).toEqual([]);
  });

  law("MKDIR refuses a name that is taken, or none", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    await files.makeLink("missing", join(data, "link"));
    for (const [path, errno] of [
      ["/data/file", "EEXIST"],
      ["/data/link", "EEXIST"],
      ["/data", "EEXIST"],
      ["/data/.", "EEXIST"],
      ["/data/missing/new", "ENOENT"],
      ["/data/file/new", "ENOTDIR"],
    ] as const) {
      expect(`${path}: ${await paths.mkdir(path)}`).toBe(`${path}: ${errno}`);
    }
    expect(await files.list(data)).toEqual(["file", "link"]);
  });
}

function renameLaws(law: PathLaw): void {
  law("RENAME moves a file, and takes the place of another", async (paths, { files, data }) => {
    await files.write(join(data, "from"), "moved");
    await files.write(join(data, "to"), "replaced");
    await files.makeDirectory(join(data, "sub"));
    expect(await paths.rename("/data/from", "/data/to")).toBe(OK);
    expect(await files.list(data)).toEqual(["sub", "to"]);
    expect(await paths.rename("/data/to", "/data/sub/deep")).toBe(OK);
    expect(await files.readText(join(data, "sub", "deep"))).toBe("moved");
    expect(await paths.rename("/data/sub", "/data/other/")).toBe(OK);
    expect(await files.readText(join(data, "other", "deep"))).toBe("moved");
  });

  law("RENAME moves a link, not what it leads to", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    await files.makeLink("file", join(data, "link"));
    expect(await paths.rename("/data/link", "/data/moved")).toBe(OK);
    expect(await paths.readlink("/data/moved")).toBe("file");
    expect(await paths.rename("/data/file", "/data/moved")).toBe(OK);
    expect(await files.list(data)).toEqual(["moved"]);
  });

  law("RENAME of one name of a file to another of it changes nothing", async (paths, bench) => {
    const { files, data } = bench;
    await files.write(join(data, "file"), "one");
    expect(await paths.link("/data/file", "/data/again")).toBe(OK);
    expect(await paths.rename("/data/file", "/data/again")).toBe(OK);
    expect(await paths.rename("/data/file", "/data/file")).toBe(OK);
    expect(await files.list(data)).toEqual(["again", "file"]);
  });

  law("RENAME refuses what cannot be moved there", async (paths, { files, data }) => {
    await files.write(join(data, "file"), "");
    await files.makeDirectory(join(data, "sub"));
    await files.makeDirectory(join(data, "sub", "deep"));
    await files.makeDirectory(join(data, "full"));
    await files.write(join(data, "full", "file"), "");
    for (const [path, other, errno] of [
      ["/data/missing", "/data/new", "ENOENT"],
      ["/data/file", "/data/missing/new", "ENOENT"],
      ["/data/file", "/data/sub", "EISDIR"],
      ["/data/sub", "/data/file", "ENOTDIR"],
      ["/data/file/", "/data/new", "ENOTDIR"],
      ["/data/file", "/data/new/", "ENOTDIR"],
      ["/data/sub", "/data/full", "ENOTEMPTY"],
      ["/data/sub", "/data/sub/deep/below", "EINVAL"],
      ["/data/.", "/data/new", "EBUSY"],
      ["/data", "/data/new", "EBUSY"],
      ["/data/sub/..", "/data/new", "EBUSY"],
      ["/data/sub", "/data/.", "EBUSY"],
    ] as const) {
      const result = `${path} ${other}: ${await paths.rename(path, other)}`;
      expect(result).toBe(`${path} ${other}: ${errno}`);
    }
    expect(await files.list(data)).toEqual(["file", "full", "sub"]);
  });

  law("RENAME of a directory takes the place of an empty one", async (paths, { files, data }) => {
    await files.makeDirectory(join(data, "from"));
    await files.write(join(data, "from", "file"), "");
    await files.makeDirectory(join(data, "to"));
    expect(await paths.rename("/data/from", "/data/to")).toBe(OK);
    expect(await files.list(data)).toEqual(["to"]);
    expect(await files.list(join(data, "to"))).toEqual(["file"]);
  });

  law(
    "RENAME and LINK go from one grant to another",
    async (paths, { files, data, outside }) => {
      await files.write(join(data, "file"), "moved");
      expect(await paths.link("/data/file", "/other/again")).toBe(OK);
      expect(await paths.rename("/data/file", "/other/file")).toBe(OK);
      expect(await files.list(data)).toEqual([]);
      expect(await files.list(outside)).toEqual(["again", "file"]);
      expect(await paths.rename("/other/file", "/readonly/file")).toBe("EROFS");
      expect(await paths.link("/readonly/file", "/other/new")).toBe("EROFS");
    },
    {
      grants: (data) => ({
        directories: [
          { host: data, guest: "/data" },
          { host: data, guest: "/readonly", readOnly: true },
          { host: join(data, "../outside"), guest: "/other" },
        ],
      }),
    },
  );

  law(
    "RENAME replaces nothing when it must not, and exchanges, or gives -ENOTSUP",
    async (paths, bench) => {
      const { files, data, name } = bench;
      const unsupported =
        ["node", "deno"].includes(name) || (name === "kqueue" && platform !== "darwin");
      await files.write(join(data, "one"), "one");
      await files.write(join(data, "two"), "two");
      const keep = await paths.rename("/data/one", "/data/two", RENAME.NO_REPLACE);
      const exchange = await paths.rename("/data/one", "/data/two", RENAME.EXCHANGE);
      expect([keep, exchange]).toEqual(unsupported ? ["ENOTSUP", "ENOTSUP"] : ["EEXIST", OK]);
      expect(await files.readText(join(data, "one"))).toBe(unsupported ? "one" : "two");
      if (unsupported) return;
      expect(await paths.rename("/data/one", "/data/new", RENAME.NO_REPLACE)).toBe(OK);
      expect(await paths.rename("/data/new", "/data/one", RENAME.EXCHANGE)).toBe("ENOENT");
      await files.makeDirectory(join(data, "sub"));
      expect(await paths.rename("/data/sub/", "/data/new", RENAME.EXCHANGE)).toBe(OK);
      expect(await paths.kind("/data/new")).toBe("DIRECTORY");
      expect(await files.readText(join(data, "sub"))).toBe("two");
    },
  );
}
