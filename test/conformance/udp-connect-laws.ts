//! Laws of a UDP socket that talks to one address alone.

import { expect } from "vitest";
import { ADDRESS, OP } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import {
  type Address,
  errnoName,
  type Guest,
  LOOPBACK,
  LOOPBACK_IPV6,
  must,
  NO_IPV6,
  pattern,
  text,
} from "./guest.ts";
import { notUdp } from "./not-udp.ts";

interface Udp {
  readonly handle: number;
  readonly address: Address;
}

/** Two sockets that are connected to each other. */
async function couple(guest: Guest, bytes = LOOPBACK): Promise<{ one: Udp; two: Udp }> {
  const one = await guest.udp(bytes);
  const two = await guest.udp(bytes);
  must(await guest.udpConnect(one.handle, two.address));
  must(await guest.udpConnect(two.handle, one.address));
  return { one, two };
}

/** Where nobody listens. */
async function nowhere(guest: Guest): Promise<Address> {
  const { handle, address } = await guest.udp();
  must(await guest.close(handle));
  return address;
}

export function udpConnectLaws(law: Law): void {
  transferLaws(law);
  filterLaws(law);
  refusedLaws(law);
  dissolveLaws(law);
  refusalLaws(law);
}

function transferLaws(law: Law): void {
  law("a connected UDP socket is written to and read from, datagram by datagram", async (bench) => {
    const { guest } = bench;
    const { one, two } = await couple(guest);
    for (const data of ["question", "", "more"]) {
      expect(await guest.write(one.handle, data)).toBe(data.length);
    }
    for (const data of ["question", "", "more"]) {
      expect(text(await guest.read(two.handle, 64))).toBe(data);
    }
    expect(await guest.write(two.handle, "answer")).toBe(6);
    const { data, source } = await guest.receiveFrom(one.handle);
    expect(text(data)).toBe("answer");
    expect(source).toEqual(two.address);
    expect(await guest.peerAddress(one.handle)).toEqual(two.address);
  });

  law(
    "a connected UDP socket works over IPv6 too",
    async ({ guest }) => {
      const { one, two } = await couple(guest, LOOPBACK_IPV6);
      must(await guest.write(one.handle, "six"));
      expect(text(await guest.read(two.handle, 8))).toBe("six");
    },
    { skip: NO_IPV6 },
  );

  law("WRITEV sends one datagram, and READV spreads one", async ({ guest }) => {
    const { one, two } = await couple(guest);
    const pieces = [guest.put("ab"), guest.put(""), guest.put("cde")];
    const write = { op: OP.WRITEV, handle: one.handle, pointer: guest.iovecs(pieces), length: 3 };
    expect(await guest.submit(write)).toBe(5);
    const into = [guest.put("-"), guest.put("--"), guest.put("---")];
    const read = { op: OP.READV, handle: two.handle, pointer: guest.iovecs(into), length: 3 };
    expect(await guest.submit(read)).toBe(5);
    const filled = into.map(({ pointer, length }) => text(guest.bytes(pointer, length)));
    expect(filled).toEqual(["a", "bc", "de-"]);
  });

  law("READ of a longer datagram cuts it", async ({ guest }) => {
    const { one, two } = await couple(guest);
    must(await guest.write(one.handle, "too long"));
    must(await guest.write(one.handle, "next"));
    expect(text(await guest.read(two.handle, 3))).toBe("too");
    expect(text(await guest.read(two.handle, 8))).toBe("next");
  });

  law("WRITE of more than a datagram holds gives -EMSGSIZE", async ({ guest }) => {
    const { one, two } = await couple(guest);
    expect(errnoName(await guest.write(one.handle, pattern(65_508)))).toBe("EMSGSIZE");
    expect(errnoName(await guest.write(one.handle, pattern(200_000)))).toBe("EMSGSIZE");
    must(await guest.write(one.handle, "next"));
    expect(text(await guest.read(two.handle, 8))).toBe("next");
  });

  law("a READ that waits on a UDP socket is cancelled and closed as any", async ({ guest }) => {
    const { one, two } = await couple(guest);
    const buffer = guest.put("....");
    const read = guest.start({ op: OP.READ, handle: two.handle, ...buffer });
    await guest.localAddress(two.handle);
    guest.cancel(read.token);
    expect(errnoName(await read.result)).toBe("ECANCELED");
    const waits = guest.submit({ op: OP.READ, handle: two.handle, ...buffer });
    await guest.localAddress(two.handle);
    // In the other direction nothing waits for it.
    expect(await guest.write(two.handle, "free")).toBe(4);
    expect(text(await guest.read(one.handle, 8))).toBe("free");
    must(await guest.close(two.handle));
    expect(errnoName(await waits)).toBe("EBADF");
  });
}

function filterLaws(law: Law): void {
  law("a connected UDP socket hears its peer alone", async ({ guest }) => {
    const { one, two } = await couple(guest);
    const stranger = await guest.udp();
    must(await guest.sendTo(stranger.handle, "intruder", two.address));
    must(await guest.write(one.handle, "peer"));
    expect(text(await guest.read(two.handle, 16))).toBe("peer");
  });

  law("SEND_TO on a connected UDP socket gives -EISCONN", async ({ guest }) => {
    const { one, two } = await couple(guest);
    const stranger = await guest.udp();
    for (const address of [two.address, stranger.address]) {
      expect(errnoName(await guest.sendTo(one.handle, "x", address))).toBe("EISCONN");
    }
    must(await guest.write(one.handle, "still"));
    expect(text(await guest.read(two.handle, 8))).toBe("still");
  });

  law("a UDP socket can be connected to another peer", async ({ guest }) => {
    const { one, two } = await couple(guest);
    const third = await guest.udp();
    expect(await guest.udpConnect(one.handle, third.address)).toBe(0);
    expect(await guest.localAddress(one.handle)).toEqual(one.address);
    must(await guest.write(one.handle, "third"));
    const { data, source } = await guest.receiveFrom(third.handle);
    expect(text(data)).toBe("third");
    expect(source).toEqual(one.address);
    must(await guest.write(two.handle, "not heard"));
    must(await guest.sendTo(third.handle, "heard", one.address));
    expect(text(await guest.read(one.handle, 16))).toBe("heard");
  });
}

function refusedLaws(law: Law): void {
  law("a connected UDP socket is told -ECONNREFUSED, once, when nobody listens", async (bench) => {
    const { guest } = bench;
    for (let round = 0; round < 3; round++) {
      const { handle } = await guest.udp();
      must(await guest.udpConnect(handle, await nowhere(guest)));
      const waiting = guest.submit({ op: OP.READ, handle, ...guest.put("....") });
      await guest.localAddress(handle);
      expect(await guest.write(handle, "anyone?")).toBe(7);
      expect(errnoName(await waiting)).toBe("ECONNREFUSED");
      const again = guest.start({ op: OP.READ, handle, ...guest.put("....") });
      await guest.localAddress(handle);
      guest.cancel(again.token);
      expect(errnoName(await again.result)).toBe("ECANCELED");
    }
  });

  law("RECEIVE_FROM on a connected UDP socket is told -ECONNREFUSED too", async ({ guest }) => {
    const { handle } = await guest.udp();
    must(await guest.udpConnect(handle, await nowhere(guest)));
    must(await guest.write(handle, "anyone?"));
    const receive = { op: OP.RECEIVE_FROM, handle, ...guest.put("....") };
    expect(errnoName(await guest.submit(receive))).toBe("ECONNREFUSED");
  });
}

function dissolveLaws(law: Law): void {
  law("UDP_CONNECT to nobody makes a socket as it was, at its address", async ({ guest }) => {
    for (const bound of [0, (await nowhere(guest)).port]) {
      const handle = must(await guest.udpBind(bound));
      const address = await guest.localAddress(handle);
      const other = await guest.udp();
      must(await guest.udpConnect(handle, other.address));
      expect(await guest.udpConnect(handle, undefined)).toBe(0);
      expect(await guest.localAddress(handle)).toEqual(address);
      expect(errnoName(await guest.write(handle, "x"))).toBe("EDESTADDRREQ");
      expect(errnoName(await guest.submit({ op: OP.READ, handle, ...guest.put("..") }))).toBe(
        "ENOTCONN",
      );
      const pointer = guest.alloc(ADDRESS.size);
      const peer = await guest.submit({ op: OP.PEER_ADDRESS, handle, pointer });
      expect(errnoName(peer)).toBe("ENOTCONN");
      const stranger = await guest.udp();
      must(await guest.sendTo(stranger.handle, "heard", address));
      const { data, source } = await guest.receiveFrom(handle);
      expect(text(data)).toBe("heard");
      must(await guest.sendTo(handle, "answer", source));
      expect(text((await guest.receiveFrom(stranger.handle)).data)).toBe("answer");
      expect(await guest.udpConnect(handle, undefined)).toBe(0);
      must(await guest.close(handle));
    }
  });

  law("UDP_CONNECT to nobody of a socket that was never connected succeeds", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    expect(await guest.udpConnect(handle, undefined)).toBe(0);
    must(await guest.sendTo(handle, "itself", address));
    expect(text((await guest.receiveFrom(handle)).data)).toBe("itself");
  });
}

function refusalLaws(law: Law): void {
  law("UDP_CONNECT says what is wrong with an address", async ({ guest }) => {
    const { handle, address } = await guest.udp();
    const connect = async (to: Address): Promise<string> =>
      errnoName(await guest.udpConnect(handle, to));
    expect(await connect({ ...address, bytes: LOOPBACK_IPV6 })).toBe("EAFNOSUPPORT");
    expect(await connect({ ...address, port: 0 })).toBe("EINVAL");
    const wild = { op: OP.UDP_CONNECT, handle, pointer: 0xffff_fff0 };
    expect(errnoName(await guest.submit(wild))).toBe("EFAULT");
    expect(errnoName(await guest.write(handle, "x"))).toBe("EDESTADDRREQ");
  });

  law("UDP_CONNECT is refused on TCP and on a file", async ({ guest }) => {
    const { address } = await guest.udp();
    for (const [handle, errno] of await notUdp(guest)) {
      expect(errnoName(await guest.udpConnect(handle, address))).toBe(errno);
      expect(errnoName(await guest.udpConnect(handle, undefined))).toBe(errno);
    }
  });

  law(
    "UDP_CONNECT needs the grant to connect",
    async ({ guest }) => {
      const { handle, address } = await guest.udp();
      expect(errnoName(await guest.udpConnect(handle, address))).toBe("ENOTCAPABLE");
      expect(errnoName(await guest.write(handle, "x"))).toBe("EDESTADDRREQ");
      expect(await guest.udpConnect(handle, { ...address, port: 9 })).toBe(0);
    },
    {
      grants: () => ({
        listen: [{}],
        connect: [{ bytes: Uint8Array.from(LOOPBACK), port: 9 }],
      }),
    },
  );
}
