//! Laws of a UDP socket as a handle: what works on it, cancel, close, the guest's memory, wild pointers.

import { expect } from "vitest";
import { ADDRESS, OP, SHUTDOWN } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, LOOPBACK, must, pattern, text } from "./guest.ts";
import { notUdp } from "./not-udp.ts";

export function udpHandleLaws(law: Law): void {
  kindLaws(law);
  cancelLaws(law);
  closeLaws(law);
  memoryLaws(law);
  pointerLaws(law);

  law(
    "UDP_BIND of one handle too many gives -EMFILE",
    async ({ guest, backend }) => {
      const first = await guest.udp();
      must(await guest.listen());
      expect(errnoName(await guest.udpBind())).toBe("EMFILE");
      expect(backend.handlesOpen).toBe(2);
      must(await guest.close(first.handle));
      must(await guest.udpBind());
    },
    { handlesMax: 2 },
  );
}

function kindLaws(law: Law): void {
  law("on a UDP socket nothing works but its own operations", async ({ guest }) => {
    const { handle } = await guest.udp();
    const pointer = guest.alloc(ADDRESS.size);
    const vector = guest.iovecs([{ pointer, length: 1 }]);
    for (const length of [0, 1]) {
      for (const [op, at, errno] of [
        [OP.READ, pointer, "ENOTCONN"],
        [OP.READV, vector, "ENOTCONN"],
        [OP.WRITE, pointer, "EDESTADDRREQ"],
        [OP.WRITEV, vector, "EDESTADDRREQ"],
        [OP.PREAD, pointer, "ESPIPE"],
        [OP.PWRITE, pointer, "ESPIPE"],
        [OP.FSYNC, 0, "EINVAL"],
        [OP.ACCEPT, pointer, "ENOTSUP"],
        [OP.PEER_ADDRESS, pointer, "ENOTCONN"],
      ] as const) {
        const result = await guest.submit({ op, handle, pointer: at, length });
        expect(`${op}: ${errnoName(result)}`).toBe(`${op}: ${errno}`);
      }
    }
  });

  law("a UDP socket cannot be shut down, and works after the attempt", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    for (const how of [SHUTDOWN.READ, SHUTDOWN.WRITE, SHUTDOWN.BOTH]) {
      expect(errnoName(await guest.shutdown(handle, how))).toBe("ENOTCONN");
    }
    expect(errnoName(await guest.shutdown(handle, 3))).toBe("EINVAL");
    must(await guest.sendTo(handle, "open", address));
    expect(text((await guest.receiveFrom(handle)).data)).toBe("open");
  });

  law("SEND_TO and RECEIVE_FROM are refused on TCP and on a file", async ({ guest }) => {
    const argument = guest.putAddress((await guest.udp()).address);
    for (const [handle, errno] of await notUdp(guest)) {
      for (const op of [OP.SEND_TO, OP.RECEIVE_FROM]) {
        for (const length of [0, 1]) {
          const { pointer } = guest.put("x");
          const result = await guest.submit({ op, handle, pointer, length, argument });
          expect(errnoName(result)).toBe(errno);
        }
      }
    }
  });
}

function cancelLaws(law: Law): void {
  law("cancel ends a waiting RECEIVE_FROM, and the next one works", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    for (const sameBatch of [false, true]) {
      const buffer = guest.put("????");
      const argument = guest.putAddress({ bytes: [1, 2, 3, 4], port: 5 });
      const receive = guest.start({ op: OP.RECEIVE_FROM, handle, ...buffer, argument });
      if (!sameBatch) await guest.localAddress(handle); // The RECEIVE_FROM is in flight.
      guest.cancel(receive.token);
      guest.cancel(receive.token);
      expect(errnoName(await receive.result)).toBe("ECANCELED");
      must(await guest.sendTo(handle, "next", address));
      expect(text((await guest.receiveFrom(handle)).data)).toBe("next");
      expect(text(guest.bytes(buffer.pointer, 4))).toBe("????");
      expect(guest.getAddress(argument)).toEqual({ bytes: [1, 2, 3, 4], port: 5 });
      expect(guest.log.filter(({ token }) => token === receive.token)).toHaveLength(1);
    }
  });

  law("cancel of a RECEIVE_FROM that has finished is ignored", async ({ guest, backend }) => {
    const { handle, address } = await guest.udp();
    const receive = guest.start({ op: OP.RECEIVE_FROM, handle, ...guest.put("?") });
    must(await guest.sendTo(handle, "x", address));
    expect(await receive.result).toBe(1);
    guest.cancel(receive.token);
    await guest.localAddress(handle);
    expect(guest.log.filter(({ token }) => token === receive.token)).toHaveLength(1);
    expect(backend.pending).toBe(0);
  });

  law("cancel of one RECEIVE_FROM leaves the others in order", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const buffers = ["-", "-", "-", "-"].map((filler) => guest.put(filler));
    const receives = buffers.map((buffer) =>
      guest.start({ op: OP.RECEIVE_FROM, handle, ...buffer }),
    );
    await guest.localAddress(handle);
    for (const index of [1, 0]) {
      guest.cancel(receives[index]!.token);
      expect(errnoName(await receives[index]!.result)).toBe("ECANCELED");
    }
    for (const data of ["a", "b"]) must(await guest.sendTo(handle, data, address));
    for (const index of [2, 3]) expect(await receives[index]!.result).toBe(1);
    expect(buffers.map(({ pointer }) => text(guest.bytes(pointer, 1))).join("")).toBe("--ab");
  });

  law("a cancelled RECEIVE_FROM loses no datagram", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const received: number[] = [];
    for (let index = 0; index < 200; index++) {
      // Cancelled before, while and after the datagram arrives, as the batches happen to fall.
      const buffer = guest.put(new Uint8Array(4));
      const receive = guest.start({ op: OP.RECEIVE_FROM, handle, ...buffer });
      if (index % 3 === 0) await guest.localAddress(handle);
      const send = guest.sendTo(handle, Uint8Array.of(index), address);
      if (index % 4 === 0) await send;
      guest.cancel(receive.token);
      const result = await receive.result;
      if (result >= 0) received.push(guest.bytes(buffer.pointer, 1)[0]!);
      else expect(errnoName(result)).toBe("ECANCELED");
      must(await send);
    }
    while (received.length < 200) received.push((await guest.receiveFrom(handle)).data[0]!);
    expect(received).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });

  law("a cancelled SEND_TO sent the datagram or did not, as its result says", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const argument = guest.putAddress(address);
    for (const sameBatch of [true, false]) {
      const sends = Array.from({ length: 50 }, (_, index) =>
        guest.start({ op: OP.SEND_TO, handle, ...guest.put(Uint8Array.of(index)), argument }),
      );
      if (!sameBatch) await guest.localAddress(handle);
      for (const { token } of sends) guest.cancel(token);
      const results = await Promise.all(sends.map(({ result }) => result));
      const sent: number[] = [];
      for (const [index, result] of results.entries()) {
        if (result >= 0) sent.push(index);
        else expect(errnoName(result)).toBe("ECANCELED");
      }
      must(await guest.sendTo(handle, "end", address));
      for (const index of sent) {
        expect((await guest.receiveFrom(handle)).data).toEqual(Uint8Array.of(index));
      }
      expect(text((await guest.receiveFrom(handle)).data)).toBe("end");
    }
  });

  law("a cancelled UDP_BIND gives -ECANCELED or a handle, and leaks none", async (bench) => {
    const { guest, backend } = bench;
    const pointer = guest.putAddress({ bytes: LOOPBACK, port: 0 });
    for (const sameBatch of [true, false]) {
      const { token, result } = guest.start({ op: OP.UDP_BIND, pointer });
      if (!sameBatch) await guest.submit({ op: 0 });
      guest.cancel(token);
      const handle = await result;
      if (handle >= 0) expect(await guest.close(handle)).toBe(0);
      else expect(errnoName(handle)).toBe("ECANCELED");
      expect(backend.handlesOpen).toBe(0);
    }
  });
}

function closeLaws(law: Law): void {
  law("CLOSE ends waiting RECEIVE_FROMs with -EBADF, before it completes", async ({ guest }) => {
    for (const sameBatch of [false, true]) {
      const { handle } = await guest.udp();
      const receives = [1, 2, 3].map(() =>
        guest.start({ op: OP.RECEIVE_FROM, handle, ...guest.put("?") }),
      );
      if (!sameBatch) await guest.localAddress(handle);
      const close = guest.start({ op: OP.CLOSE, handle });
      expect(await close.result).toBe(0);
      const tokens = new Set([...receives, close].map(({ token }) => token));
      const completions = guest.log.filter(({ token }) => tokens.has(token));
      const results = completions.map(({ result }) => errnoName(result));
      expect(results).toEqual(["EBADF", "EBADF", "EBADF", "0"]);
      expect(errnoName(await guest.close(handle))).toBe("EBADF");
    }
  });

  law("CLOSE in the batch of SEND_TOs ends each with -EBADF or its result", async ({ guest }) => {
    const { handle } = await guest.udp();
    const { handle: receiver, address } = await guest.udp();
    const argument = guest.putAddress(address);
    const sends = Array.from({ length: 20 }, () =>
      guest.submit({ op: OP.SEND_TO, handle, ...guest.put("x"), argument }),
    );
    expect(await guest.close(handle)).toBe(0);
    const results = await Promise.all(sends);
    for (const result of results) expect(["EBADF", "1"]).toContain(errnoName(result));
    // Those that were sent have arrived.
    must(await guest.sendTo(receiver, "end", address));
    let arrived = 0;
    while (text((await guest.receiveFrom(receiver)).data) !== "end") arrived++;
    expect(arrived).toBeGreaterThanOrEqual(results.filter((result) => result >= 0).length);
  });

  law("datagrams that were sent before CLOSE arrive", async ({ guest }) => {
    const { handle: receiver, address } = await guest.udp();
    for (let round = 0; round < 20; round++) {
      const { handle } = await guest.udp();
      must(await guest.sendTo(handle, `${round}`, address));
      must(await guest.close(handle));
      expect(text((await guest.receiveFrom(receiver)).data)).toBe(`${round}`);
    }
  });

  law("UDP handles do not leak", async ({ guest, backend }) => {
    for (let round = 0; round < 300; round++) {
      const { handle } = await guest.udp();
      must(await guest.close(handle));
      expect(errnoName(await guest.sendTo(handle, "x", { bytes: LOOPBACK, port: 9 }))).toBe(
        "EBADF",
      );
    }
    expect(backend.handlesOpen).toBe(0);
  });

  law("disposal ends RECEIVE_FROM and SEND_TO in flight", async ({ guest, backend }) => {
    const { handle, address } = await guest.udp();
    const argument = guest.putAddress(address);
    for (let index = 0; index < 30; index++) {
      guest.add({ op: OP.SEND_TO, handle, ...guest.put(pattern(60_000)), argument });
      guest.add({ op: OP.RECEIVE_FROM, handle, ...guest.put("?"), argument });
      guest.add({ op: OP.RECEIVE_FROM, handle, ...guest.put("?") });
    }
    guest.add({ op: OP.UDP_BIND, pointer: guest.putAddress({ bytes: LOOPBACK, port: 0 }) });
    guest.automatic = false;
    backend.turn(0);
    await backend[Symbol.asyncDispose]();
    expect(backend.handlesOpen).toBe(0);
    expect(backend.pending).toBe(0);
  });
}

function memoryLaws(law: Law): void {
  law("a RECEIVE_FROM in flight while the memory grows gets its datagram", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const buffers = [guest.put("....."), guest.put(".....")];
    const sources = buffers.map(() => guest.alloc(ADDRESS.size));
    const receives = buffers.map((buffer, index) =>
      guest.submit({ op: OP.RECEIVE_FROM, handle, ...buffer, argument: sources[index]! }),
    );
    await guest.localAddress(handle);
    guest.grow(1);
    for (const data of ["one", "two"]) must(await guest.sendTo(handle, data, address));
    expect(await Promise.all(receives)).toEqual([3, 3]);
    const received = buffers.map(({ pointer }) => text(guest.bytes(pointer, 5)));
    expect(received).toEqual(["one..", "two.."]);
    for (const source of sources) expect(guest.getAddress(source)).toEqual(address);
  });

  law("memory may grow long before the turn that brings a datagram", async (bench) => {
    const { guest, backend, setting } = bench;
    const { handle, address } = await guest.udp();
    const buffer = guest.put(".....");
    const argument = guest.alloc(ADDRESS.size);
    guest.add({ op: OP.RECEIVE_FROM, handle, ...buffer, argument });
    guest.automatic = false;
    expect(backend.turn(0)).toBe(0);
    const rung = new Promise<void>((resolve) => {
      backend.onReady = resolve;
    });
    guest.memory.grow(1);
    const source = await setting.sendDatagram("grown", address.port);
    await rung;
    backend.bind(guest.memory, guest.shared);
    expect(backend.turn(0)).toBe(1);
    guest.drain();
    expect(guest.log.at(-1)?.result).toBe(5);
    expect(text(guest.bytes(buffer.pointer, 5))).toBe("grown");
    expect(guest.getAddress(argument).port).toBe(source);
  });

  law("SEND_TOs in flight while the memory grows send their bytes", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const argument = guest.putAddress(address);
    const sent = Array.from({ length: 20 }, (_, index) => pattern(5000, index + 1));
    const sends = sent.map((data) =>
      guest.submit({ op: OP.SEND_TO, handle, ...guest.put(data), argument }),
    );
    guest.turn();
    guest.grow(3);
    expect(await Promise.all(sends)).toEqual(sends.map(() => 5000));
    for (const data of sent) {
      expect(Buffer.compare((await guest.receiveFrom(handle, 8192)).data, data)).toBe(0);
    }
  });

  law(
    "the bytes of a SEND_TO are taken by its completion, its address by the turn",
    async (bench) => {
      const { guest } = bench;
      const { handle, address } = await guest.udp();
      const buffer = guest.put(new Uint8Array(1000));
      const argument = guest.putAddress(address);
      for (let round = 1; round <= 20; round++) {
        const data = pattern(1000, round);
        const record = guest.bytes(argument, ADDRESS.size);
        new Uint8Array(guest.memory.buffer).set(data, buffer.pointer);
        const send = guest.submit({ op: OP.SEND_TO, handle, ...buffer, argument });
        guest.turn();
        new Uint8Array(guest.memory.buffer).fill(0xee, argument, argument + ADDRESS.size);
        expect(await send).toBe(1000);
        new Uint8Array(guest.memory.buffer).fill(0xee, buffer.pointer, buffer.pointer + 1000);
        expect(Buffer.compare((await guest.receiveFrom(handle)).data, data)).toBe(0);
        new Uint8Array(guest.memory.buffer).set(record, argument);
      }
    },
  );

  law("a RECEIVE_FROM that was cancelled or closed writes nothing any more", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const before = "s".repeat(ADDRESS.size);
    const buffers = [guest.put(before), guest.put(before)];
    const sources = [guest.put(before), guest.put(before)];
    const receive = (index: number) =>
      guest.start({
        op: OP.RECEIVE_FROM,
        handle,
        ...buffers[index]!,
        argument: sources[index]!.pointer,
      });
    const cancelled = receive(0);
    await guest.localAddress(handle);
    guest.cancel(cancelled.token);
    await cancelled.result;
    const closed = receive(1);
    must(await guest.close(handle));
    await closed.result;
    const other = must(await guest.udpBind(address.port));
    must(await guest.sendTo(other, "data", address));
    expect(text((await guest.receiveFrom(other)).data)).toBe("data");
    for (const { pointer, length } of [...buffers, ...sources]) {
      expect(text(guest.bytes(pointer, length))).toBe(before);
    }
  });
}

function pointerLaws(law: Law): void {
  law("a datagram or address that does not fit the memory gives -EFAULT", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const end = guest.memory.buffer.byteLength;
    const argument = guest.putAddress(address);
    const fine = guest.put("x");
    const wild: { pointer: number; length: number }[] = [
      { pointer: end, length: 1 },
      { pointer: end - 1, length: 2 },
      { pointer: 0, length: end + 1 },
      { pointer: 0xffff_ffff, length: 1 },
      { pointer: 0xffff_ffff, length: 0xffff_ffff },
      { pointer: 1, length: 0xffff_ffff },
    ];
    const addresses = [end, end - ADDRESS.size + 1, 0xffff_ffff, 0xffff_fff0, 0x8000_0000];
    for (const op of [OP.SEND_TO, OP.RECEIVE_FROM]) {
      for (const buffer of wild) {
        const result = await guest.submit({ op, handle, ...buffer, argument });
        expect(errnoName(result)).toBe("EFAULT");
      }
      for (const wildAddress of addresses) {
        for (const length of [0, 1]) {
          const record = { op, handle, ...fine, length, argument: wildAddress };
          expect(errnoName(await guest.submit(record))).toBe("EFAULT");
        }
      }
    }
    for (const pointer of addresses) {
      expect(errnoName(await guest.submit({ op: OP.UDP_BIND, pointer }))).toBe("EFAULT");
      const local = await guest.submit({ op: OP.LOCAL_ADDRESS, handle, pointer });
      expect(errnoName(local)).toBe("EFAULT");
    }
    // Nothing was sent, and nothing taken.
    must(await guest.sendTo(handle, "first", address));
    expect(text((await guest.receiveFrom(handle)).data)).toBe("first");
  });

  law("a datagram and its source can lie at the end of the memory", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const end = guest.memory.buffer.byteLength;
    const from = guest.put("edge");
    const to = { pointer: end - 4, length: 4 };
    must(
      await guest.submit({ op: OP.SEND_TO, handle, ...from, argument: guest.putAddress(address) }),
    );
    expect(await guest.submit({ op: OP.RECEIVE_FROM, handle, ...to })).toBe(4);
    expect(text(guest.bytes(end - 4, 4))).toBe("edge");
    const argument = end - ADDRESS.size;
    must(await guest.sendTo(handle, "edge", address));
    expect(await guest.submit({ op: OP.RECEIVE_FROM, handle, ...from, argument })).toBe(4);
    expect(guest.getAddress(argument)).toEqual(address);
    expect(await guest.submit({ op: OP.SEND_TO, handle, ...from, argument })).toBe(4);
  });
}
