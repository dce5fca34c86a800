//! Laws of datagrams: boundaries, sizes, sources, order, who may send where, and what gets lost.

import { expect } from "vitest";
import { ADDRESS, DATAGRAM_MAX, ERRNO, OP } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import {
  errnoName,
  type Guest,
  LOOPBACK,
  LOOPBACK_IPV6,
  must,
  NO_IPV6,
  pattern,
  text,
} from "./guest.ts";

/** What an IPv4 packet of 65,535 bytes has left besides its own header and UDP's. */
const IPV4_DATAGRAM_MAX = 65_507;

export function udpLaws(law: Law): void {
  datagramLaws(law);
  sizeLaws(law);
  bindLaws(law);
  destinationLaws(law);
  grantLaws(law);
}

function datagramLaws(law: Law): void {
  law("a datagram arrives with its source, and the answer with its own", async ({ guest }) => {
    const client = await guest.udp();
    const server = await guest.udp();
    expect(await guest.sendTo(client.handle, "question", server.address)).toBe(8);
    const question = await guest.receiveFrom(server.handle);
    expect(text(question.data)).toBe("question");
    expect(question.source).toEqual(client.address);
    expect(await guest.sendTo(server.handle, "answer", question.source)).toBe(6);
    const answer = await guest.receiveFrom(client.handle);
    expect(text(answer.data)).toBe("answer");
    expect(answer.source).toEqual(server.address);
  });

  law("a socket can send to itself", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    must(await guest.sendTo(handle, "echo", address));
    expect((await guest.receiveFrom(handle)).source).toEqual(address);
  });

  law("datagrams keep their boundaries, and their order on one machine", async ({ guest }) => {
    const { handle: sender } = await guest.udp();
    const { handle, address } = await guest.udp();
    // Fewer bytes at once than the smallest receive queue holds.
    for (let round = 0; round < 10; round++) {
      const sent = Array.from({ length: 30 }, (_, index) => pattern(index * 37, index + 1));
      const results = await Promise.all(sent.map((data) => guest.sendTo(sender, data, address)));
      expect(results).toEqual(sent.map(({ length }) => length));
      for (const data of sent) {
        expect(Buffer.compare((await guest.receiveFrom(handle)).data, data)).toBe(0);
      }
    }
  });

  law("RECEIVE_FROMs that wait are served in their order", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const buffers = Array.from({ length: 20 }, () => guest.put("--"));
    const receives = buffers.map((buffer) =>
      guest.submit({ op: OP.RECEIVE_FROM, handle, ...buffer }),
    );
    await guest.localAddress(handle);
    for (let index = 10; index < 30; index++) must(await guest.sendTo(handle, `${index}`, address));
    expect(await Promise.all(receives)).toEqual(receives.map(() => 2));
    const received = buffers.map(({ pointer }) => text(guest.bytes(pointer, 2)));
    expect(received).toEqual(buffers.map((_, index) => `${index + 10}`));
  });

  law("RECEIVE_FROM with an address of 0 tells no source", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const low = guest.bytes(0, 64);
    for (let round = 0; round < 3; round++) {
      const buffer = guest.put("????");
      const receive = guest.submit({ op: OP.RECEIVE_FROM, handle, ...buffer, argument: 0 });
      if (round > 0) await guest.localAddress(handle);
      must(await guest.sendTo(handle, "data", address));
      expect(await receive).toBe(4);
      expect(text(guest.bytes(buffer.pointer, 4))).toBe("data");
    }
    expect(guest.bytes(0, 64)).toEqual(low);
  });

  law("100 sockets at once each get their own datagrams", async ({ guest, backend }) => {
    const server = await guest.udp();
    const clients = await Promise.all(Array.from({ length: 100 }, () => guest.udp()));
    const serve = async (): Promise<void> => {
      for (let index = 0; index < clients.length; index++) {
        const { data, source } = await guest.receiveFrom(server.handle);
        must(await guest.sendTo(server.handle, data, source));
      }
    };
    const ask = async ({ handle, address }: (typeof clients)[number]): Promise<void> => {
      must(await guest.sendTo(handle, `${address.port}`, server.address));
      expect(text((await guest.receiveFrom(handle)).data)).toBe(`${address.port}`);
    };
    await Promise.all([serve(), ...clients.map(ask)]);
    expect(backend.handlesOpen).toBe(101);
  });

  law(
    "UDP over IPv6 works like over IPv4",
    async ({ guest }) => {
      const client = await guest.udp(LOOPBACK_IPV6);
      const server = await guest.udp(LOOPBACK_IPV6);
      expect(server.address.bytes).toEqual(LOOPBACK_IPV6);
      must(await guest.sendTo(client.handle, "six", server.address));
      const { data, source } = await guest.receiveFrom(server.handle);
      expect(text(data)).toBe("six");
      expect(source).toEqual(client.address);
    },
    { skip: NO_IPV6 },
  );
}

function sizeLaws(law: Law): void {
  law("an empty datagram arrives as 0 bytes, and is no end", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    for (const data of ["", "after", ""]) {
      expect(await guest.sendTo(handle, data, address)).toBe(data.length);
    }
    for (const data of ["", "after", ""]) {
      const received = await guest.receiveFrom(handle);
      expect(text(received.data)).toBe(data);
      expect(received.source).toEqual(address);
    }
  });

  law("a wild pointer does not matter to an empty datagram", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const nothing = { handle, pointer: 0xffff_ffff, length: 0 };
    const argument = guest.putAddress(address);
    expect(await guest.submit({ op: OP.SEND_TO, ...nothing, argument })).toBe(0);
    expect(await guest.submit({ op: OP.RECEIVE_FROM, ...nothing })).toBe(0);
  });

  law("a datagram longer than the buffer is cut, and its rest is lost", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    for (const room of [4, 1, 0]) {
      const buffer = guest.put("????????");
      must(await guest.sendTo(handle, "abcdefgh", address));
      must(await guest.sendTo(handle, "next", address));
      const cut = { op: OP.RECEIVE_FROM, handle, pointer: buffer.pointer, length: room };
      expect(await guest.submit(cut)).toBe(room);
      const expected = "abcdefgh".slice(0, room).padEnd(8, "?");
      expect(text(guest.bytes(buffer.pointer, 8))).toBe(expected);
      expect(text((await guest.receiveFrom(handle)).data)).toBe("next");
    }
  });

  law("the largest datagram over IPv4 has 65,507 bytes; more is -EMSGSIZE", async ({ guest }) => {
    await largest(guest, LOOPBACK, IPV4_DATAGRAM_MAX);
  });

  law(
    "the largest datagram over IPv6 has 65,527 bytes; more is -EMSGSIZE",
    async ({ guest }) => {
      await largest(guest, LOOPBACK_IPV6, DATAGRAM_MAX);
    },
    { skip: NO_IPV6 },
  );

  law("a receive queue has a bound: what finds it full is lost", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const data = pattern(60_000);
    const { pointer, length } = guest.put(data);
    const send = { op: OP.SEND_TO, handle, pointer, length, argument: guest.putAddress(address) };
    // 60 MB: more than any system keeps.
    for (let index = 0; index < 1000; index++) must(await guest.submit(send));
    // The queue may still be full, so that "last" is lost as well: then there is something to receive.
    const next = async (): Promise<Uint8Array> => {
      must(await guest.sendTo(handle, "last", address));
      return (await guest.receiveFrom(handle, 65_536)).data;
    };
    let received = await next();
    expect(Buffer.compare(received, data)).toBe(0);
    let count = 0;
    for (; received.length === data.length; count++) received = await next();
    expect(text(received)).toBe("last");
    expect(count).toBeLessThan(1000);
  });
}

async function largest(guest: Guest, bytes: readonly number[], most: number): Promise<void> {
  const { handle, address } = await guest.udp(bytes);
  const data = pattern(most);
  for (let round = 0; round < 3; round++) {
    expect(await guest.sendTo(handle, data, address)).toBe(most);
    expect(Buffer.compare((await guest.receiveFrom(handle, 100_000)).data, data)).toBe(0);
  }
  for (const length of [most + 1, 65_535, 65_536, 200_000]) {
    const result = await guest.sendTo(handle, pattern(length), address);
    expect(`${length}: ${errnoName(result)}`).toBe(`${length}: EMSGSIZE`);
  }
  // None of them arrived.
  must(await guest.sendTo(handle, "next", address));
  expect(text((await guest.receiveFrom(handle)).data)).toBe("next");
}

function bindLaws(law: Law): void {
  law("UDP_BIND on port 0 gets a port, which LOCAL_ADDRESS tells", async ({ guest }) => {
    const { address } = await guest.udp();
    expect(address.bytes).toEqual(LOOPBACK);
    expect(address.port).toBeGreaterThan(0);
  });

  law("UDP_BIND on a port that is in use gives -EADDRINUSE, until its CLOSE", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    expect(errnoName(await guest.udpBind(address.port))).toBe("EADDRINUSE");
    expect(errnoName(await guest.udpBind(address.port, [0, 0, 0, 0]))).toBe("EADDRINUSE");
    must(await guest.close(handle));
    must(await guest.udpBind(address.port));
  });

  law("UDP_BIND on an address the host does not have gives -EADDRNOTAVAIL", async ({ guest }) => {
    // Documentation's own network (RFC 5737) has no host of this number.
    expect(errnoName(await guest.udpBind(0, [203, 0, 113, 77]))).toBe("EADDRNOTAVAIL");
  });

  law("UDP_BIND of an unknown family gives -EAFNOSUPPORT", async ({ guest }) => {
    const pointer = guest.putAddress({ bytes: LOOPBACK, port: 0 });
    for (const family of [0, 2, 5, 10, 0xffff]) {
      guest.view.setUint16(pointer + ADDRESS.family, family, true);
      const result = await guest.submit({ op: OP.UDP_BIND, pointer });
      expect(errnoName(result)).toBe("EAFNOSUPPORT");
    }
  });

  law("a socket that is bound to any address hears the loopback", async ({ guest }) => {
    const handle = must(await guest.udpBind(0, [0, 0, 0, 0]));
    const { bytes, port } = await guest.localAddress(handle);
    expect(bytes).toEqual([0, 0, 0, 0]);
    must(await guest.sendTo(handle, "here", { bytes: LOOPBACK, port }));
    expect((await guest.receiveFrom(handle)).source).toEqual({ bytes: LOOPBACK, port });
  });

  law(
    "a UDP socket on IPv6 leaves the IPv4 port alone, and hears nothing of it",
    async ({ guest }) => {
      const any = new Array(16).fill(0);
      for (let attempt = 0; attempt < 20; attempt++) {
        const { handle, address } = await guest.udp(any);
        const { port } = address;
        const four = await guest.udpBind(port, LOOPBACK);
        // Another program may have the IPv4 port.
        if (four === -ERRNO.EADDRINUSE) continue;
        must(await guest.sendTo(four, "four", { bytes: LOOPBACK, port }));
        expect(text((await guest.receiveFrom(must(four))).data)).toBe("four");
        must(await guest.sendTo(handle, "six", { bytes: LOOPBACK_IPV6, port }));
        expect(text((await guest.receiveFrom(handle)).data)).toBe("six");
        return;
      }
      throw new Error("an IPv6 socket had the IPv4 port 20 times");
    },
    { skip: NO_IPV6 },
  );
}

function destinationLaws(law: Law): void {
  law("SEND_TO where nobody listens succeeds, and harms nothing", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const gone = await guest.udp();
    must(await guest.close(gone.handle));
    for (let round = 0; round < 20; round++) {
      // What the system learns of the one before must end neither the next nor a RECEIVE_FROM.
      const received = guest.receiveFrom(handle);
      expect(await guest.sendTo(handle, "anyone?", gone.address)).toBe(7);
      expect(await guest.sendTo(handle, "still here", address)).toBe(10);
      expect(text((await received).data)).toBe("still here");
    }
  });

  law("SEND_TO an address of another family gives -EAFNOSUPPORT", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const six = { bytes: LOOPBACK_IPV6, port: address.port };
    expect(errnoName(await guest.sendTo(handle, "x", six))).toBe("EAFNOSUPPORT");
    const argument = guest.putAddress(address);
    for (const family of [0, 2, 5, 10, 0xffff]) {
      guest.view.setUint16(argument + ADDRESS.family, family, true);
      const result = await guest.submit({ op: OP.SEND_TO, handle, ...guest.put("x"), argument });
      expect(errnoName(result)).toBe("EAFNOSUPPORT");
    }
  });

  law(
    "SEND_TO an IPv4 address from an IPv6 socket gives -EAFNOSUPPORT",
    async ({ guest }) => {
      const { handle, address } = await guest.udp(LOOPBACK_IPV6);
      const four = { bytes: LOOPBACK, port: address.port };
      expect(errnoName(await guest.sendTo(handle, "x", four))).toBe("EAFNOSUPPORT");
    },
    { skip: NO_IPV6 },
  );

  law("SEND_TO port 0 gives -EINVAL", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    expect(errnoName(await guest.sendTo(handle, "x", { ...address, port: 0 }))).toBe("EINVAL");
  });

  law("SEND_TO everybody gives -EACCES", async ({ guest }) => {
    const handle = must(await guest.udpBind(0, [0, 0, 0, 0]));
    const everybody = { bytes: [255, 255, 255, 255], port: 9 };
    expect(errnoName(await guest.sendTo(handle, "x", everybody))).toBe("EACCES");
  });
}

function grantLaws(law: Law): void {
  law(
    "without grants nothing is bound",
    async ({ guest }) => {
      expect(errnoName(await guest.udpBind())).toBe("ENOTCAPABLE");
      expect(errnoName(await guest.udpBind(53, [0, 0, 0, 0]))).toBe("ENOTCAPABLE");
    },
    { grants: () => ({}) },
  );

  law(
    "UDP_BIND needs the grant to listen on its address and port",
    async ({ guest }) => {
      const { address } = await guest.udp();
      expect(errnoName(await guest.udpBind(address.port))).toBe("ENOTCAPABLE");
      expect(errnoName(await guest.udpBind(0, [0, 0, 0, 0]))).toBe("ENOTCAPABLE");
      expect(errnoName(await guest.udpBind(0, [127, 0, 0, 2]))).toBe("ENOTCAPABLE");
    },
    { grants: () => ({ listen: [{ bytes: Uint8Array.from(LOOPBACK), port: 0 }] }) },
  );

  law(
    "SEND_TO needs the grant to connect to its destination, also for an answer",
    async ({ guest }) => {
      const { handle, address } = await guest.udp();
      expect(errnoName(await guest.sendTo(handle, "x", address))).toBe("ENOTCAPABLE");
      expect(await guest.sendTo(handle, "x", { ...address, port: 9 })).toBe(1);
    },
    {
      grants: () => ({
        listen: [{}],
        connect: [{ bytes: Uint8Array.from(LOOPBACK), port: 9 }],
      }),
    },
  );

  law(
    "SEND_TO covers the address that was granted only",
    async ({ guest }) => {
      const { handle, address } = await guest.udp();
      const elsewhere = { ...address, bytes: [127, 0, 0, 2] };
      expect(errnoName(await guest.sendTo(handle, "x", elsewhere))).toBe("ENOTCAPABLE");
      must(await guest.sendTo(handle, "granted", address));
      expect(text((await guest.receiveFrom(handle)).data)).toBe("granted");
    },
    { grants: () => ({ listen: [{}], connect: [{ bytes: Uint8Array.from(LOOPBACK) }] }) },
  );
}
