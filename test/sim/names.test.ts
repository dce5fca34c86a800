//! Laws of names on a simulated disk: what a crash leaves of operations on them.

import { expect, test } from "vitest";
import { OP, OPEN, RENAME } from "../../ts/abi.gen.ts";
import type { Grants } from "../../ts/host/backend.ts";
import type { World } from "../../ts/host/sim/world.ts";
import { errnoName, type Guest, must } from "../conformance/guest.ts";
import { OK, PathGuest } from "../conformance/path-guest.ts";
import { guestOn, withWorld } from "./worlds.ts";

const GRANTS: Grants = { directories: [{ host: "/data", guest: "/data" }] };

/** Files that are there for certain, each with its name for content. */
async function start(world: World, ...names: string[]): Promise<PathGuest> {
  const { disk } = world.host("a");
  disk.makeDirectory("/data");
  for (const name of names) disk.writeFile(`/data/${name}`, name);
  return new PathGuest(await guestOn(world.host("a"), GRANTS));
}

function crash(world: World): void {
  world.host("a").crash();
  world.host("a").restart();
}

/** Every file by its name, with its content. */
function found(world: World, directory = "/data"): Record<string, string> {
  const { disk } = world.host("a");
  const names = disk.list(directory);
  const text = (name: string) => new TextDecoder().decode(disk.readFile(`${directory}/${name}`));
  return Object.fromEntries(names.map((name) => [name, text(name)]));
}

async function sync(guest: Guest, path: string): Promise<void> {
  const handle = must(await guest.open(path, OPEN.READ));
  must(await guest.submit({ op: OP.FSYNC, handle }));
  must(await guest.close(handle));
}

test("a crash takes back what was done to names and not synced", () =>
  withWorld({ files: { lostWrites: 1 } }, async (world) => {
    const paths = await start(world, "removed", "moved", "over", "linked");
    expect(await paths.unlink("/data/removed")).toBe(OK);
    expect(await paths.rename("/data/moved", "/data/over")).toBe(OK);
    expect(await paths.link("/data/linked", "/data/again")).toBe(OK);
    expect(await paths.mkdir("/data/directory")).toBe(OK);
    expect(await paths.symlink("x", "/data/directory/link")).toBe(OK);
    crash(world);
    expect(found(world)).toEqual({
      removed: "removed",
      moved: "moved",
      over: "over",
      linked: "linked",
    });
    expect(world.host("a").disk.bytesUsed).toBe(4 * 4096);
  }));

test("a crash keeps what was done to names where it loses nothing", () =>
  withWorld({ files: { lostWrites: 0 } }, async (world) => {
    const paths = await start(world, "removed", "moved", "over");
    expect(await paths.unlink("/data/removed")).toBe(OK);
    expect(await paths.rename("/data/moved", "/data/over")).toBe(OK);
    crash(world);
    expect(found(world)).toEqual({ over: "moved" });
    expect(world.host("a").disk.bytesUsed).toBe(4096);
  }));

test("a file that was written anew and renamed is whole after any crash: the old one or the new", async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    await withWorld({ seed, files: { lostWrites: 0.5, tornWrites: 0.5 } }, async (world) => {
      const paths = await start(world, "file");
      const { guest } = paths;
      const written = must(await guest.open("/data/new", OPEN.WRITE | OPEN.CREATE));
      must(await guest.write(written, "new content"));
      must(await guest.submit({ op: OP.FSYNC, handle: written }));
      expect(await paths.rename("/data/new", "/data/file")).toBe(OK);
      crash(world);
      const after = found(world);
      expect(["file", "new content"]).toContain(after.file);
      expect(after.file === "file" ? after.new : "new content").toBe("new content");
      seen.add(Object.keys(after).join());
    });
  }
  expect([...seen].sort()).toEqual(["file", "file,new"]);
});

test("operations on one name are taken back from the last, and an exchange as a whole", async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    await withWorld({ seed, files: { lostWrites: 0.7 } }, async (world) => {
      const paths = await start(world, "a", "b");
      expect(await paths.rename("/data/a", "/data/b", RENAME.EXCHANGE)).toBe(OK);
      expect(await paths.rename("/data/b", "/data/c")).toBe(OK);
      expect(await paths.unlink("/data/a")).toBe(OK);
      crash(world);
      seen.add(JSON.stringify(found(world)));
    });
  }
  expect([...seen].sort()).toEqual(
    [{ c: "a" }, { a: "b", c: "a" }, { a: "b", b: "a" }, { a: "a", b: "b" }]
      .map((files) => JSON.stringify(files))
      .sort(),
  );
});

test("a sync of a directory keeps what was done in it, that of a file its names and their way", () =>
  withWorld({ files: { lostWrites: 1 } }, async (world) => {
    const paths = await start(world, "removed", "moved");
    const { guest } = paths;
    expect(await paths.unlink("/data/removed")).toBe(OK);
    await sync(guest, "/data");
    expect(await paths.mkdir("/data/deep")).toBe(OK);
    expect(await paths.mkdir("/data/lost")).toBe(OK);
    expect(await paths.rename("/data/moved", "/data/deep/moved")).toBe(OK);
    await sync(guest, "/data/deep/moved");
    crash(world);
    expect(world.host("a").disk.list("/data")).toEqual(["deep"]);
    expect(found(world, "/data/deep")).toEqual({ moved: "moved" });
  }));

test("what was removed gives its room to who needs it", () =>
  withWorld({ files: { diskBytesMax: 4 * 4096 } }, async (world) => {
    const paths = await start(world);
    const { guest } = paths;
    for (let round = 0; round < 10; round++) {
      const file = must(await guest.open("/data/file", OPEN.WRITE | OPEN.CREATE));
      expect(await guest.write(file, new Uint8Array(4 * 4096))).toBe(4 * 4096);
      must(await guest.close(file));
      expect(await paths.unlink("/data/file")).toBe(OK);
    }
  }));

test("times are the world's", () =>
  withWorld({ wallStartMs: 1_700_000_000_000, files: { latencyMs: 0 } }, async (world) => {
    const paths = await start(world, "file");
    await world.sleep(5000);
    const file = must(await paths.guest.open("/data/file", OPEN.WRITE));
    must(await paths.guest.write(file, "x"));
    const ns = (await paths.stat("/data/file")).modifiedNs - 1_700_000_000_000_000_000n;
    expect(ns).toBeGreaterThanOrEqual(5_000_000_000n);
    expect(ns).toBeLessThan(6_000_000_000n);
  }));

test("operations on paths fail with -EIO as the option says, and take the latency of the disk", () =>
  withWorld({ files: { latencyMs: 4 } }, async (world) => {
    const paths = await start(world, "file");
    const before = world.nowNs;
    expect(await paths.access("/data/file")).toBe(OK);
    expect(world.nowNs - before).toBe(4e6);
    world.configure({ files: { ioErrors: 1 } });
    expect(await paths.unlink("/data/file")).toBe("EIO");
    expect(found(world)).toEqual({ file: "file" });
    expect(errnoName(await paths.guest.submit({ op: OP.STAT }))).toBe("ENOENT");
  }));
