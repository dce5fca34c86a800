//! Laws of handles that are sent over a Unix stream: a duplicate arrives with the first of its bytes.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { OP, OPEN, SHUTDOWN, SOCKET_TYPE } from "../../ts/abi.gen.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { errnoName, type Guest, must, pattern, text } from "./guest.ts";
import { needing } from "./needing.ts";

export function passingLaws(law: Law): void {
  const passingLaw = needing(law, "SEND_HANDLE", "RECEIVE_HANDLE", "SOCKET_PAIR", "PIPE");
  kindLaws(passingLaw);
  byteLaws(passingLaw);
  waitingLaws(passingLaw);
  refusalLaws(passingLaw);
  limitLaws(passingLaw);
}

function send(guest: Guest, handle: number, data: string, passed: number): Promise<number> {
  return guest.submit({ op: OP.SEND_HANDLE, handle, ...guest.put(data), otherHandle: passed });
}

/** Starts a RECEIVE_HANDLE; what came is looked up once it has ended. */
function receive(
  guest: Guest,
  handle: number,
  length = 64,
): {
  token: number;
  result: Promise<number>;
  handle: () => number;
  data: (bytes: number) => string;
} {
  const pointer = guest.alloc(length);
  const otherPointer = guest.alloc(4);
  const started = guest.start({ op: OP.RECEIVE_HANDLE, handle, pointer, length, otherPointer });
  return {
    ...started,
    handle: () => guest.view.getInt32(otherPointer, true),
    data: (bytes) => text(guest.bytes(pointer, bytes)),
  };
}

async function pass(guest: Guest, passed: number): Promise<number> {
  const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
  expect(await send(guest, one, "h", passed)).toBe(1);
  const received = receive(guest, other);
  expect(await received.result).toBe(1);
  must(await guest.close(one));
  must(await guest.close(other));
  return received.handle();
}

function kindLaws(law: Law): void {
  law(
    "a connection that was passed is the same one, and outlives the first handle",
    async (bench) => {
      const { guest } = bench;
      const { client, server } = await guest.pair();
      const passed = await pass(guest, client);
      expect(passed).not.toBe(client);
      must(await guest.close(client));
      const waiting = guest.read(passed, 16);
      await guest.writeAll(server, "to it");
      expect(text(await waiting)).toBe("to it");
      await guest.writeAll(passed, "from it");
      expect(text(await guest.readExactly(server, 7))).toBe("from it");
      expect(await guest.shutdown(passed, SHUTDOWN.WRITE)).toBe(0);
      expect(await guest.read(server, 1)).toHaveLength(0);
    },
  );

  law("both handles of a connection that was passed can be used, and wait", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const passed = await pass(guest, client);
    const first = guest.read(client, 4);
    await guest.roundTrip(await guest.pair());
    must(await guest.write(server, "data"));
    expect(text(await first)).toBe("data");
    const second = guest.read(passed, 4);
    await guest.roundTrip(await guest.pair());
    must(await guest.write(server, "more"));
    expect(text(await second)).toBe("more");
  });

  law("a listener that was passed accepts", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    const passed = await pass(guest, listener);
    const accepted = guest.accept(passed);
    await guest.roundTrip(await guest.pair());
    const client = must(await guest.connect(port));
    const server = must(await accepted);
    const waiting = guest.read(server, 4);
    await guest.roundTrip(await guest.pair());
    await guest.writeAll(client, "data");
    expect(text(await waiting)).toBe("data");
    const again = guest.accept(listener);
    must(await guest.connect(port));
    must(await again);
  });

  law("a UDP socket that was passed sends and receives", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const passed = await pass(guest, handle);
    must(await guest.close(handle));
    const waiting = guest.receiveFrom(passed);
    must(await guest.sendTo(passed, "datagram", address));
    expect(text((await waiting).data)).toBe("datagram");
  });

  law("a pair of datagram sockets stays connected when one is passed", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.DATAGRAM);
    const passed = await pass(guest, one);
    must(await guest.write(passed, "datagram"));
    expect(text(await guest.read(other, 64))).toBe("datagram");
  });

  law("the ends of a pipe can be passed", async ({ guest }) => {
    const [output, input] = await guest.pipe();
    const passedOutput = await pass(guest, output);
    const passedInput = await pass(guest, input);
    for (const handle of [output, input]) must(await guest.close(handle));
    const sent = pattern(200_000);
    const received = guest.readToEnd(passedOutput);
    await guest.writeAll(passedInput, sent);
    must(await guest.close(passedInput));
    expect(Buffer.compare(await received, sent)).toBe(0);
  });

  law("a file that was passed keeps its position, and what it was opened for", async (bench) => {
    const { guest, files, data } = bench;
    await files.write(join(data, "file"), "content");
    const file = must(await guest.open("/readonly/file", OPEN.READ));
    expect(text(await guest.read(file, 3))).toBe("con");
    const passed = await pass(guest, file);
    expect(text(await guest.read(passed, 4))).toBe("tent");
    expect(errnoName(await guest.pwrite(passed, "x", 0))).toBe("EBADF");
  });

  law("a handle can be sent over itself", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    expect(await send(guest, one, "self", one)).toBe(4);
    const received = receive(guest, other);
    expect(await received.result).toBe(4);
    must(await guest.close(one));
    await guest.writeAll(received.handle(), "through it");
    expect(text(await guest.readExactly(other, 10))).toBe("through it");
  });

  law("what was passed and never received is let go of", async ({ guest }) => {
    const { client, server } = await guest.pair();
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    must(await send(guest, one, "h", client));
    for (const handle of [client, one, other]) must(await guest.close(handle));
    expect(await guest.read(server, 1)).toHaveLength(0);
  });
}

function byteLaws(law: Law): void {
  law("a handle comes with the first of its bytes, and each alone", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    const [output, input] = await guest.pipe();
    must(await send(guest, one, "first", output));
    must(await send(guest, one, "second", input));
    for (const bytes of ["first", "second"]) {
      const received = receive(guest, other);
      expect(received.data(await received.result)).toBe(bytes);
      expect(received.handle()).toBeGreaterThan(0);
    }
  });

  law("RECEIVE_HANDLE of bytes alone tells -1, and so does the end", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    must(await guest.write(one, "bytes"));
    const received = receive(guest, other);
    expect(received.data(await received.result)).toBe("bytes");
    expect(received.handle()).toBe(-1);
    must(await guest.close(one));
    const end = receive(guest, other);
    expect(await end.result).toBe(0);
    expect(end.handle()).toBe(-1);
  });

  law("READ takes the bytes that a handle came with, and lets go of the handle", async (bench) => {
    const { guest, backend } = bench;
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    const [output, input] = await guest.pipe();
    must(await send(guest, one, "bytes", output));
    must(await guest.close(output));
    expect(text(await guest.read(other, 64))).toBe("bytes");
    expect(errnoName(await guest.write(input, "x"))).toBe("EPIPE");
    expect(backend.handlesOpen).toBe(3);
  });
}

function waitingLaws(law: Law): void {
  law("RECEIVE_HANDLE waits, over a growing memory too", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    const received = receive(guest, other);
    await guest.roundTrip(await guest.pair());
    guest.grow(2);
    must(await send(guest, one, "late", one));
    expect(received.data(await received.result)).toBe("late");
    expect(received.handle()).toBeGreaterThan(0);
  });

  law("a canceled RECEIVE_HANDLE took nothing, and CLOSE ends one with -EBADF", async (bench) => {
    const { guest } = bench;
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    const canceled = receive(guest, other);
    await guest.roundTrip(await guest.pair());
    guest.cancel(canceled.token);
    expect(errnoName(await canceled.result)).toBe("ECANCELED");
    must(await send(guest, one, "h", one));
    const received = receive(guest, other);
    expect(await received.result).toBe(1);
    expect(received.handle()).toBeGreaterThan(0);
    const closed = receive(guest, other);
    await guest.roundTrip(await guest.pair());
    expect(await guest.close(other)).toBe(0);
    expect(errnoName(await closed.result)).toBe("EBADF");
  });

  law("SEND_HANDLE waits for room, and sends what was closed meanwhile", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    const [output, input] = await guest.pipe();
    const bulk = guest.put(new Uint8Array(4 * 1024 * 1024));
    const write = guest.submit({ op: OP.WRITE, handle: one, ...bulk });
    const more = guest.submit({ op: OP.WRITE, handle: one, ...bulk });
    const sending = send(guest, one, "h", output);
    const canceled = guest.start({
      op: OP.SEND_HANDLE,
      handle: one,
      ...guest.put("c"),
      otherHandle: input,
    });
    await guest.roundTrip(await guest.pair());
    must(await guest.close(output));
    guest.cancel(canceled.token);
    expect(errnoName(await canceled.result)).toBe("ECANCELED");
    const reading = drainUntilHandle(guest, other);
    const total = (await Promise.all([write, more])).reduce((sum, count) => sum + must(count), 0);
    expect(await sending).toBe(1);
    const { bytes, handle } = await reading;
    expect(bytes).toBe(total + 1);
    must(await guest.write(input, "data"));
    expect(text(await guest.read(handle, 4))).toBe("data");
  });

  law("SEND_HANDLE to an end that was closed gives -EPIPE", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    must(await guest.close(other));
    expect(errnoName(await send(guest, one, "h", one))).toBe("EPIPE");
  });
}

async function drainUntilHandle(
  guest: Guest,
  handle: number,
): Promise<{ bytes: number; handle: number }> {
  for (let bytes = 0; ; ) {
    const received = receive(guest, handle, 256 * 1024);
    bytes += must(await received.result);
    if (received.handle() >= 0) return { bytes, handle: received.handle() };
  }
}

function refusalLaws(law: Law): void {
  law("a handle is sent with a byte at least: -EINVAL", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    expect(errnoName(await send(guest, one, "", one))).toBe("EINVAL");
    expect(errnoName(await receive(guest, other, 0).result)).toBe("EINVAL");
  });

  law("handles go over Unix streams alone", async (bench) => {
    const { guest } = bench;
    const [one] = await guest.socketPair(SOCKET_TYPE.STREAM);
    for (const [handle, errno] of await othersOf(bench)) {
      expect(`${handle} ${errnoName(await send(guest, handle, "h", one))}`).toBe(
        `${handle} ${errno}`,
      );
      expect(errnoName(await receive(guest, handle).result)).toBe(errno);
    }
  });

  law("a forged handle gives -EBADF, as what carries and as what is carried", async ({ guest }) => {
    const [one] = await guest.socketPair(SOCKET_TYPE.STREAM);
    for (const forged of [0, -1, 1, one + 1000, one ^ (1 << 20), 0x7fff_ffff, -0x8000_0000]) {
      expect(errnoName(await send(guest, one, "h", forged))).toBe("EBADF");
      expect(errnoName(await send(guest, forged, "h", one))).toBe("EBADF");
      expect(errnoName(await receive(guest, forged).result)).toBe("EBADF");
    }
  });

  law("memory that the guest does not have gives -EFAULT, and takes nothing", async ({ guest }) => {
    const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
    must(await send(guest, one, "h", one));
    const end = guest.memory.buffer.byteLength;
    const good = guest.put("....");
    for (const pointer of [end, end - 3, 0xffff_ffff, 0xffff_fffd]) {
      const wild = { op: OP.RECEIVE_HANDLE, handle: other, ...good, otherPointer: pointer };
      expect(errnoName(await guest.submit(wild))).toBe("EFAULT");
      const buffer = { handle: other, pointer, length: 4, otherPointer: good.pointer };
      expect(errnoName(await guest.submit({ op: OP.RECEIVE_HANDLE, ...buffer }))).toBe("EFAULT");
      const sent = { op: OP.SEND_HANDLE, handle: one, pointer, length: 4, otherHandle: one };
      expect(errnoName(await guest.submit(sent))).toBe("EFAULT");
    }
    const received = receive(guest, other);
    expect(await received.result).toBe(1);
    expect(received.handle()).toBeGreaterThan(0);
  });
}

/** A handle of each kind that is no Unix stream, and what it says. */
async function othersOf({ guest }: Bench): Promise<[number, string][]> {
  const { client, listener } = await guest.pair();
  const { handle: udp } = await guest.udp();
  const [output] = await guest.pipe();
  const [datagrams] = await guest.socketPair(SOCKET_TYPE.DATAGRAM);
  const file = must(await guest.open("/data/f", OPEN.READ | OPEN.WRITE | OPEN.CREATE));
  return [
    [client, "ENOTSUP"],
    [listener, "ENOTCONN"],
    [udp, "ENOTSUP"],
    [output, "ENOTSUP"],
    [datagrams, "ENOTSUP"],
    [file, "ENOTSOCK"],
  ];
}

function limitLaws(law: Law): void {
  law(
    "RECEIVE_HANDLE takes nothing while there is no room for a handle: -EMFILE",
    async ({ guest, backend }) => {
      const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
      const listener = must(await guest.listen());
      must(await send(guest, one, "h", listener));
      expect(errnoName(await receive(guest, other).result)).toBe("EMFILE");
      must(await guest.close(listener));
      const received = receive(guest, other);
      expect(await received.result).toBe(1);
      expect(received.handle()).toBeGreaterThan(0);
      expect(backend.handlesOpen).toBe(3);
    },
    { handlesMax: 3 },
  );

  law(
    "a handle that comes when there is no room any more is let go of",
    async ({ guest, backend }) => {
      const [one, other] = await guest.socketPair(SOCKET_TYPE.STREAM);
      const received = receive(guest, other);
      await guest.localAddress(one);
      must(await guest.listen());
      must(await send(guest, one, "h", one));
      expect(await received.result).toBe(1);
      expect(received.handle()).toBe(-1);
      expect(backend.handlesOpen).toBe(3);
    },
    { handlesMax: 3 },
  );
}
