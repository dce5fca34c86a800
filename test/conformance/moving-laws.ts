//! Laws of handles that go from one backend to another of the same pool: RELEASE makes a token of one, ADOPT a
//! handle of the token.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { HANDLE_TOKEN, LOCK, OP, OPEN, SOCKET_TYPE } from "../../ts/abi.gen.ts";
import { newPoolKey } from "../../ts/host/pool-key.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { concat, errnoName, Guest, must, pattern, text } from "./guest.ts";
import { needing } from "./needing.ts";
import { shell, spawn } from "./process-guest.ts";

export function movingLaws(law: Law): void {
  const movingLaw = needing(law, "RELEASE", "ADOPT", "PIPE", "SOCKET_PAIR");
  kindLaws(movingLaw);
  tokenLaws(movingLaw);
  refusalLaws(movingLaw);
  endLaws(movingLaw);
}

async function release(guest: Guest, handle: number): Promise<Uint8Array> {
  const pointer = guest.alloc(HANDLE_TOKEN.size);
  expect(errnoName(await guest.submit({ op: OP.RELEASE, handle, pointer }))).toBe("0");
  return guest.bytes(pointer, HANDLE_TOKEN.size);
}

function tryRelease(guest: Guest, handle: number): Promise<number> {
  return guest.submit({ op: OP.RELEASE, handle, pointer: guest.alloc(HANDLE_TOKEN.size) });
}

function adopt(guest: Guest, token: Uint8Array): Promise<number> {
  return guest.submit({ op: OP.ADOPT, pointer: guest.put(token).pointer });
}

async function move(from: Guest, to: Guest, handle: number): Promise<number> {
  return must(await adopt(to, await release(from, handle)));
}

/** Runs `body` with two guests of one pool; `there` has `handlesMax`. */
async function withTwo(
  { open, data }: Bench,
  body: (here: Guest, there: Guest) => Promise<void>,
  handlesMax = 64,
): Promise<void> {
  const pool = newPoolKey();
  const grants = { connect: [{}], listen: [{}], directories: [{ host: data, guest: "/data" }] };
  await using here = await open({ grants, handlesMax: 64, pool });
  await using there = await open({ grants, handlesMax, pool });
  await body(new Guest(here), new Guest(there));
}

/** A READ waits before what it is to bring is sent from the other end. */
async function waitAndHear(
  [reader, end]: readonly [Guest, number],
  [writer, otherEnd]: readonly [Guest, number],
  sent: string,
): Promise<void> {
  const waiting = reader.read(end, 16);
  await reader.roundTrip(await reader.pair());
  await writer.writeAll(otherEnd, sent);
  expect(text(await waiting)).toBe(sent);
}

function kindLaws(law: Law): void {
  law("a connection that moves loses no byte and repeats none, either way", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const { client, server } = await here.pair();
      const sent = pattern(300_000);
      const sending = here.writeAll(client, sent);
      const first = await here.readExactly(server, 1000);
      const moved = await move(here, there, server);
      const rest = await there.readExactly(moved, sent.length - 1000);
      await sending;
      expect(Buffer.compare(concat([first, rest]), sent)).toBe(0);
      await there.writeAll(moved, "answer");
      expect(text(await here.readExactly(client, 6))).toBe("answer");
      const back = await move(there, here, moved);
      await waitAndHear([here, back], [here, client], "and back");
    });
  });

  law("what was waited for here is waited for there after a move", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const { client, server } = await here.pair();
      await waitAndHear([here, server], [here, client], "one");
      const canceled = here.start({ op: OP.READ, handle: server, ...here.put("....") });
      await here.roundTrip(await here.pair());
      here.cancel(canceled.token);
      expect(errnoName(await canceled.result)).toBe("ECANCELED");
      const moved = await move(here, there, server);
      await waitAndHear([there, moved], [here, client], "two");
      // The number of the descriptor is somebody else's there now, and nobody's here.
      await here.roundTrip(await here.pair());
    });
  });

  law("a listener that moves accepts, who came before too", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const listener = must(await here.listen());
      const { port } = await here.localAddress(listener);
      const before = must(await here.connect(port));
      const moved = await move(here, there, listener);
      const first = must(await there.accept(moved));
      await here.writeAll(before, "early");
      expect(text(await there.readExactly(first, 5))).toBe("early");
      const accepting = there.accept(moved);
      await there.roundTrip(await there.pair());
      const after = must(await here.connect(port));
      const second = must(await accepting);
      await waitAndHear([there, second], [here, after], "late");
    });
  });

  law("a UDP socket that moves keeps its address and what it has received", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const { handle, address } = await here.udp();
      must(await here.sendTo(handle, "before", address));
      const moved = await move(here, there, handle);
      expect(await there.localAddress(moved)).toEqual(address);
      expect(text((await there.receiveFrom(moved)).data)).toBe("before");
      const waiting = there.receiveFrom(moved);
      must(await there.sendTo(moved, "after", address));
      expect(text((await waiting).data)).toBe("after");
    });
  });

  law("the ends of pipes and of pairs move", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const [output, input] = await here.pipe();
      const moved = await move(here, there, output);
      const sent = pattern(200_000);
      const received = there.readToEnd(moved);
      await here.writeAll(input, sent);
      must(await here.close(input));
      expect(Buffer.compare(await received, sent)).toBe(0);
      const [one, other] = await here.socketPair(SOCKET_TYPE.DATAGRAM);
      const movedOne = await move(here, there, one);
      must(await there.write(movedOne, "datagram"));
      expect(text(await here.read(other, 64))).toBe("datagram");
    });
  });

  law("a file that moves keeps its position, its lock and its rights", async (bench) => {
    await bench.files.write(join(bench.data, "file"), "content");
    await withTwo(bench, async (here, there) => {
      const file = must(await here.open("/data/file", OPEN.READ));
      expect(text(await here.read(file, 3))).toBe("con");
      const lock = { op: OP.LOCK, argument: LOCK.EXCLUSIVE | LOCK.TRY };
      expect(await here.submit({ ...lock, handle: file })).toBe(0);
      const moved = await move(here, there, file);
      expect(text(await there.read(moved, 4))).toBe("tent");
      expect(errnoName(await there.pwrite(moved, "x", 0))).toBe("EBADF");
      const again = must(await here.open("/data/file", OPEN.READ));
      expect(errnoName(await here.submit({ ...lock, handle: again }))).toBe("EAGAIN");
      must(await there.close(moved));
      expect(await here.submit({ ...lock, handle: again })).toBe(0);
    });
  });

  law("a directory moves, and what is below it stays below it", async (bench) => {
    await bench.files.write(join(bench.data, "file"), "content");
    await withTwo(bench, async (here, there) => {
      const directory = must(await here.open("/data", OPEN.READ | OPEN.DIRECTORY));
      const moved = await move(here, there, directory);
      const file = must(await there.openAt(moved, "file", OPEN.READ));
      expect(text(await there.read(file, 16))).toBe("content");
      const above = await there.openAt(moved, "../outside", OPEN.READ | OPEN.DIRECTORY);
      expect(above).toBeLessThan(0);
    });
  });
}

function tokenLaws(law: Law): void {
  law("what was released is there no more, and is adopted once", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const { client, server } = await here.pair();
      const token = await release(here, client);
      expect(errnoName(await here.write(client, "x"))).toBe("EBADF");
      expect(errnoName(await tryRelease(here, client))).toBe("EBADF");
      const moved = must(await adopt(there, token));
      for (const guest of [here, there]) {
        expect(errnoName(await adopt(guest, token))).toBe("EBADF");
      }
      await there.writeAll(moved, "once");
      expect(text(await here.readExactly(server, 4))).toBe("once");
    });
  });

  law("a backend adopts what it released itself, under another number", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const again = await move(guest, guest, client);
    expect(again).not.toBe(client);
    await guest.writeAll(again, "data");
    expect(text(await guest.readExactly(server, 4))).toBe("data");
  });

  law("tokens differ, and nobody adopts what is none: -EBADF", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const tokens: Uint8Array[] = [];
      for (let index = 0; index < 8; index++) {
        tokens.push(await release(here, must(await here.udpBind())));
      }
      expect(new Set(tokens.map((token) => Buffer.from(token).toString("hex"))).size).toBe(8);
      const [first] = tokens;
      for (let bit = 0; bit < 128; bit++) {
        const forged = Uint8Array.from(first!);
        forged[bit >> 3]! ^= 1 << (bit & 7);
        expect(errnoName(await adopt(there, forged))).toBe("EBADF");
      }
      expect(errnoName(await adopt(there, new Uint8Array(16)))).toBe("EBADF");
      for (const token of tokens) must(await adopt(there, token));
    });
  });

  law("nobody adopts another pool's: -EBADF, and it can still be adopted", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const token = await release(here, must(await here.udpBind()));
      expect(errnoName(await adopt(bench.guest, token))).toBe("EBADF");
      must(await adopt(there, token));
    });
  });
}

function refusalLaws(law: Law): void {
  law(
    "while an operation is in flight RELEASE gives -EBUSY, and changes nothing",
    async (bench) => {
      await withTwo(bench, async (here, there) => {
        const { client, server } = await here.pair();
        const reading = here.read(server, 16);
        await here.roundTrip(await here.pair());
        expect(errnoName(await tryRelease(here, server))).toBe("EBUSY");
        await here.writeAll(client, "data");
        expect(text(await reading)).toBe("data");
        await move(here, there, server);
      });
    },
  );

  law(
    "what is the host's, or a process, does not move: -ENOTSUP",
    async ({ guest }) => {
      const { handle } = await spawn(guest, shell("exit 0"));
      const stdio = must(await guest.submit({ op: OP.STDIO, argument: 2 }));
      for (const refused of [handle, stdio]) {
        expect(errnoName(await tryRelease(guest, refused))).toBe("ENOTSUP");
      }
    },
    { needs: ["RELEASE", "SPAWN", "STDIO"] },
  );

  law("a forged handle does not move, nor to memory that is not there", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const handle = must(await here.udpBind());
      for (const forged of [0, -1, 1, handle + 1000, handle ^ (1 << 20), -0x8000_0000]) {
        expect(errnoName(await tryRelease(here, forged))).toBe("EBADF");
      }
      const end = here.memory.buffer.byteLength;
      for (const pointer of [end, end - 15, 0xffff_ffff, 0xffff_fff1]) {
        const released = await here.submit({ op: OP.RELEASE, handle, pointer });
        expect(errnoName(released)).toBe("EFAULT");
        expect(errnoName(await here.submit({ op: OP.ADOPT, pointer }))).toBe("EFAULT");
      }
      await move(here, there, handle);
    });
  });

  law("without room for a handle ADOPT gives -EMFILE, and the token stays good", async (bench) => {
    await withTwo(
      bench,
      async (here, there) => {
        const token = await release(here, must(await here.udpBind()));
        const only = must(await there.udpBind());
        expect(errnoName(await adopt(there, token))).toBe("EMFILE");
        must(await there.close(only));
        must(await adopt(there, token));
      },
      1,
    );
  });

  law("no more is released than could be open: -EMFILE", async (bench) => {
    await withTwo(
      bench,
      async (here, there) => {
        const first = await release(there, must(await there.udpBind()));
        await release(there, must(await there.udpBind()));
        const third = must(await there.udpBind());
        expect(errnoName(await tryRelease(there, third))).toBe("EMFILE");
        must(await adopt(here, first));
        await move(there, here, third);
      },
      2,
    );
  });
}

function endLaws(law: Law): void {
  law("what nobody has adopted is closed with the backend that released it", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const { client, server } = await here.pair();
      const kept = await move(here, there, server);
      const token = await release(here, client);
      const reading = there.read(kept, 16);
      await here.backend[Symbol.asyncDispose]();
      expect(await reading).toHaveLength(0);
      expect(errnoName(await adopt(there, token))).toBe("EBADF");
    });
  });

  law("what was adopted outlives the backend that released it", async (bench) => {
    await withTwo(bench, async (here, there) => {
      const [output, input] = await here.pipe();
      const from = await move(here, there, output);
      const to = await move(here, there, input);
      await here.backend[Symbol.asyncDispose]();
      must(await there.write(to, "data"));
      expect(text(await there.read(from, 4))).toBe("data");
    });
  });
}
