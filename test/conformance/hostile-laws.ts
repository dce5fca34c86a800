//! Laws against a guest that is broken or hostile: whatever it writes, the host goes on, reaches
//! nothing outside the guest's memory, and answers every submission once.

import { expect } from "vitest";
import { ADDRESS, OP, OPEN, SUBMISSION } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, type Guest, must, pattern } from "./guest.ts";
import { RING_INDICES } from "./ring-driver.ts";

const ON_HANDLES = [
  OP.ACCEPT,
  OP.READ,
  OP.WRITE,
  OP.READV,
  OP.WRITEV,
  OP.SHUTDOWN,
  OP.CLOSE,
  OP.PREAD,
  OP.PWRITE,
  OP.FSYNC,
  OP.LOCAL_ADDRESS,
  OP.PEER_ADDRESS,
  OP.SEND_TO,
  OP.RECEIVE_FROM,
  OP.PREADV,
  OP.PWRITEV,
  OP.SEEK,
  OP.READ_DIRECTORY,
  OP.COPY,
  OP.SEND_FILE,
  OP.ALLOCATE,
  OP.LOCK,
  OP.SET_OPTION,
  OP.GET_OPTION,
  OP.MEMBERSHIP,
  OP.UDP_CONNECT,
  OP.SEND_BATCH,
  OP.RECEIVE_BATCH,
  OP.UNIX_SEND_TO,
  OP.SEND_HANDLE,
  OP.RECEIVE_HANDLE,
  OP.POLL,
  OP.TERMINAL_SIZE,
  OP.TERMINAL_MODE,
];

const OPCODE_MAX = Math.max(...Object.values(OP));

export function hostileLaws(law: Law): void {
  recordLaws(law);
  pointerLaws(law);
  ringLaws(law);
}

function recordLaws(law: Law): void {
  law("an unknown operation gives -ENOSYS, whatever else is in it", async ({ guest }) => {
    for (const op of [0, OPCODE_MAX + 1, OPCODE_MAX + 2, 255, 256, 0x7fff, 0x8000, 0xffff]) {
      const record = { op, handle: -1, pointer: 0xffff_ffff, length: 0xffff_ffff };
      expect(errnoName(await guest.submit(record))).toBe("ENOSYS");
    }
  });

  law("a forged handle gives -EBADF with every operation", async ({ guest, backend }) => {
    const { client, server, listener } = await guest.pair();
    const near = [client, server, listener].flatMap((handle) => [
      handle + 1000,
      handle ^ (1 << 20),
      handle ^ (1 << 30),
      handle | (1 << 31),
    ]);
    const forged = [0, 1, 2, 3, -1, -2, 0x7fff_ffff, -0x8000_0000, 0xfffff, ...near];
    const pointer = guest.alloc(64);
    for (const handle of forged) {
      for (const op of ON_HANDLES) {
        const wanted = backend.capability(op) === "unsupported" ? "ENOSYS" : "EBADF";
        const result = await guest.submit({ op, handle, pointer, length: 1 });
        expect(`${op} ${handle}: ${errnoName(result)}`).toBe(`${op} ${handle}: ${wanted}`);
        const empty = await guest.submit({ op, handle, pointer, length: 0 });
        expect(errnoName(empty)).toBe(wanted);
      }
    }
  });

  // Goal: no record makes a turn throw, and every one that is not a CANCEL completes.
  // Method: records of pseudo-random bytes, most with an operation code that exists.
  law("rubbish records complete, each once", async ({ guest, backend }) => {
    const random = pattern(4000 * SUBMISSION.size, 20_251);
    const tokens = new Map<number, number>();
    for (let index = 0; index < 4000; index++) {
      const record = random.slice(index * SUBMISSION.size, (index + 1) * SUBMISSION.size);
      const view = new DataView(record.buffer);
      if (index % 8 !== 0) view.setUint16(SUBMISSION.op, record[0]! % (OPCODE_MAX + 1), true);
      // No endpoints all over the host: those addresses have laws of their own.
      const op = view.getUint16(SUBMISSION.op, true);
      if (op === OP.LISTEN || op === OP.CONNECT || op === OP.UDP_BIND)
        view.setUint32(SUBMISSION.pointer, 0xffff_fff0, true);
      view.setUint32(SUBMISSION.token, index, true);
      if (op !== OP.CANCEL) tokens.set(index, 1);
      guest.addRaw(record);
    }
    await settled(guest);
    const seen = new Map<number, number>();
    for (const { token, result } of guest.log) {
      seen.set(token, (seen.get(token) ?? 0) + 1);
      expect(result).toBeLessThan(0);
    }
    tokens.set(0, tokens.get(0) ?? 0);
    for (const [token, times] of tokens) expect(seen.get(token) ?? 0).toBe(times);
    expect(backend.pending).toBe(0);
  });
}

function pointerLaws(law: Law): void {
  law("a buffer that does not fit the memory gives -EFAULT", async ({ guest }) => {
    const { client } = await guest.pair();
    const file = must(await guest.open("/data/f", OPEN.READ | OPEN.WRITE | OPEN.CREATE));
    const end = guest.memory.buffer.byteLength;
    const wild: [number, number][] = [
      [end, 1],
      [end - 1, 2],
      [0, end + 1],
      [0xffff_ffff, 1],
      [0xffff_ffff, 2],
      [0xffff_fff0, 0x20],
      [0xffff_ffff, 0xffff_ffff],
      [1, 0xffff_ffff],
      [0x8000_0000, 0x8000_0000],
    ];
    for (const [pointer, length] of wild) {
      for (const [handle, op] of [
        [client, OP.READ],
        [client, OP.WRITE],
        [file, OP.READ],
        [file, OP.WRITE],
        [file, OP.PREAD],
        [file, OP.PWRITE],
      ] as const) {
        const result = await guest.submit({ op, handle, pointer, length });
        expect(`${op} ${pointer}+${length}: ${errnoName(result)}`).toBe(
          `${op} ${pointer}+${length}: EFAULT`,
        );
      }
      const open = await guest.submit({ op: OP.OPEN, pointer, length, argument: OPEN.READ });
      expect(errnoName(open)).toBe("EFAULT");
    }
  });

  law("a vector that does not fit the memory gives -EFAULT", async ({ guest }) => {
    const { client } = await guest.pair();
    const end = guest.memory.buffer.byteLength;
    for (const op of [OP.READV, OP.WRITEV]) {
      for (const [pointer, length] of [
        [end, 1],
        [end - 8, 2],
        [0xffff_fff8, 1],
        [0xffff_ffff, 64],
      ] as const) {
        const result = await guest.submit({ op, handle: client, pointer, length });
        expect(errnoName(result)).toBe("EFAULT");
      }
      for (const wild of [
        { pointer: end, length: 1 },
        { pointer: 0xffff_ffff, length: 2 },
        { pointer: 8, length: 0xffff_ffff },
      ]) {
        const pointer = guest.iovecs([guest.put("ok"), wild]);
        const result = await guest.submit({ op, handle: client, pointer, length: 2 });
        expect(errnoName(result)).toBe("EFAULT");
      }
    }
  });

  law("an address that does not fit the memory gives -EFAULT", async ({ guest }) => {
    const { listener, client, port } = await guest.pair();
    const end = guest.memory.buffer.byteLength;
    for (const pointer of [end, end - ADDRESS.size + 1, 0xffff_ffff, 0xffff_fff0]) {
      for (const record of [
        { op: OP.LISTEN },
        { op: OP.CONNECT },
        { op: OP.ACCEPT, handle: listener },
        { op: OP.LOCAL_ADDRESS, handle: listener },
        { op: OP.LOCAL_ADDRESS, handle: client },
        { op: OP.PEER_ADDRESS, handle: client },
      ]) {
        expect(errnoName(await guest.submit({ ...record, pointer }))).toBe("EFAULT");
      }
    }
    // The failed ACCEPTs took no connection.
    must(await guest.connect(port));
    must(await guest.accept(listener));
  });

  law("a wild pointer does not matter to a transfer of nothing", async ({ guest }) => {
    const { client } = await guest.pair();
    for (const op of [OP.READ, OP.WRITE, OP.READV, OP.WRITEV]) {
      const record = { op, handle: client, pointer: 0xffff_ffff, length: 0 };
      expect(await guest.submit(record)).toBe(0);
    }
  });

  law("the last bytes of the memory can be used", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const pointer = guest.memory.buffer.byteLength - 1;
    new Uint8Array(guest.memory.buffer)[pointer] = 42;
    expect(await guest.submit({ op: OP.WRITE, handle: client, pointer, length: 1 })).toBe(1);
    new Uint8Array(guest.memory.buffer)[pointer] = 0;
    expect(await guest.submit({ op: OP.READ, handle: server, pointer, length: 1 })).toBe(1);
    expect(new Uint8Array(guest.memory.buffer)[pointer]).toBe(42);
  });
}

function ringLaws(law: Law): void {
  law("rubbish in heads and tails never makes a turn throw", async ({ guest, backend }) => {
    guest.automatic = false;
    const random = new DataView(pattern(8000, 77).buffer);
    for (let at = 0; at < 8000; at += 16) {
      for (const [nth, index] of RING_INDICES.entries()) {
        guest.setShared(index, random.getUint32(at + nth * 4, true));
      }
      const before = backend.stats.submissions;
      expect(backend.turn(0)).toBeGreaterThanOrEqual(0);
      // At most one ring full, whatever the difference of the two says.
      expect(backend.stats.submissions - before).toBeLessThanOrEqual(guest.capacity);
    }
  });

  law("rings that are rewritten after bind stay where they were", async ({ guest, backend }) => {
    const fields = [
      "submissions",
      "completions",
      "submissionsCapacity",
      "completionsCapacity",
    ] as const;
    const right = fields.map((field) => guest.getShared(field));
    for (const wrong of [0, 1, 3, 0x8000_0000, 0xffff_ffff]) {
      guest.automatic = false;
      const token = guest.add({ op: 0 });
      for (const field of fields) guest.setShared(field, wrong);
      expect(backend.turn(0)).toBe(1);
      for (const [index, field] of fields.entries()) guest.setShared(field, right[index]!);
      guest.drain();
      expect(guest.log.at(-1)?.token).toBe(token);
    }
  });

  law("bind refuses rings that do not fit", async ({ guest, backend }) => {
    const end = guest.memory.buffer.byteLength;
    for (const shared of [end, end - 8, 0xffff_fff8]) {
      expect(() => backend.bind(guest.memory, shared)).toThrow(/bind/);
    }
    for (const [field, wrong] of [
      ["submissionsCapacity", 0],
      ["submissionsCapacity", 3],
      ["completionsCapacity", 0x8000_0000],
      ["submissions", end - 8],
      ["completions", 0xffff_fff0],
    ] as const) {
      const right = guest.getShared(field);
      guest.setShared(field, wrong);
      expect(() => backend.bind(guest.memory, guest.shared)).toThrow(/bind/);
      guest.setShared(field, right);
    }
    backend.bind(guest.memory, guest.shared);
    must(await guest.listen());
  });

  law(
    "completions that find no room wait for it",
    async ({ guest, backend }) => {
      guest.automatic = false;
      const tokens: number[] = [];
      for (let batch = 0; batch < 5; batch++) {
        for (let index = 0; index < 8; index++) tokens.push(guest.add({ op: 0 }));
        expect(backend.turn(0)).toBe(batch === 0 ? 8 : 0);
      }
      expect(backend.pending).toBe(32);
      for (let left = 32; left >= 0; left -= 8) {
        expect(guest.drain()).toBe(8);
        expect(backend.turn(0)).toBe(Math.min(left, 8));
      }
      expect(guest.log.map(({ token }) => token)).toEqual(tokens);
      expect(backend.pending).toBe(0);
    },
    { capacity: 8 },
  );

  law(
    "indices run over 2^32",
    async ({ guest }) => {
      const { client, server } = await guest.pair();
      for (let round = 0; round < 30; round++) {
        await guest.writeAll(client, "round");
        expect(await guest.readExactly(server, 5)).toHaveLength(5);
      }
    },
    { capacity: 16, firstIndex: 0xffff_fff0 },
  );

  law(
    "a ring of one record works",
    async ({ guest }) => {
      const { client, server } = await guest.pair();
      const results = [1, 2, 3].map(() => guest.write(client, "abc"));
      expect(await Promise.all(results)).toEqual([3, 3, 3]);
      expect(await guest.readExactly(server, 9)).toHaveLength(9);
    },
    { capacity: 1 },
  );
}

/** Waits until nothing is in flight, by way of an operation that takes part in every turn. */
async function settled(guest: Guest): Promise<void> {
  do {
    await guest.submit({ op: 0, token: 0xffff_ffff });
    await new Promise((resolve) => setImmediate(resolve));
  } while (guest.backend.pending > 0);
  guest.log.splice(0, guest.log.length, ...guest.log.filter(({ token }) => token !== 0xffff_ffff));
}
