//! Laws of a simulated disk: what is there after a crash, when it is full, and when it fails.

import fc from "fast-check";
import { expect, test } from "vitest";
import { OP, OPEN } from "../../ts/abi.gen.ts";
import type { Grants } from "../../ts/host/backend.ts";
import type { World } from "../../ts/host/sim/world.ts";
import { errnoName, type Guest, must, pattern } from "../conformance/guest.ts";
import { guestOn, msOf, withWorld } from "./worlds.ts";

const GRANTS: Grants = { directories: [{ host: "/data", guest: "/data" }] };
const READ_WRITE_NEW = OPEN.READ | OPEN.WRITE | OPEN.CREATE;

async function guestWithDisk(world: World): Promise<Guest> {
  const host = world.host("a");
  host.disk.makeDirectory("/data");
  return guestOn(host, GRANTS);
}

const sync = async (guest: Guest, handle: number): Promise<number> =>
  guest.submit({ op: OP.FSYNC, handle });

function crash(world: World): void {
  world.host("a").crash();
  world.host("a").restart();
}

/** What a file can be after a crash, byte by byte, as its guest wrote and synced it. */
class Model {
  /** What is certain since the last sync. */
  #synced: number[] = [];
  /** By offset: what was written since. */
  readonly #since = new Map<number, Set<number>>();
  /** Lengths that it had since. */
  #lengths = new Set([0]);
  #now: number[] = [];

  write(offset: number, data: Uint8Array): void {
    for (let at = this.#now.length; at < offset; at++) this.#set(at, 0);
    data.forEach((byte, at) => void this.#set(offset + at, byte));
    for (let length = Math.min(...this.#lengths); length <= this.#now.length; length++) {
      this.#lengths.add(length);
    }
  }

  sync(): void {
    this.#synced = [...this.#now];
    this.#since.clear();
    this.#lengths = new Set([this.#now.length]);
  }

  /** Whether a crash can leave this. */
  allows(content: Uint8Array): boolean {
    const allowed = (byte: number, at: number): boolean =>
      byte === (this.#synced[at] ?? 0) || (this.#since.get(at)?.has(byte) ?? false);
    return this.#lengths.has(content.length) && [...content].every(allowed);
  }

  #set(at: number, byte: number): void {
    this.#now[at] = byte;
    const bytes = this.#since.get(at) ?? new Set();
    this.#since.set(at, bytes.add(byte));
  }
}

type Step =
  | { readonly what: "write"; readonly offset: number; readonly length: number }
  | { readonly what: "sync" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant("write" as const),
      offset: fc.nat(12_000),
      length: fc.integer({ min: 1, max: 6000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("sync" as const) }) },
);

test("after a crash a synced file has what was synced, or what was written to it since", () =>
  fc.assert(
    fc.asyncProperty(fc.string(), fc.array(step, { maxLength: 12 }), async (seed, steps) => {
      await withWorld({ seed, files: { lostWrites: 0.4, tornWrites: 0.5 } }, async (world) => {
        const guest = await guestWithDisk(world);
        const file = must(await guest.open("/data/file", READ_WRITE_NEW));
        const model = new Model();
        must(await sync(guest, file));
        for (const [index, { what, ...where }] of steps.entries()) {
          if (what === "sync") {
            must(await sync(guest, file));
            model.sync();
          } else {
            const { offset, length } = where as { offset: number; length: number };
            const data = pattern(length, index + 1);
            expect(await guest.pwrite(file, data, offset)).toBe(length);
            model.write(offset, data);
          }
        }
        crash(world);
        expect(model.allows(world.host("a").disk.readFile("/data/file"))).toBe(true);
      });
    }),
    { numRuns: 60 },
  ));

test("a crash loses, tears and keeps unsynced pages, as often as the options say", () =>
  withWorld({ files: { lostWrites: 0.3, tornWrites: 0.5 } }, async (world) => {
    const guest = await guestWithDisk(world);
    const file = must(await guest.open("/data/file", READ_WRITE_NEW));
    const pages = 1000;
    must(await guest.pwrite(file, new Uint8Array(200_000).fill(1), 0));
    for (let page = 0; page < pages; page++) {
      must(await guest.pwrite(file, new Uint8Array(4096).fill(1), page * 4096));
    }
    must(await sync(guest, file));
    for (let page = 0; page < pages; page++) {
      must(await guest.pwrite(file, new Uint8Array(4096).fill(2), page * 4096));
    }
    crash(world);
    const content = world.host("a").disk.readFile("/data/file");
    const found = { lost: 0, torn: 0, kept: 0 };
    for (let page = 0; page < pages; page++) {
      const twos = content.subarray(page * 4096, (page + 1) * 4096).filter((byte) => byte === 2);
      found[twos.length === 0 ? "lost" : twos.length === 4096 ? "kept" : "torn"]++;
    }
    expect(Math.abs(found.lost - 300)).toBeLessThan(90);
    expect(Math.abs(found.torn - 350)).toBeLessThan(90);
    expect(Math.abs(found.kept - 350)).toBeLessThan(90);
  }));

test("a file whose sync never came may be gone after a crash, or left with any of its bytes", () =>
  withWorld({ files: { lostWrites: 0.5 } }, async (world) => {
    const guest = await guestWithDisk(world);
    for (let index = 0; index < 200; index++) {
      const file = must(await guest.open(`/data/${index}`, READ_WRITE_NEW));
      must(await guest.write(file, "content"));
      if (index % 2 === 0) must(await sync(guest, file));
      must(await guest.close(file));
    }
    crash(world);
    const { disk } = world.host("a");
    const left = disk.list("/data").map(Number);
    const synced = left.filter((index) => index % 2 === 0);
    expect(synced).toHaveLength(100);
    for (const index of synced) expect(disk.size(`/data/${index}`)).toBe(7);
    expect(Math.abs(left.length - 150)).toBeLessThan(25);
  }));

test("the sync of a directory keeps the names in it", () =>
  withWorld({ files: { lostWrites: 1 } }, async (world) => {
    const guest = await guestWithDisk(world);
    must(await guest.open("/data/before", READ_WRITE_NEW));
    const directory = must(await guest.open("/data", OPEN.READ));
    must(await sync(guest, directory));
    must(await guest.open("/data/after", READ_WRITE_NEW));
    crash(world);
    expect(world.host("a").disk.list("/data")).toEqual(["before"]);
  }));

test("what the embedder wrote is there after a crash", () =>
  withWorld({ files: { lostWrites: 1 } }, async (world) => {
    const { disk } = world.host("a");
    disk.writeFile("/data/deep/file", pattern(10_000));
    disk.makeLink("deep/file", "/data/link");
    crash(world);
    expect(Buffer.compare(disk.readFile("/data/link"), pattern(10_000))).toBe(0);
    disk.remove("/data/deep");
    expect(disk.list("/data")).toEqual(["link"]);
    expect(disk.exists("/data/link")).toBe(false);
    expect(disk.bytesUsed).toBe(0);
  }));

test("a write that was under way at a crash has not happened", () =>
  withWorld({ files: { latencyMs: 10, lostWrites: 0 } }, async (world) => {
    const guest = await guestWithDisk(world);
    const file = must(await guest.open("/data/file", READ_WRITE_NEW));
    must(await sync(guest, file));
    const write = guest.start({ op: OP.PWRITE, handle: file, ...guest.put("late") });
    void write.result.catch(() => {});
    await world.sleep(5);
    crash(world);
    await world.sleep(100);
    expect(world.host("a").disk.size("/data/file")).toBe(0);
  }));

test("a full disk gives -ENOSPC, after the bytes that still fit", () =>
  withWorld({ files: { diskBytesMax: 4 * 4096 } }, async (world) => {
    const guest = await guestWithDisk(world);
    const file = must(await guest.open("/data/file", READ_WRITE_NEW));
    expect(await guest.pwrite(file, pattern(10_000), 0)).toBe(10_000);
    expect(await guest.pwrite(file, pattern(10_000), 10_000)).toBe(4 * 4096 - 10_000);
    expect(errnoName(await guest.pwrite(file, "x", 4 * 4096))).toBe("ENOSPC");
    // What is there can be written over, and read.
    expect(await guest.pwrite(file, "over", 0)).toBe(4);
    const other = must(await guest.open("/data/other", READ_WRITE_NEW));
    expect(errnoName(await guest.write(other, "x"))).toBe("ENOSPC");
    must(await guest.open("/data/file", OPEN.WRITE | OPEN.TRUNCATE));
    expect(await guest.write(other, "x")).toBe(1);
    expect(world.host("a").disk.bytesUsed).toBe(4096);
  }));

test("operations fail with -EIO as often as the option says, and then do nothing", () =>
  withWorld({}, async (world) => {
    const guest = await guestWithDisk(world);
    const file = must(await guest.open("/data/file", READ_WRITE_NEW));
    world.configure({ files: { ioErrors: 0.1 } });
    let failed = 0;
    let position = 0;
    for (let index = 0; index < 2000; index++) {
      const result = await guest.write(file, "12345");
      if (result < 0) failed++;
      else position += result;
      if (result < 0) expect(errnoName(result)).toBe("EIO");
    }
    expect(Math.abs(failed - 200)).toBeLessThan(85);
    expect(world.host("a").disk.size("/data/file")).toBe(position);
  }));

test("operations take the latency of the disk, a sync more", () =>
  withWorld({ files: { latencyMs: 4, syncMs: 6 } }, async (world) => {
    const guest = await guestWithDisk(world);
    let file = 0;
    const open = async (): Promise<void> => {
      file = must(await guest.open("/data/file", READ_WRITE_NEW));
    };
    expect(await msOf(world, open)).toBe(4);
    expect(await msOf(world, () => guest.pwrite(file, "x", 0))).toBe(4);
    expect(await msOf(world, () => sync(guest, file))).toBe(10);
    // Positioned operations run side by side, others one after the other.
    const many = (op: number): Promise<unknown> =>
      Promise.all([1, 2, 3].map(() => guest.submit({ op, handle: file, ...guest.put("x") })));
    expect(await msOf(world, () => many(OP.PWRITE))).toBe(4);
    expect(await msOf(world, () => many(OP.WRITE))).toBe(12);
  }));

test("permission bits hold for who opens a file again", () =>
  withWorld({}, async (world) => {
    const guest = await guestWithDisk(world);
    must(await guest.open("/data/file", READ_WRITE_NEW, 0o400));
    expect(errnoName(await guest.open("/data/file", OPEN.WRITE))).toBe("EACCES");
    must(await guest.open("/data/file", OPEN.READ));
  }));

test("what the embedder asks of a disk that is not there is an error by name", () =>
  withWorld({}, async (world) => {
    const { disk } = world.host("a");
    disk.writeFile("/file", "");
    const fails = (body: () => unknown): void => {
      expect(body).toThrow(expect.objectContaining({ code: "SF_IO", name: "StackfulError" }));
    };
    fails(() => disk.readFile("/missing"));
    fails(() => disk.list("/file"));
    fails(() => disk.readFile("/"));
    fails(() => disk.makeDirectory("/file/below"));
    fails(() => disk.makeLink("x", "/file"));
    fails(() => disk.remove("/missing"));
    fails(() => disk.remove("/"));
    fails(() => disk.writeFile(`/${"x".repeat(256)}`, ""));
  }));
