//! Laws of pipes and of pairs of sockets: bytes between two handles of one guest.

import { expect } from "vitest";
import { ADDRESS, OP, SHUTDOWN, SOCKET_TYPE } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, type Guest, must, pattern, text } from "./guest.ts";
import { needing } from "./needing.ts";

/** More than a pipe or a socket holds. */
const MUCH = 1024 * 1024;

export function pipeLaws(law: Law): void {
  const pipeLaw = needing(law, "PIPE");
  const pairLaw = needing(law, "SOCKET_PAIR");
  transferLaws(pipeLaw);
  waitingLaws(pipeLaw);
  pairLaws(pairLaw);
  for (const [name, op] of [
    ["PIPE", OP.PIPE],
    ["SOCKET_PAIR", OP.SOCKET_PAIR],
  ] as const) {
    openingLaws(name === "PIPE" ? pipeLaw : pairLaw, name, op);
  }
}

function transferLaws(law: Law): void {
  law(
    "what is written to a pipe is read from it, in order, and then it ends",
    async ({ guest }) => {
      const [output, input] = await guest.pipe();
      const sent = pattern(300_000);
      const received = guest.readToEnd(output, 50_000);
      await guest.writeAll(input, sent);
      must(await guest.close(input));
      expect(Buffer.compare(await received, sent)).toBe(0);
      expect(await guest.read(output, 10)).toHaveLength(0);
    },
  );

  law("a pipe's vectors are filled and emptied in order", async ({ guest }) => {
    const [output, input] = await guest.pipe();
    const from = guest.iovecs([guest.put("ab"), guest.put(""), guest.put("cde")]);
    expect(await guest.submit({ op: OP.WRITEV, handle: input, pointer: from, length: 3 })).toBe(5);
    const pieces = [guest.put("---"), guest.put("---")];
    const into = { handle: output, pointer: guest.iovecs(pieces), length: 2 };
    expect(await guest.submit({ op: OP.READV, ...into })).toBe(5);
    expect(pieces.map(({ pointer }) => text(guest.bytes(pointer, 3)))).toEqual(["abc", "de-"]);
  });

  law("a pipe's ends go one way: -EBADF for the other", async ({ guest }) => {
    const [output, input] = await guest.pipe();
    expect(errnoName(await guest.write(output, "x"))).toBe("EBADF");
    const read = { op: OP.READ, handle: input, ...guest.put("?") };
    expect(errnoName(await guest.submit(read))).toBe("EBADF");
  });

  law("a pipe is no socket, and has no positions", async ({ guest }) => {
    for (const handle of await guest.pipe()) {
      const pointer = guest.alloc(ADDRESS.size);
      const answer = async (op: number) =>
        errnoName(await guest.submit({ op, handle, pointer, length: 1 }));
      for (const op of [OP.SHUTDOWN, OP.LOCAL_ADDRESS, OP.PEER_ADDRESS])
        expect(await answer(op)).toBe("ENOTSOCK");
      expect(await answer(OP.PREAD)).toBe("ESPIPE");
      expect(await answer(OP.PWRITE)).toBe("ESPIPE");
      expect(await answer(OP.FSYNC)).toBe("EINVAL");
      expect(await answer(OP.ACCEPT)).toBe("EINVAL");
    }
  });

  law("WRITE to a pipe that nobody reads gives -EPIPE, and no signal", async ({ guest }) => {
    let signals = 0;
    const onSignal = (): void => void signals++;
    process.on("SIGPIPE", onSignal);
    try {
      const [output, input] = await guest.pipe();
      must(await guest.close(output));
      for (const op of [OP.WRITE, OP.WRITEV]) {
        const buffer = guest.put("lost");
        const vector = { pointer: guest.iovecs([buffer]), length: 1 };
        const written = { op, handle: input, ...(op === OP.WRITE ? buffer : vector) };
        expect(errnoName(await guest.submit(written))).toBe("EPIPE");
      }
      for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(signals).toBe(0);
    } finally {
      process.off("SIGPIPE", onSignal);
    }
  });
}

function waitingLaws(law: Law): void {
  law("READ of an empty pipe waits, and CLOSE of the other end ends it", async ({ guest }) => {
    const [output, input] = await guest.pipe();
    const first = guest.read(output, 4);
    const second = guest.read(output, 4);
    await guest.roundTrip(await guest.pair());
    must(await guest.write(input, "data"));
    expect(text(await first)).toBe("data");
    must(await guest.close(input));
    expect(await second).toHaveLength(0);
  });

  law("WRITE to a full pipe waits for room, and every byte arrives once", async ({ guest }) => {
    const [output, input] = await guest.pipe();
    const sent = pattern(MUCH);
    const writing = guest.writeAll(input, sent).then(() => guest.close(input));
    await guest.roundTrip(await guest.pair());
    const received = await guest.readToEnd(output);
    expect(await writing).toBe(0);
    expect(Buffer.compare(received, sent)).toBe(0);
  });

  law(
    "a WRITE that waits for room in a pipe ends with -EPIPE when its reader closes",
    async (bench) => {
      const { guest } = bench;
      const [output, input] = await guest.pipe();
      const waiting = await fill(guest, input);
      must(await guest.close(output));
      expect(errnoName(await waiting.result)).toBe("EPIPE");
    },
  );

  law("a canceled READ or WRITE of a pipe has moved nothing", async ({ guest }) => {
    const [output, input] = await guest.pipe();
    const reading = guest.start({ op: OP.READ, handle: output, ...guest.put("....") });
    await guest.roundTrip(await guest.pair());
    guest.cancel(reading.token);
    expect(errnoName(await reading.result)).toBe("ECANCELED");
    const waiting = await fill(guest, input);
    guest.cancel(waiting.token);
    expect(errnoName(await waiting.result)).toBe("ECANCELED");
    must(await guest.close(input));
    const received = await guest.readToEnd(output);
    expect(received).toHaveLength(waiting.before);
    expect(new Set(received)).toEqual(new Set([1]));
  });

  law("CLOSE of a pipe's end ends what waits on it with -EBADF", async ({ guest }) => {
    const [output, input] = await guest.pipe();
    const reading = guest.submit({ op: OP.READ, handle: output, ...guest.put("....") });
    await guest.roundTrip(await guest.pair());
    expect(await guest.close(output)).toBe(0);
    expect(errnoName(await reading)).toBe("EBADF");
    const [, full] = await guest.pipe();
    const waiting = await fill(guest, full);
    expect(await guest.close(full)).toBe(0);
    expect(errnoName(await waiting.result)).toBe("EBADF");
    must(await guest.close(input));
  });

  law(
    "transfers of a pipe that wait while the memory grows move their bytes",
    async ({ guest }) => {
      const [output, input] = await guest.pipe();
      const into = guest.put("-----");
      const reading = guest.submit({ op: OP.READ, handle: output, ...into });
      await guest.roundTrip(await guest.pair());
      guest.grow(2);
      must(await guest.write(input, "grown"));
      expect(await reading).toBe(5);
      expect(text(guest.bytes(into.pointer, 5))).toBe("grown");
    },
  );
}

function pairLaws(law: Law): void {
  law(
    "a pair of streams carries bytes both ways, and ends one way at a time",
    async ({ guest }) => {
      const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
      await guest.writeAll(one, "there");
      await guest.writeAll(other, "back");
      expect(text(await guest.readExactly(other, 5))).toBe("there");
      expect(text(await guest.readExactly(one, 4))).toBe("back");
      expect(await guest.shutdown(one, SHUTDOWN.WRITE)).toBe(0);
      expect(await guest.read(other, 1)).toHaveLength(0);
      expect(errnoName(await guest.write(one, "x"))).toBe("EPIPE");
      await guest.writeAll(other, "still");
      expect(text(await guest.readExactly(one, 5))).toBe("still");
      must(await guest.close(one));
      expect(errnoName(await guest.write(other, "x"))).toBe("EPIPE");
    },
  );

  law("a pair of streams moves more than it holds", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    const sent = pattern(MUCH);
    const received = guest.readToEnd(other);
    await guest.writeAll(one, sent);
    must(await guest.close(one));
    expect(Buffer.compare(await received, sent)).toBe(0);
  });

  law("the addresses of a Unix socket have no family", async ({ guest }) => {
    const [one] = await guest.socketPair(SOCKET_TYPE.STREAM);
    for (const op of [OP.LOCAL_ADDRESS, OP.PEER_ADDRESS]) {
      const pointer = guest.alloc(ADDRESS.size);
      new Uint8Array(guest.memory.buffer).fill(0xff, pointer, pointer + ADDRESS.size);
      expect(await guest.submit({ op, handle: one, pointer })).toBe(0);
      expect(guest.bytes(pointer, ADDRESS.size)).toEqual(new Uint8Array(ADDRESS.size));
    }
  });

  law("a pair of datagram sockets keeps what is written apart", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.DATAGRAM);
    for (const message of ["first", "2", "third"]) must(await guest.write(one, message));
    expect(text(await guest.read(other, 64))).toBe("first");
    expect(text(await guest.read(other, 64))).toBe("2");
    expect(text(await guest.read(other, 2))).toBe("th");
    const waiting = guest.read(other, 64);
    must(await guest.write(other, "back"));
    expect(text(await guest.read(one, 64))).toBe("back");
    must(await guest.write(one, "late"));
    expect(text(await waiting)).toBe("late");
  });

  law("RECEIVE_FROM of a pair of datagram sockets tells no address", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.DATAGRAM);
    must(await guest.write(one, "data"));
    const argument = guest.put(new Uint8Array(ADDRESS.size).fill(0xff)).pointer;
    const into = guest.put("....");
    expect(await guest.submit({ op: OP.RECEIVE_FROM, handle: other, ...into, argument })).toBe(4);
    expect(guest.bytes(argument, ADDRESS.size)).toEqual(new Uint8Array(ADDRESS.size));
    const to = guest.putAddress({ bytes: [127, 0, 0, 1], port: 9 });
    const sent = { op: OP.SEND_TO, handle: one, ...into, argument: to };
    expect(errnoName(await guest.submit(sent))).toBe("EAFNOSUPPORT");
  });

  law("SOCKET_PAIR of an unknown type gives -EINVAL", async ({ guest }) => {
    const pointer = guest.alloc(8);
    for (const argument of [2, 5, 0xffff_ffff]) {
      expect(errnoName(await guest.submit({ op: OP.SOCKET_PAIR, pointer, argument }))).toBe(
        "EINVAL",
      );
    }
  });
}

function openingLaws(law: Law, name: string, op: number): void {
  law(
    `${name} writes to the memory alone: -EFAULT elsewhere, and nothing is opened`,
    async (bench) => {
      const { guest, backend } = bench;
      const end = guest.memory.buffer.byteLength;
      for (const pointer of [end, end - 7, 0xffff_ffff, 0xffff_fff8]) {
        expect(errnoName(await guest.submit({ op, pointer }))).toBe("EFAULT");
      }
      expect(await guest.submit({ op, pointer: end - 8 })).toBe(0);
      expect(backend.handlesOpen).toBe(2);
    },
  );

  law(
    `${name} without room for both handles gives -EMFILE, and opens none`,
    async ({ guest, backend }) => {
      const pointer = guest.alloc(8);
      expect(await guest.submit({ op, pointer })).toBe(0);
      expect(errnoName(await guest.submit({ op, pointer }))).toBe("EMFILE");
      expect(backend.handlesOpen).toBe(2);
      must(await guest.close(guest.view.getInt32(pointer, true)));
      must(await guest.close(guest.view.getInt32(pointer + 4, true)));
      expect(await guest.submit({ op, pointer })).toBe(0);
    },
    { handlesMax: 3 },
  );
}

/** Writes ones until a WRITE waits: that, and how many ones there are. */
async function fill(
  guest: Guest,
  handle: number,
): Promise<{ token: number; result: Promise<number>; before: number }> {
  const ones = guest.put(new Uint8Array(64 * 1024).fill(1));
  const other = await guest.pair();
  for (let before = 0; ; ) {
    const { token, result } = guest.start({ op: OP.WRITE, handle, ...ones });
    let ended: number | undefined;
    void result.then((count) => {
      ended = count;
    });
    await guest.roundTrip(other);
    if (ended === undefined) {
      return { token, result, before };
    }
    before += must(ended);
  }
}
