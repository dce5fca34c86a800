//! Laws of several datagrams at once: what is sent, up to the first that cannot be, and what is received.

import { expect } from "vitest";
import { ADDRESS, DATAGRAM, IOVEC_MAX, OP } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { type Address, errnoName, type Guest, LOOPBACK, must, pattern, text } from "./guest.ts";
import { notUdp } from "./not-udp.ts";

/** A datagram to send, or room for one. */
interface Record {
  readonly pointer: number;
  readonly length: number;
  /** Absent: where the socket is connected to. */
  readonly to?: Address;
}

/** What RECEIVE_BATCH says of one. */
interface Received {
  readonly data: Uint8Array;
  readonly truncated: number;
  readonly source: Address;
}

/** What is in `result` and `truncated` before anybody has written there. */
const UNTOUCHED = 0x5555_5555;

function records(guest: Guest, list: readonly Record[]): { pointer: number; length: number } {
  const pointer = guest.alloc(list.length * DATAGRAM.size);
  for (const [index, { pointer: at, length, to }] of list.entries()) {
    const record = pointer + index * DATAGRAM.size;
    guest.view.setUint32(record + DATAGRAM.pointer, at, true);
    guest.view.setUint32(record + DATAGRAM.length, length, true);
    guest.view.setInt32(record + DATAGRAM.result, UNTOUCHED, true);
    guest.view.setUint32(record + DATAGRAM.truncated, UNTOUCHED, true);
    if (to === undefined) continue;
    const address = guest.bytes(guest.putAddress(to), ADDRESS.size);
    new Uint8Array(guest.memory.buffer).set(address, record + DATAGRAM.address);
  }
  return { pointer, length: list.length };
}

function results(guest: Guest, { pointer, length }: Record): number[] {
  return Array.from({ length }, (_, index) =>
    guest.view.getInt32(pointer + index * DATAGRAM.size + DATAGRAM.result, true),
  );
}

/** Receives into buffers of these lengths. */
async function receiveBatch(
  guest: Guest,
  handle: number,
  lengths: readonly number[],
): Promise<Received[]> {
  const buffers = lengths.map((length) => ({ pointer: guest.alloc(length), length }));
  const batch = records(guest, buffers);
  const count = must(await guest.submit({ op: OP.RECEIVE_BATCH, handle, ...batch }));
  return Array.from({ length: count }, (_, index) => {
    const record = batch.pointer + index * DATAGRAM.size;
    const bytes = guest.view.getInt32(record + DATAGRAM.result, true);
    return {
      data: guest.bytes(buffers[index]!.pointer, bytes),
      truncated: guest.view.getUint32(record + DATAGRAM.truncated, true),
      source: guest.getAddress(record + DATAGRAM.address),
    };
  });
}

/** The first `count` that come, in as many batches as it takes. */
async function receiveAll(guest: Guest, handle: number, count: number): Promise<Received[]> {
  const all: Received[] = [];
  while (all.length < count) {
    all.push(...(await receiveBatch(guest, handle, new Array(count - all.length).fill(2048))));
  }
  return all;
}

export function udpBatchLaws(law: Law): void {
  sendLaws(law);
  stopLaws(law);
  receiveLaws(law);
  refusalLaws(law);
}

function sendLaws(law: Law): void {
  law("SEND_BATCH sends each datagram to its own address, in order", async ({ guest }) => {
    const sender = await guest.udp();
    const [one, two] = [await guest.udp(), await guest.udp()];
    const sent = Array.from({ length: 30 }, (_, index) => pattern(index * 20, index + 1));
    const batch = records(
      guest,
      sent.map((data, index) => ({
        ...guest.put(data),
        to: (index % 2 === 0 ? one : two).address,
      })),
    );
    expect(await guest.submit({ op: OP.SEND_BATCH, handle: sender.handle, ...batch })).toBe(30);
    expect(results(guest, batch)).toEqual(sent.map(({ length }) => length));
    for (const [index, { handle }] of [one, two].entries()) {
      const expected = sent.filter((_, place) => place % 2 === index);
      const received = await receiveAll(guest, handle, expected.length);
      for (const [place, { data, truncated, source }] of received.entries()) {
        expect(Buffer.compare(data, expected[place]!)).toBe(0);
        expect(truncated).toBe(0);
        expect(source).toEqual(sender.address);
      }
    }
  });

  law("a batch of a connected socket needs no addresses", async ({ guest }) => {
    const sender = await guest.udp();
    const receiver = await guest.udp();
    must(await guest.udpConnect(sender.handle, receiver.address));
    const batch = records(guest, [guest.put("one"), guest.put(""), guest.put("three")]);
    expect(await guest.submit({ op: OP.SEND_BATCH, handle: sender.handle, ...batch })).toBe(3);
    const received = await receiveAll(guest, receiver.handle, 3);
    expect(received.map(({ data }) => text(data))).toEqual(["one", "", "three"]);
    must(await guest.sendTo(receiver.handle, "back", sender.address));
    const [back] = await receiveAll(guest, sender.handle, 1);
    expect(text(back!.data)).toBe("back");
    expect(back!.source).toEqual(receiver.address);
  });

  law("batches of no datagrams are done at once, whatever they point to", async ({ guest }) => {
    const { handle } = await guest.udp();
    for (const op of [OP.SEND_BATCH, OP.RECEIVE_BATCH]) {
      expect(await guest.submit({ op, handle, pointer: 8, length: 0 })).toBe(0);
    }
  });

  law("an empty datagram of a batch may point anywhere", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const nothing = { pointer: 0xffff_ffff, length: 0 };
    const out = records(guest, [{ ...nothing, to: address }]);
    expect(await guest.submit({ op: OP.SEND_BATCH, handle, ...out })).toBe(1);
    expect(await guest.submit({ op: OP.RECEIVE_BATCH, handle, ...records(guest, [nothing]) })).toBe(
      1,
    );
  });
}

function stopLaws(law: Law): void {
  law("SEND_BATCH ends before what cannot be sent, and as its first fails", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const end = guest.memory.buffer.byteLength;
    for (const [bad, errno] of [
      [{ ...guest.put("x"), to: { ...address, port: 0 } }, "EINVAL"],
      [{ ...guest.put("x"), to: { bytes: new Array(16).fill(1), port: 9 } }, "EAFNOSUPPORT"],
      [{ ...guest.put("x") }, "EDESTADDRREQ"],
      [{ pointer: 0xffff_fff0, length: 64, to: address }, "EFAULT"],
      [{ pointer: end - 3, length: 4, to: address }, "EFAULT"],
      [{ ...guest.put(pattern(65_528)), to: address }, "EMSGSIZE"],
      [{ ...guest.put(pattern(65_508)), to: address }, "EMSGSIZE"],
    ] as const) {
      const good = (): Record => ({ ...guest.put("good"), to: address });
      const first = records(guest, [bad, good()]);
      const alone = await guest.submit({ op: OP.SEND_BATCH, handle, ...first });
      expect(errnoName(alone)).toBe(errno);
      expect(results(guest, first)).toEqual([UNTOUCHED, UNTOUCHED]);
      const third = records(guest, [good(), good(), bad, good()]);
      expect(await guest.submit({ op: OP.SEND_BATCH, handle, ...third })).toBe(2);
      expect(results(guest, third)).toEqual([4, 4, UNTOUCHED, UNTOUCHED]);
      must(await guest.sendTo(handle, "last", address));
      const received = await receiveAll(guest, handle, 3);
      expect(received.map(({ data }) => text(data))).toEqual(["good", "good", "last"]);
    }
  });

  law("a connected socket's batch names no addresses", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    must(await guest.udpConnect(handle, address));
    const named = records(guest, [{ ...guest.put("x"), to: address }]);
    const result = await guest.submit({ op: OP.SEND_BATCH, handle, ...named });
    expect(errnoName(result)).toBe("EISCONN");
  });

  law(
    "SEND_BATCH ends before a destination that is not granted",
    async ({ guest }) => {
      const { handle, address } = await guest.udp();
      const granted = { ...guest.put("x"), to: { bytes: LOOPBACK, port: 9 } };
      const other = { ...guest.put("x"), to: address };
      const batch = records(guest, [granted, granted, other, granted]);
      expect(await guest.submit({ op: OP.SEND_BATCH, handle, ...batch })).toBe(2);
      const alone = records(guest, [other, granted]);
      const result = await guest.submit({ op: OP.SEND_BATCH, handle, ...alone });
      expect(errnoName(result)).toBe("ENOTCAPABLE");
    },
    {
      grants: () => ({
        listen: [{}],
        connect: [{ bytes: Uint8Array.from(LOOPBACK), port: 9 }],
      }),
    },
  );
}

function receiveLaws(law: Law): void {
  law("RECEIVE_BATCH takes what has come, up to its length", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const sent = Array.from({ length: 10 }, (_, index) => `${index}`);
    for (const data of sent) must(await guest.sendTo(handle, data, address));
    await guest.roundTrip(await guest.pair());
    const first = await receiveBatch(guest, handle, [8, 8, 8]);
    expect(first.map(({ data }) => text(data))).toEqual(["0", "1", "2"]);
    const rest = await receiveAll(guest, handle, 7);
    expect(rest.map(({ data }) => text(data))).toEqual(sent.slice(3));
  });

  law("RECEIVE_BATCH waits for the first datagram, and for no other", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const waiting = receiveBatch(guest, handle, [8, 8]);
    await guest.localAddress(handle);
    must(await guest.sendTo(handle, "first", address));
    const received = await waiting;
    expect(received.map(({ data }) => text(data))).toEqual(["first"]);
    expect(received[0]!.source).toEqual(address);
  });

  law("RECEIVE_BATCH tells which datagrams it has cut", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    for (const data of ["whole", "cut off", ""]) must(await guest.sendTo(handle, data, address));
    await guest.roundTrip(await guest.pair());
    const received = await receiveBatch(guest, handle, [5, 3, 4]);
    expect(received.map(({ data, truncated }) => [text(data), truncated])).toEqual([
      ["whole", 0],
      ["cut", 1],
      ["", 0],
    ]);
  });

  law("RECEIVE_BATCH, RECEIVE_FROM and READ are served in their order", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const batch = receiveBatch(guest, handle, [8]);
    const single = guest.receiveFrom(handle);
    const second = receiveBatch(guest, handle, [8]);
    await guest.localAddress(handle);
    for (const data of ["a", "b", "c"]) must(await guest.sendTo(handle, data, address));
    expect(text((await batch)[0]!.data)).toBe("a");
    expect(text((await single).data)).toBe("b");
    expect(text((await second)[0]!.data)).toBe("c");
  });

  law("a RECEIVE_BATCH that waits is cancelled, and closed, and loses nothing", async (bench) => {
    const { guest } = bench;
    const { handle, address } = await guest.udp();
    const room = records(guest, [guest.put("...."), guest.put("....")]);
    const canceled = guest.start({ op: OP.RECEIVE_BATCH, handle, ...room });
    await guest.localAddress(handle);
    guest.cancel(canceled.token);
    expect(errnoName(await canceled.result)).toBe("ECANCELED");
    expect(results(guest, room)).toEqual([UNTOUCHED, UNTOUCHED]);
    must(await guest.sendTo(handle, "kept", address));
    expect(text((await guest.receiveFrom(handle)).data)).toBe("kept");
    const closed = guest.submit({ op: OP.RECEIVE_BATCH, handle, ...room });
    await guest.localAddress(handle);
    must(await guest.close(handle));
    expect(errnoName(await closed)).toBe("EBADF");
  });

  law("batches in flight while the memory grows move their bytes", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const buffer = guest.put("....");
    const room = records(guest, [buffer]);
    const receiving = guest.submit({ op: OP.RECEIVE_BATCH, handle, ...room });
    await guest.localAddress(handle);
    guest.grow(3);
    const out = records(guest, [{ ...guest.put("grow"), to: address }]);
    const sending = guest.submit({ op: OP.SEND_BATCH, handle, ...out });
    guest.turn();
    guest.grow(3);
    expect(await sending).toBe(1);
    expect(await receiving).toBe(1);
    expect(text(guest.bytes(buffer.pointer, 4))).toBe("grow");
    expect(results(guest, room)).toEqual([4]);
  });
}

function refusalLaws(law: Law): void {
  law("a batch of too many gives -EINVAL, and one in the wild -EFAULT", async ({ guest }) => {
    const { handle } = await guest.udp();
    const end = guest.memory.buffer.byteLength;
    const wild = { pointer: 0xffff_fff0, length: 64 };
    for (const op of [OP.SEND_BATCH, OP.RECEIVE_BATCH]) {
      for (const length of [IOVEC_MAX + 1, 0x8000_0000, 0xffff_ffff]) {
        const result = await guest.submit({ op, handle, pointer: 8, length });
        expect(errnoName(result)).toBe("EINVAL");
      }
      for (const pointer of [end, end - DATAGRAM.size + 1, 0xffff_fff8]) {
        const result = await guest.submit({ op, handle, pointer, length: 1 });
        expect(errnoName(result)).toBe("EFAULT");
      }
    }
    const room = records(guest, [guest.put("...."), wild]);
    const receive = await guest.submit({ op: OP.RECEIVE_BATCH, handle, ...room });
    expect(errnoName(receive)).toBe("EFAULT");
  });

  law("batches are refused on TCP and on a file", async ({ guest }) => {
    const batch = records(guest, [guest.put("x")]);
    for (const [handle, errno] of await notUdp(guest)) {
      for (const op of [OP.SEND_BATCH, OP.RECEIVE_BATCH]) {
        for (const length of [0, 1]) {
          const result = await guest.submit({ op, handle, pointer: batch.pointer, length });
          expect(errnoName(result)).toBe(errno);
        }
      }
    }
  });
}
