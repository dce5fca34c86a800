//! Laws that hold for every operation alike: one completion whenever a cancel comes, -EBADF when its
//! handle is closed under it, an end when the peer resets, and a memory that may grow meanwhile.

import { join } from "node:path/posix";
import { expect } from "vitest";
import {
  DATAGRAM,
  HANDLE_TOKEN,
  LOCK,
  OP,
  OPEN,
  OPTION,
  POLL,
  SHUTDOWN,
  SIGNAL_KILL,
  SOCKET_TYPE,
} from "../../ts/abi.gen.ts";
import type { OperationName } from "../../ts/host/capability.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { withOutsidePeer } from "./end-laws.ts";
import { errnoName, type Guest, must, pattern, text } from "./guest.ts";
import { writeWhileGrowing } from "./memory-laws.ts";
import { PATH_OPERATIONS } from "./path-operations.ts";
import { endOf, putRequest, shell, spawn } from "./process-guest.ts";
import type { Submit } from "./ring-driver.ts";

/** More than a connection holds for a peer that does not read, in pieces of 256 KiB. */
const WRITES = 128;
const WRITE_BYTES = 256 * 1024;

export function operationLaws(law: Law): void {
  cancelLaw(law);
  closeLaws(law);
  resetLaws(law);
  growLaws(law);

  law("READV fills its pieces in order, and leaves what it does not need", async ({ guest }) => {
    const { client, server } = await guest.pair();
    await guest.writeAll(client, "abcde");
    const pieces = ["----", "----", "----"].map((filler) => guest.put(filler));
    const vector = { handle: server, pointer: guest.iovecs(pieces), length: 3 };
    let received = "";
    while (received.length < 5) {
      const count = must(await guest.submit({ op: OP.READV, ...vector }));
      const all = pieces.map(({ pointer }) => text(guest.bytes(pointer, 4))).join("");
      received += all.slice(0, count);
      expect(all.slice(count)).toBe("-".repeat(12 - count));
      for (const { pointer } of pieces)
        new Uint8Array(guest.memory.buffer).fill(45, pointer, pointer + 4);
    }
    expect(received).toBe("abcde");
  });
}

/** Of each operation one that can finish at once. Each comes with all that it needs. */
const OPERATIONS: Readonly<Record<string, (bench: Bench) => Promise<Submit>>> = {
  LISTEN: async ({ guest }) => ({
    op: OP.LISTEN,
    pointer: guest.putAddress({ bytes: [127, 0, 0, 1], port: 0 }),
    argument: 4,
  }),
  ACCEPT: async ({ guest }) => {
    const listener = must(await guest.listen());
    must(await guest.connect((await guest.localAddress(listener)).port));
    return { op: OP.ACCEPT, handle: listener };
  },
  CONNECT: async ({ guest }) => {
    const address = await guest.localAddress(must(await guest.listen()));
    return { op: OP.CONNECT, pointer: guest.putAddress(address) };
  },
  READ: async ({ guest }) => ({ op: OP.READ, handle: await filled(guest), ...guest.put("....") }),
  WRITE: async ({ guest }) => {
    const { client } = await guest.pair();
    return { op: OP.WRITE, handle: client, ...guest.put("data") };
  },
  READV: async ({ guest }) => {
    const pointer = guest.iovecs([guest.put(".."), guest.put("..")]);
    return { op: OP.READV, handle: await filled(guest), pointer, length: 2 };
  },
  WRITEV: async ({ guest }) => {
    const { client } = await guest.pair();
    const pointer = guest.iovecs([guest.put("da"), guest.put("ta")]);
    return { op: OP.WRITEV, handle: client, pointer, length: 2 };
  },
  SHUTDOWN: async ({ guest }) => {
    const { client } = await guest.pair();
    return { op: OP.SHUTDOWN, handle: client, argument: SHUTDOWN.WRITE };
  },
  CLOSE: async ({ guest }) => ({ op: OP.CLOSE, handle: (await guest.pair()).client }),
  OPEN: async ({ guest, files, data }) => {
    await files.write(join(data, "file"), "content");
    return { op: OP.OPEN, ...guest.put("/data/file"), argument: OPEN.READ };
  },
  PREAD: async (bench) => ({ op: OP.PREAD, handle: await file(bench), ...bench.guest.put("....") }),
  PWRITE: async (bench) => ({
    op: OP.PWRITE,
    handle: await file(bench),
    ...bench.guest.put("data"),
  }),
  "READ of a file": async (bench) => ({
    op: OP.READ,
    handle: await file(bench),
    ...bench.guest.put("...."),
  }),
  "WRITE of a file": async (bench) => ({
    op: OP.WRITE,
    handle: await file(bench),
    ...bench.guest.put("data"),
  }),
  FSYNC: async (bench) => ({ op: OP.FSYNC, handle: await file(bench) }),
  PREADV: async (bench) => ({
    op: OP.PREADV,
    handle: await file(bench),
    pointer: bench.guest.iovecs([bench.guest.put(".."), bench.guest.put("..")]),
    length: 2,
  }),
  PWRITEV: async (bench) => ({
    op: OP.PWRITEV,
    handle: await file(bench),
    pointer: bench.guest.iovecs([bench.guest.put("da"), bench.guest.put("ta")]),
    length: 2,
  }),
  SEEK: async (bench) => ({
    op: OP.SEEK,
    handle: await file(bench),
    otherPointer: bench.guest.alloc(8),
  }),
  ALLOCATE: async (bench) => ({ op: OP.ALLOCATE, handle: await file(bench), otherOffset: 100 }),
  READ_DIRECTORY: async (bench) => {
    const handle = must(await bench.guest.open("/data", OPEN.READ | OPEN.DIRECTORY));
    return { op: OP.READ_DIRECTORY, handle, ...bench.guest.put(new Uint8Array(512)) };
  },
  LOCK: async (bench) => ({ op: OP.LOCK, handle: await file(bench), argument: LOCK.SHARED }),
  COPY: async (bench) => {
    const otherHandle = must(await bench.guest.open("/data/copy", OPEN.WRITE | OPEN.CREATE));
    return { op: OP.COPY, handle: await file(bench), otherHandle, length: 4 };
  },
  SEND_FILE: async (bench) => {
    const { client } = await bench.guest.pair();
    return { op: OP.SEND_FILE, handle: client, otherHandle: await file(bench), length: 4 };
  },
  LOCAL_ADDRESS: async ({ guest }) => {
    const { client } = await guest.pair();
    return { op: OP.LOCAL_ADDRESS, handle: client, pointer: guest.alloc(24) };
  },
  PEER_ADDRESS: async ({ guest }) => {
    const { client } = await guest.pair();
    return { op: OP.PEER_ADDRESS, handle: client, pointer: guest.alloc(24) };
  },
  ...PATH_OPERATIONS,
  UDP_BIND: async ({ guest }) => ({
    op: OP.UDP_BIND,
    pointer: guest.putAddress({ bytes: [127, 0, 0, 1], port: 0 }),
  }),
  SEND_TO: async ({ guest }) => {
    const { handle, address } = await guest.udp();
    return { op: OP.SEND_TO, handle, ...guest.put("data"), argument: guest.putAddress(address) };
  },
  RECEIVE_FROM: async ({ guest }) => {
    const { handle, address } = await guest.udp();
    must(await guest.sendTo(handle, "data", address));
    return { op: OP.RECEIVE_FROM, handle, ...guest.put("....") };
  },
  SET_OPTION: async ({ guest }) => {
    const { client } = await guest.pair();
    return { op: OP.SET_OPTION, handle: client, argument: OPTION.NO_DELAY, offset: 0 };
  },
  GET_OPTION: async ({ guest }) => {
    const { client } = await guest.pair();
    const otherPointer = guest.alloc(8);
    return { op: OP.GET_OPTION, handle: client, argument: OPTION.NO_DELAY, otherPointer };
  },
  MEMBERSHIP: async ({ guest }) => {
    const handle = must(await guest.udpBind(0, [0, 0, 0, 0]));
    const pointer = guest.putAddress({ bytes: [239, 255, 7, 7], port: 0, scope: 1 });
    return { op: OP.MEMBERSHIP, handle, pointer, argument: 1 };
  },
  SEND_BATCH: async ({ guest }) => {
    const { handle, address } = await guest.udp();
    must(await guest.udpConnect(handle, address));
    return { op: OP.SEND_BATCH, handle, pointer: datagram(guest, "data"), length: 1 };
  },
  RECEIVE_BATCH: async ({ guest }) => {
    const { handle, address } = await guest.udp();
    must(await guest.sendTo(handle, "data", address));
    return { op: OP.RECEIVE_BATCH, handle, pointer: datagram(guest, "...."), length: 1 };
  },
  UDP_CONNECT: async ({ guest }) => {
    const { handle, address } = await guest.udp();
    return { op: OP.UDP_CONNECT, handle, pointer: guest.putAddress(address) };
  },
  UNIX_LISTEN: async ({ guest }) => ({ op: OP.UNIX_LISTEN, ...guest.freshPath(), handle: -1 }),
  UNIX_CONNECT: async ({ guest }) => {
    const path = guest.freshPath();
    must(await guest.submit({ op: OP.UNIX_LISTEN, ...path, handle: -1, argument: 4 }));
    return { op: OP.UNIX_CONNECT, ...path, handle: -1 };
  },
  UNIX_BIND: async ({ guest }) => ({ op: OP.UNIX_BIND, ...guest.freshPath(), handle: -1 }),
  UNIX_SEND_TO: async ({ guest }) => {
    const { pointer, length } = guest.freshPath();
    const handle = must(await guest.submit({ op: OP.UNIX_BIND, pointer, length, handle: -1 }));
    const to = { otherHandle: -1, otherPointer: pointer, otherLength: length };
    return { op: OP.UNIX_SEND_TO, handle, ...guest.put("data"), ...to };
  },
  SOCKET_PAIR: async ({ guest }) => ({ op: OP.SOCKET_PAIR, pointer: guest.alloc(8) }),
  PIPE: async ({ guest }) => ({ op: OP.PIPE, pointer: guest.alloc(8) }),
  "READ of a pipe": async ({ guest }) => {
    const [output, input] = await guest.pipe();
    must(await guest.write(input, "data"));
    return { op: OP.READ, handle: output, ...guest.put("....") };
  },
  "WRITE of a pipe": async ({ guest }) => {
    const [, input] = await guest.pipe();
    return { op: OP.WRITE, handle: input, ...guest.put("data") };
  },
  SEND_HANDLE: async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    return { op: OP.SEND_HANDLE, handle: one, ...guest.put("h"), otherHandle: other };
  },
  RECEIVE_HANDLE: async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    must(await guest.write(one, "bytes without a handle"));
    const otherPointer = guest.alloc(4);
    return { op: OP.RECEIVE_HANDLE, handle: other, ...guest.put("...."), otherPointer };
  },
  POLL: async ({ guest }) => {
    const { client } = await guest.pair();
    return { op: OP.POLL, handle: client, argument: POLL.WRITABLE };
  },
  STDIO: async () => ({ op: OP.STDIO, argument: 2 }),
  SPAWN: async ({ guest }) => ({ op: OP.SPAWN, pointer: putRequest(guest, shell("exit 0")) }),
  WAIT: async ({ guest }) => {
    const { handle } = await spawn(guest, shell("exit 0"));
    await endOf(guest, handle);
    return { op: OP.WAIT, handle, pointer: guest.alloc(8) };
  },
  KILL: async ({ guest }) => {
    const { handle } = await spawn(guest, shell("kill -STOP $$"));
    return { op: OP.KILL, handle, argument: SIGNAL_KILL };
  },
  LOOKUP: async ({ guest }) => ({
    op: OP.LOOKUP,
    ...guest.put("127.0.0.1"),
    otherPointer: guest.alloc(24),
    otherLength: 1,
  }),
  RELEASE: async ({ guest }) => {
    const { client } = await guest.pair();
    return { op: OP.RELEASE, handle: client, pointer: guest.alloc(HANDLE_TOKEN.size) };
  },
  ADOPT: async ({ guest }) => {
    const { client } = await guest.pair();
    const pointer = guest.alloc(HANDLE_TOKEN.size);
    must(await guest.submit({ op: OP.RELEASE, handle: client, pointer }));
    return { op: OP.ADOPT, pointer };
  },
  RESOLVER: async ({ guest }) => ({ op: OP.RESOLVER, ...guest.put("....") }),
};

/** Whose laws are in stdio.test.ts: a terminal is another program's. */
const OF_TERMINALS = ["TERMINAL_SIZE", "TERMINAL_MODE"];

/** A batch of one. */
function datagram(guest: Guest, data: string): number {
  const { pointer, length } = guest.put(data);
  const at = guest.alloc(DATAGRAM.size);
  guest.view.setUint32(at + DATAGRAM.pointer, pointer, true);
  guest.view.setUint32(at + DATAGRAM.length, length, true);
  return at;
}

/** A connection on which bytes wait to be read. */
async function filled(guest: Guest): Promise<number> {
  const { client, server } = await guest.pair();
  await guest.writeAll(client, "data");
  return server;
}

async function file({ guest, files, data }: Bench): Promise<number> {
  await files.write(join(data, "file"), "content");
  return must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE));
}

function cancelLaw(law: Law): void {
  law(
    "every operation is in the list of this suite, or fails with ENOSYS",
    async ({ guest, backend }) => {
      const names = Object.keys(OPERATIONS).map((name) => name.split(" ")[0]!);
      const listed = new Set([...names, ...OF_TERMINALS]);
      for (const [name, op] of Object.entries(OP)) {
        const supported = backend.capability(op) !== "unsupported";
        if (name === "CANCEL" || (supported && listed.has(name))) continue;
        expect(`${name}: ${backend.capability(op)}`).toBe(`${name}: unsupported`);
        expect(`${name}: ${errnoName(await guest.submit({ op }))}`).toBe(`${name}: ENOSYS`);
      }
    },
  );

  for (const [name, make] of Object.entries(OPERATIONS)) {
    law(
      `${name}: one completion, whether a cancel comes before, with or after it`,
      async (bench) => {
        const { guest, backend } = bench;
        for (const [when, token] of [
          ["before", 3_000_000_001],
          ["with", 3_000_000_002],
          ["after", 3_000_000_003],
        ] as const) {
          const submission = { ...(await make(bench)), token };
          if (when === "before") {
            guest.cancel(token);
            guest.turn();
          }
          const started = guest.submit(submission);
          if (when === "with") guest.cancel(token);
          const result = await started;
          if (when === "with" && result < 0) expect(errnoName(result)).toBe("ECANCELED");
          else expect(`${when}: ${errnoName(Math.min(result, 0))}`).toBe(`${when}: 0`);
          guest.cancel(token);
          await guest.roundTrip(await guest.pair());
          expect(guest.log.filter((completion) => completion.token === token)).toHaveLength(1);
          expect(backend.pending).toBe(0);
        }
      },
      {
        needs: [
          name.split(" ")[0] as OperationName,
          ...(name.endsWith("of a pipe") ? (["PIPE"] as const) : []),
        ],
      },
    );
  }
}

function closeLaws(law: Law): void {
  law("CLOSE ends whatever waits on its handle with -EBADF", async ({ guest }) => {
    const { listener } = await guest.pair();
    const { handle: udp } = await guest.udp();
    const one = guest.put("?");
    const vector = { pointer: guest.iovecs([one, one]), length: 2 };
    for (const waits of [
      { op: OP.READ, handle: (await guest.pair()).server, ...one },
      { op: OP.READV, handle: (await guest.pair()).server, ...vector },
      { op: OP.ACCEPT, handle: listener },
      { op: OP.RECEIVE_FROM, handle: udp, ...one },
    ]) {
      const started = [guest.submit(waits), guest.submit(waits)];
      await guest.localAddress(waits.handle);
      expect(await guest.close(waits.handle)).toBe(0);
      const results = (await Promise.all(started)).map(errnoName);
      expect(`${waits.op}: ${results}`).toBe(`${waits.op}: EBADF,EBADF`);
    }
  });

  law("CLOSE ends waiting WRITEVs with -EBADF", async ({ guest }) => {
    const pair = await guest.pair();
    const piece = guest.put(pattern(WRITE_BYTES / 2));
    const vector = { pointer: guest.iovecs([piece, piece]), length: 2 };
    const write = { op: OP.WRITEV, handle: pair.client, ...vector };
    const writes = Array.from({ length: WRITES }, () => guest.submit(write));
    await guest.roundTrip(await guest.pair());
    expect(await guest.close(pair.client)).toBe(0);
    const failed = (await Promise.all(writes)).filter((result) => result < 0).map(errnoName);
    expect(new Set(failed)).toEqual(new Set(["EBADF"]));
  });
}

function resetLaws(law: Law): void {
  for (const [name, op] of [
    ["WRITE", OP.WRITE],
    ["WRITEV", OP.WRITEV],
  ] as const) {
    law(`a reset by the peer ends waiting ${name}s`, async (bench) => {
      const { guest } = bench;
      const other = await guest.pair();
      await withOutsidePeer(bench, async (handle, peer) => {
        const buffer = guest.put(pattern(WRITE_BYTES));
        const vector = { pointer: guest.iovecs([buffer]), length: 1 };
        const write = { op, handle, ...(op === OP.WRITE ? buffer : vector) };
        const writes = Array.from({ length: WRITES }, () => guest.submit(write));
        await guest.roundTrip(other);
        await peer.reset();
        const failed = (await Promise.all(writes)).filter((result) => result < 0).map(errnoName);
        expect(failed.length).toBeGreaterThan(0);
        for (const errno of failed) expect(["ECONNRESET", "EPIPE"]).toContain(errno);
        expect(errnoName(await guest.write(handle, "x"))).toBe("EPIPE");
      });
    });
  }

  law("a reset is told once: then reads are at an end, and writes give -EPIPE", async (bench) => {
    const { guest } = bench;
    await withOutsidePeer(bench, async (handle, peer) => {
      const read = (): Promise<number> =>
        guest.submit({ op: OP.READ, handle, ...guest.put("....") });
      const waiting = read();
      await guest.localAddress(handle);
      await peer.reset();
      expect(errnoName(await waiting)).toBe("ECONNRESET");
      expect(await read()).toBe(0);
      expect(errnoName(await guest.write(handle, "x"))).toBe("EPIPE");
      expect(errnoName(await guest.shutdown(handle, SHUTDOWN.WRITE))).toBe("ENOTCONN");
    });
  });
}

function growLaws(law: Law): void {
  law("vectors in flight while the memory grows move their bytes", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const into = [guest.put("--"), guest.put("----")];
    const reading = guest.submit({
      op: OP.READV,
      handle: server,
      pointer: guest.iovecs(into),
      length: 2,
    });
    await guest.localAddress(server);
    guest.grow(1);
    await guest.writeAll(client, "grown");
    const count = must(await reading);
    const all = into.map(({ pointer, length }) => text(guest.bytes(pointer, length))).join("");
    expect(all).toBe("grown".slice(0, count).padEnd(6, "-"));

    await writeWhileGrowing(guest, (bytes) => {
      return { op: OP.WRITEV, pointer: guest.iovecs([guest.put(bytes)]), length: 1 };
    });
  });

  law("openers in flight while the memory grows give their handles", async (bench) => {
    const { guest } = bench;
    const names = ["LISTEN", "CONNECT", "OPEN", "UDP_BIND", "ACCEPT"];
    const openers = [];
    for (const name of names) openers.push(await OPERATIONS[name]!(bench));
    const started = openers.map((opener) => guest.submit(opener));
    guest.turn();
    guest.grow(2);
    for (const handle of await Promise.all(started))
      expect(await guest.close(must(handle))).toBe(0);
  });

  law(
    "READs and WRITEs of a file in flight while the memory grows move their bytes",
    async (bench) => {
      const { guest } = bench;
      const handle = await file(bench);
      const first = guest.put("-------");
      const reading = guest.submit({ op: OP.READ, handle, ...first });
      const writing = guest.submit({ op: OP.WRITE, handle, ...guest.put(" and more") });
      const syncing = guest.submit({ op: OP.FSYNC, handle });
      guest.turn();
      guest.grow(2);
      expect(await Promise.all([reading, writing, syncing])).toEqual([7, 9, 0]);
      expect(text(guest.bytes(first.pointer, 7))).toBe("content");
      expect(await bench.files.readText(join(bench.data, "file"))).toBe("content and more");
    },
  );
}
