//! A scene of the exchange with operations on paths, of what every backend has.

import { ACCESS, OPEN } from "../../ts/abi.gen.ts";
import type { Recorder } from "./exchange.ts";
import { NO_FOLLOW, PathGuest } from "./path-guest.ts";

export const PATH_SCENES: Readonly<Record<string, (recorder: Recorder) => Promise<void>>> = {
  async "names and what they name"(r) {
    const { guest, setting } = r;
    const paths = new PathGuest(guest);
    const top = `${setting.scratch}/data/names`;
    await setting.files.makeDirectory(top);
    await setting.files.write(`${top}/file`, "content");
    await setting.files.makeLink("../..", `${top}/out`);
    const note = async (title: string, result: Promise<string>) => r.note(title, await result);
    const all = [
      "file",
      "file/",
      "file/below",
      "directory",
      "directory/",
      "directory/.",
      "directory/..",
      "link",
      "link/",
      "dangling",
      "dangling/",
      "loop",
      "out",
      "out/",
      "missing",
      "missing/",
      "missing/below",
      ".",
      "..",
      "",
    ].map((name) => `/data/names/${name}`);
    await note("MKDIR", paths.mkdir("/data/names/directory"));
    await note("SYMLINK", paths.symlink("directory", "/data/names/link"));
    await note("SYMLINK to nothing", paths.symlink("nothing", "/data/names/dangling"));
    await note("SYMLINK to itself", paths.symlink("loop", "/data/names/loop"));
    for (const path of all) {
      await note(`STAT ${path}`, paths.kind(path));
      await note(`STAT of ${path} itself`, paths.kind(path, NO_FOLLOW));
      await note(`ACCESS ${path}`, paths.access(path, ACCESS.READ));
      await note(`READLINK ${path}`, paths.readlink(path));
      await note(`TRUNCATE ${path}`, paths.truncate(path, 5));
      await note(`SYMLINK at ${path}`, paths.symlink("x", path.replace("missing", "missing/x")));
      await note(`MKDIR at ${path}`, paths.mkdir(path.replace("missing", "missing/x")));
      await note(`RENAME of a file to ${path}`, paths.rename("/data/names/none", path));
      await note(`LINK of ${path}`, paths.link(path, "/data/names/missing/x"));
    }
    for (const from of all) {
      if (/(file|directory|link|dangling|loop|out)$/.test(from)) continue;
      await note(`RENAME ${from}`, paths.rename(from, "/data/names/directory/x"));
      await note(`UNLINK ${from}`, paths.unlink(from));
      await note(`RMDIR ${from}`, paths.rmdir(from));
    }
    const file = await r.openFile("OPEN", "/data/names/file", OPEN.READ);
    for (const [title, where] of [
      ["a file", { handle: file }],
      ["nothing", { handle: 12_345 }],
      ["no handle", {}],
    ] as const) {
      await note(`STAT of ${title}`, paths.kind("", where));
      await note(`STAT below ${title}`, paths.kind("below", where));
      await note(`TRUNCATE of ${title}`, paths.truncate("", 1, where));
      await note(`UNLINK of ${title}`, paths.unlink("", where));
      await note(`READLINK of ${title}`, paths.readlink("", 8, where));
    }
    for (const name of await setting.files.list(top)) r.note("there is", name);
    r.note("the file", await setting.files.readText(`${top}/file`));
  },
};
