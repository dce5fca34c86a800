//! Laws of TCP endpoints: listening, connecting, accepting and addresses.

import { expect } from "vitest";
import { ADDRESS, OP, SHUTDOWN } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, type Guest, LOOPBACK, LOOPBACK_IPV6, must, NO_IPV6, text } from "./guest.ts";

export function tcpLaws(law: Law): void {
  listenLaws(law);
  acceptLaws(law);

  law("READ and WRITE need a connection: -ENOTCONN on a listener", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { pointer } = guest.put("x");
    const vector = guest.iovecs([{ pointer, length: 1 }]);
    const on = { handle: listener, length: 1 };
    expect(errnoName(await guest.submit({ op: OP.READ, ...on, pointer }))).toBe("ENOTCONN");
    expect(errnoName(await guest.submit({ op: OP.WRITE, ...on, pointer }))).toBe("ENOTCONN");
    const pointing = { ...on, pointer: vector };
    expect(errnoName(await guest.submit({ op: OP.READV, ...pointing }))).toBe("ENOTCONN");
    expect(errnoName(await guest.submit({ op: OP.WRITEV, ...pointing }))).toBe("ENOTCONN");
  });

  law("file operations are refused on a socket", async ({ guest }) => {
    const { client, listener } = await guest.pair();
    for (const handle of [client, listener]) {
      const { pointer, length } = guest.put("x");
      for (const op of [OP.PREAD, OP.PWRITE]) {
        const result = await guest.submit({ op, handle, pointer, length });
        expect(errnoName(result)).toBe("ESPIPE");
      }
      expect(errnoName(await guest.submit({ op: OP.FSYNC, handle }))).toBe("EINVAL");
    }
  });

  law("an operation that would open one handle too many fails with -EMFILE", emfile, {
    handlesMax: 3,
  });
}

function listenLaws(law: Law): void {
  law("LISTEN on port 0 gets a port, which LOCAL_ADDRESS tells", async ({ guest }) => {
    const listener = must(await guest.listen());
    const address = await guest.localAddress(listener);
    expect(address.bytes).toEqual(LOOPBACK);
    expect(address.port).toBeGreaterThan(0);
  });

  law("LISTEN on a port that is in use gives -EADDRINUSE", async ({ guest }) => {
    const { port } = await guest.localAddress(must(await guest.listen()));
    expect(errnoName(await guest.listen(port))).toBe("EADDRINUSE");
  });

  law("LISTEN on an address the host does not have gives -EADDRNOTAVAIL", async ({ guest }) => {
    // TEST-NET-1 of RFC 5737 is nobody's.
    expect(errnoName(await guest.listen(0, [192, 0, 2, 1]))).toBe("EADDRNOTAVAIL");
  });

  law("an address of an unknown family gives -EAFNOSUPPORT", async ({ guest }) => {
    const pointer = guest.putAddress({ bytes: LOOPBACK, port: 0 });
    for (const family of [0, 2, 5, 10, 0xffff]) {
      guest.view.setUint16(pointer + ADDRESS.family, family, true);
      for (const op of [OP.LISTEN, OP.CONNECT]) {
        expect(errnoName(await guest.submit({ op, pointer }))).toBe("EAFNOSUPPORT");
      }
    }
  });

  law("CONNECT to a port where nobody listens gives -ECONNREFUSED", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    must(await guest.close(listener));
    expect(errnoName(await guest.connect(port))).toBe("ECONNREFUSED");
  });

  law(
    "IPv6 works like IPv4",
    async ({ guest }) => {
      const listener = must(await guest.listen(0, LOOPBACK_IPV6));
      const { bytes, port } = await guest.localAddress(listener);
      expect(bytes).toEqual(LOOPBACK_IPV6);
      const client = must(await guest.connect(port, LOOPBACK_IPV6));
      const server = must(await guest.accept(listener));
      await guest.writeAll(client, "six");
      expect(text(await guest.readExactly(server, 3))).toBe("six");
      expect((await guest.peerAddress(server)).bytes).toEqual(LOOPBACK_IPV6);
    },
    { skip: NO_IPV6 },
  );
}

function acceptLaws(law: Law): void {
  law("CONNECT succeeds before anyone accepts", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    const client = must(await guest.connect(port));
    await guest.writeAll(client, "early");
    const server = must(await guest.accept(listener));
    expect(text(await guest.readExactly(server, 5))).toBe("early");
  });

  law("ACCEPT waits for a connection", async ({ guest, backend }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    const accepted = guest.accept(listener);
    await guest.localAddress(listener);
    expect(backend.pending).toBe(1);
    must(await guest.connect(port));
    must(await accepted);
  });

  law("ACCEPT tells the address of the connecting end", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    const client = must(await guest.connect(port));
    const pointer = guest.alloc(ADDRESS.size);
    const server = must(await guest.accept(listener, pointer));
    expect(guest.getAddress(pointer)).toEqual(await guest.localAddress(client));
    expect(await guest.peerAddress(server)).toEqual(await guest.localAddress(client));
    expect(await guest.peerAddress(client)).toEqual(await guest.localAddress(server));
  });

  law("connections are accepted in the order they were made", async ({ guest }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    const connected: number[] = [];
    for (let index = 0; index < 10; index++) {
      const client = must(await guest.connect(port));
      connected.push((await guest.localAddress(client)).port);
    }
    const accepted: number[] = [];
    for (let index = 0; index < 10; index++) {
      const server = must(await guest.accept(listener));
      accepted.push((await guest.peerAddress(server)).port);
    }
    expect(accepted).toEqual(connected);
  });

  law("each connection completes one ACCEPT", async ({ guest, backend }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    const accepts = [1, 2, 3].map(() => guest.accept(listener));
    for (const left of [2, 1, 0]) {
      must(await guest.connect(port));
      if (left > 0) await Promise.race(accepts);
    }
    const servers = (await Promise.all(accepts)).map(must);
    expect(new Set(servers).size).toBe(3);
    expect(backend.handlesOpen).toBe(7);
  });

  law("ACCEPT on anything but a listener gives -EINVAL", async ({ guest }) => {
    const { client, server } = await guest.pair();
    expect(errnoName(await guest.accept(client))).toBe("EINVAL");
    expect(errnoName(await guest.accept(server))).toBe("EINVAL");
  });

  law("a listener has no peer and cannot be shut down", async ({ guest }) => {
    const listener = must(await guest.listen());
    const pointer = guest.alloc(ADDRESS.size);
    const peer = await guest.submit({ op: OP.PEER_ADDRESS, handle: listener, pointer });
    expect(errnoName(peer)).toBe("ENOTCONN");
    expect(errnoName(await guest.shutdown(listener, SHUTDOWN.WRITE))).toBe("ENOTCONN");
  });

  law("200 connections at once each carry their own bytes", async ({ guest, backend }) => {
    const listener = must(await guest.listen());
    const { port } = await guest.localAddress(listener);
    const serve = async (): Promise<void> => {
      const server = must(await guest.accept(listener));
      await guest.writeAll(server, await guest.readExactly(server, 8));
      must(await guest.close(server));
    };
    const ask = async (index: number): Promise<string> => {
      const client = must(await guest.connect(port));
      await guest.writeAll(client, String(index).padStart(8, "0"));
      const answer = await guest.readToEnd(client, 64);
      must(await guest.close(client));
      return text(answer);
    };
    const indices = Array.from({ length: 200 }, (_, index) => index);
    const served = Promise.all(indices.map(serve));
    const answers = await Promise.all(indices.map(ask));
    await served;
    expect(answers).toEqual(indices.map((index) => String(index).padStart(8, "0")));
    expect(backend.handlesOpen).toBe(1);
  });
}

async function emfile({ guest }: { guest: Guest }): Promise<void> {
  const listener = must(await guest.listen());
  const { port } = await guest.localAddress(listener);
  const first = must(await guest.connect(port));
  const second = must(await guest.connect(port));
  expect(errnoName(await guest.connect(port))).toBe("EMFILE");
  expect(errnoName(await guest.listen())).toBe("EMFILE");
  expect(errnoName(await guest.accept(listener))).toBe("EMFILE");
  expect(errnoName(await guest.open("/data", 1))).toBe("EMFILE");
  // Nothing was lost for want of room: both connections can still be accepted.
  must(await guest.close(second));
  must(await guest.accept(listener));
  must(await guest.close(first));
  must(await guest.accept(listener));
}
