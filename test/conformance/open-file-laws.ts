//! Laws of operations on open files that need more than a buffer: vectors at offsets, the position, room,
//! locks.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { LOCK, OP, OPEN, SEEK } from "../../ts/abi.gen.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { errnoName, Guest, must, pattern, text } from "./guest.ts";
import { needing } from "./needing.ts";

const READ_WRITE_NEW = OPEN.READ | OPEN.WRITE | OPEN.CREATE;

export function openFileLaws(law: Law): void {
  vectorLaws(law);
  seekLaws(law);
  allocateLaws(needing(law, "ALLOCATE"));
  lockLaws(needing(law, "LOCK"));
}

function vectorLaws(law: Law): void {
  law("PWRITEV gathers and PREADV scatters at an offset, empty pieces too", async (bench) => {
    const { guest, files, data } = bench;
    const handle = must(await guest.open("/data/file", READ_WRITE_NEW));
    expect(await guest.write(handle, "0123456789")).toBe(10);
    const out = [guest.put("ab"), guest.put(""), guest.put("cde")];
    const write = { op: OP.PWRITEV, handle, pointer: guest.iovecs(out), length: 3, offset: 2 };
    let written = must(await guest.submit(write));
    expect(written).toBeGreaterThan(0);
    if (written < 5)
      written += must(await guest.pwrite(handle, "abcde".slice(written), 2 + written));
    expect(written).toBe(5);
    expect(await files.readText(join(data, "file"))).toBe("01abcde789");
    const pieces = [guest.put("___"), guest.put(""), guest.put("____")];
    const read = { op: OP.PREADV, handle, pointer: guest.iovecs(pieces), length: 3, offset: 1 };
    const count = must(await guest.submit(read));
    const all = pieces.map(({ pointer, length }) => text(guest.bytes(pointer, length))).join("");
    expect(all).toBe("1abcde7".slice(0, count).padEnd(7, "_"));
  });

  law("PREADV and PWRITEV leave the position alone", async ({ guest, files, data }) => {
    await files.write(join(data, "file"), "0123456789");
    const handle = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE));
    const vector = { handle, pointer: guest.iovecs([guest.put("x")]), length: 1, offset: 9 };
    expect(await guest.submit({ op: OP.PWRITEV, ...vector })).toBe(1);
    expect(await guest.submit({ op: OP.PREADV, ...vector })).toBe(1);
    expect(text(await guest.read(handle, 1))).toBe("0");
  });

  law("vectors at offsets: the end, nothing, and what cannot be", async ({ guest }) => {
    const handle = must(await guest.open("/data/file", READ_WRITE_NEW));
    const { client } = await guest.pair();
    const vector = { pointer: guest.iovecs([guest.put("....")]), length: 1 };
    const end = guest.memory.buffer.byteLength;
    for (const op of [OP.PREADV, OP.PWRITEV]) {
      const tried = async (rest: object): Promise<string> =>
        errnoName(await guest.submit({ op, handle, ...vector, ...rest }));
      expect(await tried({ length: 0, offset: 100 })).toBe("0");
      expect(await tried({ offset: -1n })).toBe("EINVAL");
      expect(await tried({ offset: -(2n ** 63n) })).toBe("EINVAL");
      expect(await tried({ length: 65 })).toBe("EINVAL");
      expect(await tried({ pointer: end - 4 })).toBe("EFAULT");
      expect(await tried({ pointer: guest.iovecs([{ pointer: end - 1, length: 2 }]) })).toBe(
        "EFAULT",
      );
      expect(await tried({ handle: client })).toBe("ESPIPE");
    }
    expect(await guest.submit({ op: OP.PREADV, handle, ...vector, offset: 2n ** 40n })).toBe(0);
    const reader = must(await guest.open("/data/file", OPEN.READ));
    const refused = await guest.submit({ op: OP.PWRITEV, handle: reader, ...vector });
    expect(errnoName(refused)).toBe("EBADF");
  });

  law("PREADVs in flight while the memory grows move their bytes", async (bench) => {
    const { guest, files, data } = bench;
    await files.write(join(data, "file"), pattern(4096));
    const handle = must(await guest.open("/data/file", OPEN.READ));
    const into = Array.from({ length: 32 }, () => guest.put(new Uint8Array(64)));
    const started = into.map((piece, index) => {
      const vector = { pointer: guest.iovecs([piece]), length: 1, offset: index * 64 };
      return guest.submit({ op: OP.PREADV, handle, ...vector });
    });
    guest.turn();
    guest.grow(2);
    const counts = await Promise.all(started);
    counts.forEach((count, index) => {
      const expected = pattern(4096).subarray(index * 64, index * 64 + must(count));
      expect(Buffer.compare(guest.bytes(into[index]!.pointer, count), expected)).toBe(0);
    });
  });
}

async function seek(
  guest: Guest,
  handle: number,
  argument: number,
  offset: number | bigint,
): Promise<bigint | string> {
  const otherPointer = guest.alloc(8);
  const result = await guest.submit({ op: OP.SEEK, handle, argument, offset, otherPointer });
  return result < 0 ? errnoName(result) : guest.view.getBigInt64(otherPointer, true);
}

function seekLaws(law: Law): void {
  law("SEEK moves the position of READ and WRITE", async ({ guest, files, data }) => {
    await files.write(join(data, "file"), "0123456789");
    const file = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE));
    expect(await seek(guest, file, SEEK.CURRENT, 0)).toBe(0n);
    expect(text(await guest.read(file, 1))).toBe("0");
    expect(await seek(guest, file, SEEK.CURRENT, 0)).toBe(1n);
    expect(await seek(guest, file, SEEK.START, 7)).toBe(7n);
    expect(text(await guest.read(file, 1))).toBe("7");
    expect(await seek(guest, file, SEEK.CURRENT, -3)).toBe(5n);
    expect(text(await guest.read(file, 1))).toBe("5");
    expect(await seek(guest, file, SEEK.END, -1)).toBe(9n);
    expect(await guest.write(file, "x")).toBe(1);
    expect(await seek(guest, file, SEEK.END, 5n * 2n ** 30n)).toBe(5n * 2n ** 30n + 10n);
    expect(await guest.read(file, 8)).toHaveLength(0);
    expect(await files.readText(join(data, "file"))).toBe("012345678x");
  });

  law("a SEEK happens after the READs before it and before those behind it", async (bench) => {
    const { guest, files, data } = bench;
    await files.write(join(data, "file"), "0123456789");
    const file = must(await guest.open("/data/file", OPEN.READ));
    const results = await Promise.all([
      guest.read(file, 1),
      seek(guest, file, SEEK.CURRENT, 4),
      guest.read(file, 1),
      seek(guest, file, SEEK.END, -2),
      guest.read(file, 1),
    ]);
    const told = results.map((result) => (result instanceof Uint8Array ? text(result) : result));
    expect(told).toEqual(["0", 5n, "5", 8n, "8"]);
  });

  law("after a WRITE that appends, the position is the end", async ({ guest, files, data }) => {
    await files.write(join(data, "file"), "abc");
    const flags = OPEN.READ | OPEN.WRITE | OPEN.APPEND;
    const file = must(await guest.open("/data/file", flags));
    expect(text(await guest.read(file, 1))).toBe("a");
    expect(await guest.write(file, "d")).toBe(1);
    expect(await seek(guest, file, SEEK.CURRENT, 0)).toBe(4n);
  });

  law("SEEK to below 0, or where nothing has a position, changes nothing", async (bench) => {
    const { guest, files, data } = bench;
    await files.write(join(data, "file"), "0123456789");
    const file = must(await guest.open("/data/file", OPEN.READ));
    expect(await seek(guest, file, SEEK.START, 3)).toBe(3n);
    expect(await seek(guest, file, SEEK.START, -1)).toBe("EINVAL");
    expect(await seek(guest, file, SEEK.CURRENT, -4)).toBe("EINVAL");
    expect(await seek(guest, file, SEEK.END, -11)).toBe("EINVAL");
    expect(await seek(guest, file, SEEK.START, -(2n ** 63n))).toBe("EINVAL");
    for (const whence of [3, 0xffff_ffff])
      expect(await seek(guest, file, whence, 0)).toBe("EINVAL");
    const out = { otherPointer: guest.memory.buffer.byteLength - 7 };
    expect(errnoName(await guest.submit({ op: OP.SEEK, handle: file, ...out }))).toBe("EFAULT");
    expect(await seek(guest, file, SEEK.CURRENT, 0)).toBe(3n);
    const { client, listener } = await guest.pair();
    const { handle: udp } = await guest.udp();
    for (const handle of [client, listener, udp]) {
      expect(await seek(guest, handle, SEEK.START, 0)).toBe("ESPIPE");
    }
    const directory = must(await guest.open("/data", OPEN.READ));
    expect(await seek(guest, directory, SEEK.START, 0)).toBe("EISDIR");
  });
}

function allocateLaws(law: Law): void {
  law("ALLOCATE makes a file as long as its room, of zeros", async ({ guest, files, data }) => {
    const handle = must(await guest.open("/data/file", READ_WRITE_NEW));
    expect(await guest.pwrite(handle, "kept", 0)).toBe(4);
    const allocate = { op: OP.ALLOCATE, handle, offset: 2, otherOffset: 10_000 };
    expect(await guest.submit(allocate)).toBe(0);
    const content = await files.read(join(data, "file"));
    expect(text(content.subarray(0, 4))).toBe("kept");
    expect(content).toHaveLength(10_002);
    expect(content.subarray(4).every((byte) => byte === 0)).toBe(true);
    expect(await guest.submit({ ...allocate, otherOffset: 5 })).toBe(0);
    expect(await files.read(join(data, "file"))).toHaveLength(10_002);
  });

  law("ALLOCATE of nothing, backwards, or of what cannot be written to", async ({ guest }) => {
    const handle = must(await guest.open("/data/file", READ_WRITE_NEW));
    const tried = async (rest: object): Promise<string> => {
      const allocate = { op: OP.ALLOCATE, handle, offset: 0, otherOffset: 10 };
      return errnoName(await guest.submit({ ...allocate, ...rest }));
    };
    expect(await tried({ otherOffset: 0 })).toBe("EINVAL");
    expect(await tried({ otherOffset: -1n })).toBe("EINVAL");
    expect(await tried({ offset: -1n })).toBe("EINVAL");
    expect(await tried({ offset: 2n ** 62n, otherOffset: 2n ** 62n })).toBe("EFBIG");
    expect(await tried({ handle: (await guest.pair()).client })).toBe("ESPIPE");
    expect(await tried({ handle: must(await guest.open("/data", OPEN.READ)) })).toBe("EISDIR");
    expect(await tried({ handle: must(await guest.open("/data/file", OPEN.READ)) })).toBe("EBADF");
  });
}

function lockLaws(law: Law): void {
  const lock = (guest: Guest, handle: number, argument: number): Promise<number> =>
    guest.submit({ op: OP.LOCK, handle, argument });

  const twoHandles = async ({ guest, files, data }: Bench): Promise<[number, number]> => {
    await files.write(join(data, "file"), "");
    const open = (): Promise<number> => guest.open("/data/file", OPEN.READ | OPEN.WRITE);
    return [must(await open()), must(await open())];
  };

  law("many share a lock, and one excludes all others", async (bench) => {
    const { guest } = bench;
    const [one, two] = await twoHandles(bench);
    for (const handle of [one, two]) expect(await lock(guest, handle, LOCK.SHARED)).toBe(0);
    expect(errnoName(await lock(guest, two, LOCK.EXCLUSIVE | LOCK.TRY))).toBe("EAGAIN");
    expect(await lock(guest, two, LOCK.NONE)).toBe(0);
    expect(await lock(guest, one, LOCK.EXCLUSIVE)).toBe(0);
    for (const how of [LOCK.SHARED, LOCK.EXCLUSIVE]) {
      expect(errnoName(await lock(guest, two, how | LOCK.TRY))).toBe("EAGAIN");
    }
    expect(await lock(guest, one, LOCK.SHARED)).toBe(0);
    expect(await lock(guest, two, LOCK.SHARED | LOCK.TRY)).toBe(0);
  });

  law("a LOCK waits until the other handle gives it back, or is closed", async (bench) => {
    const { guest } = bench;
    const [one, two] = await twoHandles(bench);
    expect(await lock(guest, one, LOCK.EXCLUSIVE)).toBe(0);
    const given: string[] = [];
    const waiting = lock(guest, two, LOCK.EXCLUSIVE).then((result) => given.push(`two ${result}`));
    await guest.roundTrip(await guest.pair());
    expect(given).toEqual([]);
    expect(await lock(guest, one, LOCK.NONE)).toBe(0);
    await waiting;
    const again = lock(guest, one, LOCK.SHARED).then((result) => given.push(`one ${result}`));
    await guest.roundTrip(await guest.pair());
    expect(given).toEqual(["two 0"]);
    expect(await guest.close(two)).toBe(0);
    await again;
    expect(given).toEqual(["two 0", "one 0"]);
  });

  law("LOCKs that wait hold up no other file", async (bench) => {
    const { guest, files, data } = bench;
    const [holder] = await twoHandles(bench);
    expect(await lock(guest, holder, LOCK.EXCLUSIVE)).toBe(0);
    const handles = await Promise.all(
      Array.from({ length: 100 }, () => guest.open("/data/file", OPEN.READ)),
    );
    const waiting = handles.map((handle) => lock(guest, must(handle), LOCK.SHARED));
    const other = must(await guest.open("/data/other", READ_WRITE_NEW));
    expect(await guest.pwrite(other, "goes on", 0)).toBe(7);
    expect(await guest.submit({ op: OP.FSYNC, handle: other })).toBe(0);
    expect(await files.readText(join(data, "other"))).toBe("goes on");
    expect(await lock(guest, holder, LOCK.NONE)).toBe(0);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([0]));
  });

  law("a LOCK that was canceled is not held; one that is closed gives -EBADF", async (bench) => {
    const { guest } = bench;
    const [one, two] = await twoHandles(bench);
    expect(await lock(guest, one, LOCK.EXCLUSIVE)).toBe(0);
    const waiting = guest.start({ op: OP.LOCK, handle: two, argument: LOCK.SHARED });
    await guest.roundTrip(await guest.pair());
    guest.cancel(waiting.token);
    expect(errnoName(await waiting.result)).toBe("ECANCELED");
    expect(await lock(guest, one, LOCK.NONE)).toBe(0);
    expect(await lock(guest, one, LOCK.EXCLUSIVE | LOCK.TRY)).toBe(0);
    const closed = lock(guest, two, LOCK.EXCLUSIVE);
    await guest.roundTrip(await guest.pair());
    expect(await guest.close(two)).toBe(0);
    expect(errnoName(await closed)).toBe("EBADF");
    expect(await lock(guest, one, LOCK.NONE)).toBe(0);
  });

  law("a lock is of the open file: another runtime waits for it too", async (bench) => {
    const { guest, open, data } = bench;
    const [one] = await twoHandles(bench);
    expect(await lock(guest, one, LOCK.EXCLUSIVE)).toBe(0);
    const grants = { directories: [{ host: data, guest: "/data" }] };
    await using backend = await open({ grants, handlesMax: 16 });
    const other = new Guest(backend);
    const two = must(await other.open("/data/file", OPEN.READ));
    expect(errnoName(await lock(other, two, LOCK.SHARED | LOCK.TRY))).toBe("EAGAIN");
    const waiting = lock(other, two, LOCK.SHARED);
    await guest.roundTrip(await guest.pair());
    expect(await lock(guest, one, LOCK.NONE)).toBe(0);
    expect(await waiting).toBe(0);
    expect(errnoName(await lock(guest, one, LOCK.EXCLUSIVE | LOCK.TRY))).toBe("EAGAIN");
    expect(await other.close(two)).toBe(0);
  });

  law("directories have locks, sockets none, and there are no others", async (bench) => {
    const { guest } = bench;
    const directory = must(await guest.open("/data", OPEN.READ));
    expect(await lock(guest, directory, LOCK.EXCLUSIVE)).toBe(0);
    const again = must(await guest.open("/data", OPEN.READ));
    expect(errnoName(await lock(guest, again, LOCK.SHARED | LOCK.TRY))).toBe("EAGAIN");
    for (const how of [3, 7, 8, 0xffff_ffff]) {
      expect(errnoName(await lock(guest, directory, how))).toBe("EINVAL");
    }
    const { client } = await guest.pair();
    expect(errnoName(await lock(guest, client, LOCK.SHARED))).toBe("EINVAL");
  });
}
