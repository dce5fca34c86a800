//! Laws of open files on a simulated disk: room, faults, crashes, and locks when their holders die.

import { expect, test } from "vitest";
import { LOCK, OP, OPEN } from "../../ts/abi.gen.ts";
import type { Grants } from "../../ts/host/backend.ts";
import type { World } from "../../ts/host/sim/world.ts";
import { errnoName, type Guest, must, pattern } from "../conformance/guest.ts";
import { guestOn, msOf, withWorld } from "./worlds.ts";

const GRANTS: Grants = { directories: [{ host: "/data", guest: "/data" }] };
const READ_WRITE_NEW = OPEN.READ | OPEN.WRITE | OPEN.CREATE;
const TEMPORARY = OPEN.READ | OPEN.WRITE | OPEN.TEMPORARY;

async function guestWithDisk(world: World): Promise<Guest> {
  const host = world.host("a");
  host.disk.makeDirectory("/data");
  return guestOn(host, GRANTS);
}

async function copy(guest: Guest, from: number, to: number, at: number): Promise<number> {
  const offsets = { offset: at, otherOffset: at, length: 1_000_000 };
  return guest.submit({ op: OP.COPY, handle: from, otherHandle: to, ...offsets });
}

test("a file without a name takes room until it is closed, or its host crashes", () =>
  withWorld({ files: { lostWrites: 0 } }, async (world) => {
    const guest = await guestWithDisk(world);
    const { disk } = world.host("a");
    const [one, two] = [
      must(await guest.open("/data", TEMPORARY)),
      must(await guest.open("/data", TEMPORARY)),
    ];
    for (const file of [one, two]) must(await guest.pwrite(file, pattern(10_000), 0));
    must(await guest.submit({ op: OP.FSYNC, handle: two }));
    expect(disk.bytesUsed).toBe(6 * 4096);
    expect(await guest.close(one)).toBe(0);
    expect(disk.bytesUsed).toBe(3 * 4096);
    world.host("a").crash();
    world.host("a").restart();
    expect({ names: disk.list("/data"), used: disk.bytesUsed }).toEqual({ names: [], used: 0 });
  }));

test("a file that was removed is there for who has it open", () =>
  withWorld({}, async (world) => {
    const guest = await guestWithDisk(world);
    const { disk } = world.host("a");
    disk.writeFile("/data/sub/file", "content");
    const file = must(await guest.open("/data/sub/file", OPEN.READ));
    const directory = must(await guest.open("/data/sub", OPEN.READ));
    disk.remove("/data/sub");
    expect(new TextDecoder().decode(await guest.pread(file, 16, 0))).toBe("content");
    expect(errnoName(await guest.openAt(directory, "file", OPEN.READ))).toBe("ENOENT");
    expect(disk.bytesUsed).toBe(4096);
    expect(await guest.close(file)).toBe(0);
    expect(disk.bytesUsed).toBe(0);
  }));

test("what was written with SYNC is there after a crash, and took the time of a sync", () =>
  withWorld({ files: { lostWrites: 1, latencyMs: 1, syncMs: 5 } }, async (world) => {
    const guest = await guestWithDisk(world);
    const synced = must(await guest.open("/data/synced", READ_WRITE_NEW | OPEN.SYNC));
    const plain = must(await guest.open("/data/plain", READ_WRITE_NEW));
    expect(await msOf(world, () => guest.write(synced, "kept"))).toBe(6);
    expect(await msOf(world, () => guest.write(plain, "lost"))).toBe(1);
    const from = must(await guest.open("/data/plain", OPEN.READ));
    const more = { offset: 0, otherOffset: 4, length: 100 };
    const copying = { op: OP.COPY, handle: from, otherHandle: synced, ...more };
    expect(await msOf(world, () => guest.submit(copying))).toBe(6);
    world.host("a").crash();
    world.host("a").restart();
    const { disk } = world.host("a");
    expect(disk.list("/data")).toEqual(["synced"]);
    expect(new TextDecoder().decode(disk.readFile("/data/synced"))).toBe("keptlost");
  }));

test("copies are short as often as the options say, and lose nothing", () =>
  withWorld({ files: { shortReads: 0.5, shortWrites: 0.5 } }, async (world) => {
    const guest = await guestWithDisk(world);
    const { disk } = world.host("a");
    const content = pattern(300_000);
    disk.writeFile("/data/from", content);
    const from = must(await guest.open("/data/from", OPEN.READ));
    const to = must(await guest.open("/data/to", READ_WRITE_NEW));
    let pieces = 0;
    for (let done = 0; done < content.length; pieces++) {
      const count = must(await copy(guest, from, to, done));
      expect(count).toBeGreaterThan(0);
      done += count;
    }
    expect(pieces).toBeGreaterThan(3);
    expect(Buffer.compare(disk.readFile("/data/to"), content)).toBe(0);
  }));

test("a copy onto a full disk gives -ENOSPC, after the bytes that still fit", () =>
  withWorld({ files: { diskBytesMax: 5 * 4096 } }, async (world) => {
    const guest = await guestWithDisk(world);
    world.host("a").disk.writeFile("/data/from", pattern(3 * 4096));
    const from = must(await guest.open("/data/from", OPEN.READ));
    const to = must(await guest.open("/data/to", READ_WRITE_NEW));
    expect(await copy(guest, from, to, 0)).toBe(2 * 4096);
    expect(errnoName(await copy(guest, from, to, 2 * 4096))).toBe("ENOSPC");
  }));

test("ALLOCATE takes all of its room or none", () =>
  withWorld({ files: { diskBytesMax: 4 * 4096 } }, async (world) => {
    const guest = await guestWithDisk(world);
    const { disk } = world.host("a");
    const handle = must(await guest.open("/data/file", READ_WRITE_NEW));
    const allocate = (otherOffset: number | bigint): Promise<number> =>
      guest.submit({ op: OP.ALLOCATE, handle, otherOffset });
    expect(errnoName(await allocate(5 * 4096))).toBe("ENOSPC");
    expect(errnoName(await allocate(2n ** 43n))).toBe("ENOSPC");
    expect({ used: disk.bytesUsed, size: disk.size("/data/file") }).toEqual({ used: 0, size: 0 });
    expect(await allocate(4 * 4096)).toBe(0);
    const other = must(await guest.open("/data/other", READ_WRITE_NEW));
    expect(errnoName(await guest.write(other, "x"))).toBe("ENOSPC");
    expect(await guest.pwrite(handle, pattern(4 * 4096), 0)).toBe(4 * 4096);
  }));

test("operations on open files fail with -EIO as often as the option says", () =>
  withWorld({}, async (world) => {
    const guest = await guestWithDisk(world);
    world.host("a").disk.writeFile("/data/from", "content");
    const from = must(await guest.open("/data/from", OPEN.READ));
    const to = must(await guest.open("/data/to", READ_WRITE_NEW));
    const directory = must(await guest.open("/data", OPEN.READ));
    const list = { op: OP.READ_DIRECTORY, handle: directory, argument: 1 };
    world.configure({ files: { ioErrors: 0.2 } });
    let failed = 0;
    for (let index = 0; index < 500; index++) {
      const read = guest.submit({ ...list, ...guest.put(new Uint8Array(256)) });
      for (const result of [await copy(guest, from, to, 0), await read]) {
        if (result >= 0) continue;
        expect(errnoName(result)).toBe("EIO");
        failed++;
      }
    }
    expect(Math.abs(failed - 200)).toBeLessThan(85);
  }));

test("who dies gives its locks back, and those who wait get them in the order of asking", () =>
  withWorld({}, async (world) => {
    const holder = await guestWithDisk(world);
    const host = world.host("a");
    host.disk.writeFile("/data/file", "");
    const lock = async (guest: Guest): Promise<Promise<number>[]> => {
      const handle = must(await guest.open("/data/file", OPEN.READ));
      return [guest.submit({ op: OP.LOCK, handle, argument: LOCK.EXCLUSIVE })];
    };
    expect(await (await lock(holder))[0]).toBe(0);
    const waiting = await guestOn(host, GRANTS);
    const order: number[] = [];
    const asked = [];
    for (let index = 0; index < 3; index++) {
      const [got] = await lock(waiting);
      asked.push(got!.then(() => order.push(index)));
    }
    await world.sleep(100);
    expect(order).toEqual([]);
    await holder.backend[Symbol.asyncDispose]();
    await asked[0];
    expect(order).toEqual([0]);
    await waiting.backend[Symbol.asyncDispose]();
  }));
