//! Laws of READ_DIRECTORY: every entry once, at any size of the buffer.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { DIRECTORY_ENTRY, FILE_KIND, OP, OPEN } from "../../ts/abi.gen.ts";
import type { BackendName } from "../../ts/host/backend.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { errnoName, type Guest, must, text } from "./guest.ts";
import { NO_FOLLOW, PathGuest } from "./path-guest.ts";

const DIRECTORY = OPEN.READ | OPEN.DIRECTORY;

/** Holds any entry. */
const ANY_ENTRY_BYTES = 288;

/** node:fs has them only in a stat of each entry, which would be a call for each. */
const WITHOUT_INODES: readonly BackendName[] = ["node", "deno"];

interface Entry {
  readonly name: string;
  readonly inode: bigint;
  readonly kind: number;
}

export function directoryLaws(law: Law): void {
  law("READ_DIRECTORY gives every entry once, and then nothing", async (bench) => {
    const { guest } = bench;
    const names = await fill(bench, 200);
    const directory = must(await guest.open("/data", DIRECTORY));
    for (const bytes of [65_536, 4096, ANY_ENTRY_BYTES]) {
      const entries = await readAll(guest, directory, bytes);
      expect(entries.map(({ name }) => name).sort()).toEqual(names);
      expect(await readSome(guest, directory, bytes, 0)).toEqual([]);
    }
  });

  law("entries have their kinds", async (bench) => {
    const { guest, files, data } = bench;
    await files.makeDirectory(join(data, "directory"));
    await files.write(join(data, "file"), "");
    await files.makeLink("file", join(data, "link"));
    const directory = must(await guest.open("/data", DIRECTORY));
    const kinds = new Map(
      (await readAll(guest, directory, 4096)).map(({ name, kind }) => [name, kind]),
    );
    expect(kinds).toEqual(
      new Map([
        ["directory", FILE_KIND.DIRECTORY],
        ["file", FILE_KIND.REGULAR],
        ["link", FILE_KIND.SYMLINK],
      ]),
    );
  });

  law("an entry's inode is what STAT says, or 0 where the host does not say it", async (bench) => {
    const { guest, files, data, name } = bench;
    await files.makeDirectory(join(data, "directory"));
    await files.write(join(data, "file"), "");
    await files.makeLink("file", join(data, "link"));
    const directory = must(await guest.open("/data", DIRECTORY));
    const entries = await readAll(guest, directory, 4096);
    expect(entries).toHaveLength(3);
    const paths = new PathGuest(guest);
    for (const entry of entries) {
      const { inode } = await paths.stat(`/data/${entry.name}`, NO_FOLLOW);
      expect(entry.inode).toBe(WITHOUT_INODES.includes(name) ? 0n : inode);
    }
  });

  law("an empty directory has no entries", async ({ guest }) => {
    const directory = must(await guest.open("/data", DIRECTORY));
    expect(await readAll(guest, directory, 4096)).toEqual([]);
    expect(await readSome(guest, directory, ANY_ENTRY_BYTES, 0)).toEqual([]);
  });

  law("a buffer that holds no entry gives -EINVAL, and loses none", async (bench) => {
    const { guest, files, data } = bench;
    const long = "n".repeat(255);
    for (const name of ["a", "bb", long]) await files.write(join(data, name), "");
    const directory = must(await guest.open("/data", DIRECTORY));
    const seen: string[] = [];
    let restart = 1;
    for (let bytes = 0; seen.length < 3; bytes += 8) {
      if (bytes > ANY_ENTRY_BYTES) throw new Error(`only ${seen} in ${bytes} bytes`);
      const entries = await readSome(guest, directory, bytes, restart);
      if (typeof entries === "string") {
        expect(entries).toBe("EINVAL");
        continue;
      }
      restart = 0;
      seen.push(...entries.map(({ name }) => name));
    }
    expect(seen.sort()).toEqual(["a", "bb", long]);
  });

  law("a restart in the middle begins anew, and sees what came", async (bench) => {
    const { guest, files, data } = bench;
    const names = await fill(bench, 20);
    const directory = must(await guest.open("/data", DIRECTORY));
    await readSome(guest, directory, ANY_ENTRY_BYTES, 1);
    await files.write(join(data, "new"), "");
    const entries = await readAll(guest, directory, ANY_ENTRY_BYTES);
    expect(entries.map(({ name }) => name).sort()).toEqual([...names, "new"].sort());
  });

  law("two handles of a directory are read apart", async (bench) => {
    const { guest } = bench;
    const names = await fill(bench, 20);
    const one = must(await guest.open("/data", DIRECTORY));
    const two = must(await guest.open("/data", DIRECTORY));
    await readSome(guest, one, ANY_ENTRY_BYTES, 1);
    const entries = await readAll(guest, two, ANY_ENTRY_BYTES);
    expect(entries.map(({ name }) => name).sort()).toEqual(names);
  });

  law("READ_DIRECTORYs outstanding on one handle give each entry once", async (bench) => {
    const { guest } = bench;
    const names = await fill(bench, 40);
    const directory = must(await guest.open("/data", DIRECTORY));
    const reads = Array.from({ length: 60 }, () => readSome(guest, directory, ANY_ENTRY_BYTES, 0));
    const seen = (await Promise.all(reads)).flatMap((entries) => entries as Entry[]);
    expect(seen.map(({ name }) => name).sort()).toEqual(names);
  });

  law("READ_DIRECTORY refuses what is no directory, and wild arguments", async (bench) => {
    const { guest, files, data } = bench;
    await files.write(join(data, "file"), "");
    const handle = must(await guest.open("/data", DIRECTORY));
    const tried = async (rest: object): Promise<string> => {
      const read = { op: OP.READ_DIRECTORY, handle, ...guest.put(new Uint8Array(512)) };
      return errnoName(await guest.submit({ ...read, ...rest }));
    };
    expect(await tried({ handle: must(await guest.open("/data/file", OPEN.READ)) })).toBe(
      "ENOTDIR",
    );
    expect(await tried({ handle: (await guest.pair()).client })).toBe("ENOTDIR");
    for (const argument of [2, 0xffff_ffff]) expect(await tried({ argument })).toBe("EINVAL");
    expect(await tried({ length: 0 })).toBe("EINVAL");
    const end = guest.memory.buffer.byteLength;
    expect(await tried({ pointer: end - 511 })).toBe("EFAULT");
    expect(await tried({ pointer: 0xffff_ff00, length: 0xffff_ffff })).toBe("EFAULT");
  });

  law("a READ_DIRECTORY in flight while the memory grows fills its buffer", async (bench) => {
    const { guest } = bench;
    const names = await fill(bench, 10);
    const directory = must(await guest.open("/data", DIRECTORY));
    const reading = readSome(guest, directory, 4096, 1);
    guest.turn();
    guest.grow(2);
    expect(((await reading) as Entry[]).map(({ name }) => name).sort()).toEqual(names);
  });
}

/** Sorted. */
async function fill({ files, data }: Bench, count: number): Promise<string[]> {
  const names = Array.from(
    { length: count },
    (_, index) => `entry-${"x".repeat(index % 50)}${index}`,
  );
  for (const name of names) await files.write(join(data, name), "");
  return names.sort();
}

/** From the start to the end. */
async function readAll(guest: Guest, handle: number, bytes: number): Promise<Entry[]> {
  const out: Entry[] = [];
  for (let restart = 1; ; restart = 0) {
    const entries = await readSome(guest, handle, bytes, restart);
    if (typeof entries === "string") throw new Error(entries);
    if (entries.length === 0) return out;
    out.push(...entries);
  }
}

/** One READ_DIRECTORY: its entries, or its errno. */
async function readSome(
  guest: Guest,
  handle: number,
  bytes: number,
  argument: number,
): Promise<Entry[] | string> {
  const pointer = guest.alloc(Math.max(bytes, 8));
  const read = { op: OP.READ_DIRECTORY, handle, pointer, length: bytes, argument };
  const filled = await guest.submit(read);
  if (filled < 0) return errnoName(filled);
  const out: Entry[] = [];
  for (let at = pointer; at < pointer + filled; ) {
    const recordBytes = guest.view.getUint16(at + DIRECTORY_ENTRY.recordBytes, true);
    const nameBytes = guest.view.getUint8(at + DIRECTORY_ENTRY.nameBytes);
    expect(recordBytes % 8).toBe(0);
    expect(DIRECTORY_ENTRY.size + nameBytes).toBeLessThanOrEqual(recordBytes);
    out.push({
      name: text(guest.bytes(at + DIRECTORY_ENTRY.size, nameBytes)),
      inode: guest.view.getBigUint64(at + DIRECTORY_ENTRY.inode, true),
      kind: guest.view.getUint8(at + DIRECTORY_ENTRY.kind),
    });
    at += recordBytes;
  }
  return out;
}
