//! Laws of paths that lead out: no operation on a path reaches anything outside its directory, however
//! the path, or what it meets on its way, is made.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { ID_KEEP, OPEN } from "../../ts/abi.gen.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { must } from "./guest.ts";
import { NO_FOLLOW, OK, onPaths, type PathGuest } from "./path-guest.ts";

export function pathEscapeLaws(every: Law): void {
  const pathLaw = onPaths(every);
  const law = (title: string, body: (bench: Bench, paths: PathGuest) => Promise<void>): void =>
    pathLaw(title, (paths, bench) => body(bench, paths));

  law("no operation on a path of dots leads out", async (bench, paths) => {
    await bench.files.makeDirectory(join(bench.data, "sub"));
    await refusesAll(bench, paths, [
      "/data/../outside/secret",
      "/data/sub/../../outside/secret",
      "/data/../data/file",
      "/data/..",
      "/data/sub/../..",
      "/outside/secret",
      bench.outside,
    ]);
  });

  law("no operation on a path goes through a link that leads out", async (bench, paths) => {
    const { files, data, outside } = bench;
    await files.makeDirectory(join(data, "sub"));
    await files.makeLink(outside, join(data, "absolute"));
    await files.makeLink("../outside", join(data, "relative"));
    await files.makeLink("../data", join(data, "out-and-back"));
    await files.makeLink("sub/../../outside", join(data, "winding"));
    await refusesAll(bench, paths, [
      "/data/absolute/secret",
      "/data/relative/secret",
      "/data/out-and-back/file",
      "/data/winding/secret",
      "/data/relative/.",
      "/data/relative/..",
    ]);
  });

  law("what follows a last link does not follow it out", async (bench, paths) => {
    const { files, data, outside } = bench;
    await files.write(join(outside, "secret"), "secret");
    await files.makeLink(join(outside, "secret"), join(data, "absolute"));
    await files.makeLink("../outside/secret", join(data, "relative"));
    await files.makeLink("../outside/new", join(data, "dangling"));
    for (const path of ["/data/absolute", "/data/relative", "/data/dangling"]) {
      for (const result of [
        paths.kind(path),
        paths.access(path),
        paths.chmod(path, 0),
        paths.chown(path, ID_KEEP, ID_KEEP),
        paths.utimes(path, 0n, 0n),
        paths.truncate(path, 0),
      ]) {
        expect(await result).toBe("ENOTCAPABLE");
      }
      expect(await paths.kind(path, NO_FOLLOW)).toBe("SYMLINK");
    }
    await unharmed(bench);
  });

  law("a slash behind a link that leads out does not lead out", async (bench, paths) => {
    const { files, data, outside } = bench;
    await files.write(join(outside, "secret"), "secret");
    await files.makeLink("../outside", join(data, "link"));
    await files.makeDirectory(join(data, "sub"));
    const before = await files.mode(outside);
    for (const result of [
      paths.kind("/data/link/"),
      paths.kind("/data/link/", NO_FOLLOW),
      paths.chmod("/data/link/", 0),
      paths.chmod("/data/link/", 0, NO_FOLLOW),
      paths.chown("/data/link/", ID_KEEP, ID_KEEP, NO_FOLLOW),
      paths.utimes("/data/link/", 0n, 0n, NO_FOLLOW),
      paths.readlink("/data/link/"),
    ]) {
      expect(await result).toBe("ENOTCAPABLE");
    }
    expect(await paths.rmdir("/data/link/")).toBe("ENOTDIR");
    expect(await paths.unlink("/data/link/")).toBe("ENOTDIR");
    expect(await paths.rename("/data/link/", "/data/new")).toBe("ENOTDIR");
    expect(await paths.rename("/data/sub", "/data/link/")).toBe("ENOTDIR");
    expect(await paths.mkdir("/data/link/")).toBe("EEXIST");
    expect(await files.mode(outside)).toBe(before);
    await unharmed(bench);
  });

  law("operations on a last link work on the link, wherever it leads", async (bench, paths) => {
    const { files, data, outside } = bench;
    await files.write(join(outside, "secret"), "secret");
    await files.makeLink("../outside/secret", join(data, "link"));
    expect(await paths.readlink("/data/link")).toBe("../outside/secret");
    expect(await paths.link("/data/link", "/data/again")).toBe("0");
    expect(await paths.rename("/data/link", "/data/moved")).toBe("0");
    expect(await paths.utimes("/data/moved", 0n, 0n, NO_FOLLOW)).toBe("0");
    expect(await paths.unlink("/data/moved")).toBe("0");
    expect(await paths.unlink("/data/again")).toBe("0");
    expect(await files.list(data)).toEqual([]);
    await unharmed(bench);
  });

  law("links that the guest makes lead nowhere that it may not go", async (bench, paths) => {
    const { files, outside } = bench;
    await files.write(join(outside, "secret"), "secret");
    for (const [name, target] of [
      ["absolute", outside],
      ["relative", "../outside"],
    ] as const) {
      expect(await paths.symlink(target, `/data/${name}`)).toBe("0");
      expect(await paths.unlink(`/data/${name}/secret`)).toBe("ENOTCAPABLE");
      expect(await paths.rename(`/data/${name}/secret`, "/data/mine")).toBe("ENOTCAPABLE");
      expect(await paths.link(`/data/${name}/secret`, "/data/mine")).toBe("ENOTCAPABLE");
      expect(await paths.mkdir(`/data/${name}/new`)).toBe("ENOTCAPABLE");
      expect(await paths.symlink("x", `/data/${name}/new`)).toBe("ENOTCAPABLE");
    }
    await unharmed(bench);
  });

  law(
    "a directory that becomes a link while paths lead through it lets none out",
    async (bench, paths) => {
      const { guest, files, data, outside } = bench;
      await files.write(join(outside, "file"), "secret");
      await files.makeDirectory(join(data, "real"));
      await files.write(join(data, "real", "file"), "inside");
      await files.makeLink("../outside", join(data, "link"));
      let turning = true;
      const turn = async (): Promise<void> => {
        for (let round = 0; round < 60; round++) {
          for (const name of ["real", "link"]) {
            expect(await paths.rename(`/data/${name}`, "/data/way")).toBe(OK);
            expect(await paths.rename("/data/way", `/data/${name}`)).toBe(OK);
          }
        }
        turning = false;
      };
      let nth = 0;
      const attack = async (): Promise<void> => {
        while (turning) {
          const made = `/data/way/made-${nth++}`;
          const opened = await Promise.all([
            guest.open(made, OPEN.WRITE | OPEN.CREATE),
            guest.open("/data/way/file", OPEN.WRITE | OPEN.TRUNCATE),
            paths.truncate("/data/way/file", 3).then(() => -1),
            paths.mkdir(`${made}-directory`).then(() => -1),
            paths.symlink("x", `${made}-link`).then(() => -1),
            paths.chmod("/data/way/file", 0).then(() => -1),
            paths.unlink("/data/way/file").then(() => -1),
          ]);
          for (const handle of opened) if (handle >= 0) must(await guest.close(handle));
        }
      };
      const mode = await files.mode(join(outside, "file"));
      await Promise.all([turn(), attack(), attack(), attack()]);
      expect(await files.list(outside)).toEqual(["file"]);
      expect(await files.readText(join(outside, "file"))).toBe("secret");
      expect(await files.mode(join(outside, "file"))).toBe(mode);
    },
  );
}

/** Every operation on each of the paths, which lead out. */
async function refusesAll(bench: Bench, paths: PathGuest, all: readonly string[]): Promise<void> {
  const { files, data, outside } = bench;
  await files.write(join(outside, "secret"), "secret");
  await files.write(join(data, "file"), "mine");
  for (const path of all) {
    for (const [name, result] of Object.entries({
      stat: paths.kind(path),
      lstat: paths.kind(path, NO_FOLLOW),
      access: paths.access(path),
      chmod: paths.chmod(path, 0),
      chown: paths.chown(path, ID_KEEP, ID_KEEP),
      lchown: paths.chown(path, ID_KEEP, ID_KEEP, NO_FOLLOW),
      utimes: paths.utimes(path, 0n, 0n),
      lutimes: paths.utimes(path, 0n, 0n, NO_FOLLOW),
      truncate: paths.truncate(path, 0),
      "link from": paths.link(path, "/data/mine"),
      "link to": paths.link("/data/file", path),
      symlink: paths.symlink("x", path),
      readlink: paths.readlink(path),
      unlink: paths.unlink(path),
      rmdir: paths.rmdir(path),
      "rename from": paths.rename(path, "/data/mine"),
      "rename to": paths.rename("/data/file", path),
      mkdir: paths.mkdir(path),
    })) {
      expect(`${name} ${path}: ${await result}`).toBe(`${name} ${path}: ENOTCAPABLE`);
    }
  }
  expect(await files.readText(join(data, "file"))).toBe("mine");
  await unharmed(bench);
}

async function unharmed({ files, outside }: Bench): Promise<void> {
  expect(await files.list(outside)).toEqual(["secret"]);
  expect(await files.readText(join(outside, "secret"))).toBe("secret");
}
