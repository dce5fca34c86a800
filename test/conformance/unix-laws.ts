//! Laws of Unix sockets that have names: paths below the granted directories.

import { join } from "node:path/posix";
import { expect } from "vitest";
import { ADDRESS, OP, SHUTDOWN, SOCKET_TYPE, UNIX_NAME_MAX } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, type Guest, must, pattern, text } from "./guest.ts";
import { needing } from "./needing.ts";

export function unixLaws(law: Law): void {
  const streamLaw = needing(law, "UNIX_LISTEN", "UNIX_CONNECT");
  const datagramLaw = needing(law, "UNIX_BIND", "UNIX_SEND_TO");
  connectionLaws(streamLaw);
  nameLaws(streamLaw);
  escapeLaws(streamLaw);
  endingLaws(streamLaw);
  datagramLaws(datagramLaw);
  hostileLaws(datagramLaw);
}

async function unixPair(guest: Guest, path = "/data/pair"): Promise<[number, number, number]> {
  const listener = must(await guest.unixListen(path));
  const client = must(await guest.unixConnect(path));
  return [client, must(await guest.accept(listener)), listener];
}

function connectionLaws(law: Law): void {
  law("a Unix listener accepts what connects to its path", async ({ guest }) => {
    const listener = must(await guest.unixListen("/data/socket"));
    const accepted = guest.accept(listener);
    const client = must(await guest.unixConnect("/data/socket"));
    const server = must(await accepted);
    await guest.writeAll(client, "there");
    await guest.writeAll(server, "back");
    expect(text(await guest.readExactly(server, 5))).toBe("there");
    expect(text(await guest.readExactly(client, 4))).toBe("back");
    expect(await guest.shutdown(client, SHUTDOWN.WRITE)).toBe(0);
    expect(await guest.read(server, 1)).toHaveLength(0);
    await guest.writeAll(server, "still");
    expect(text(await guest.readExactly(client, 5))).toBe("still");
  });

  law("a Unix connection moves more than it holds", async ({ guest }) => {
    const [client, server] = await unixPair(guest);
    const sent = pattern(1024 * 1024);
    const received = guest.readToEnd(server);
    await guest.writeAll(client, sent);
    must(await guest.close(client));
    expect(Buffer.compare(await received, sent)).toBe(0);
  });

  law("Unix sockets have addresses without a family", async ({ guest }) => {
    const [client, server, listener] = await unixPair(guest);
    for (const [handle, op] of [
      [listener, OP.LOCAL_ADDRESS],
      [client, OP.LOCAL_ADDRESS],
      [client, OP.PEER_ADDRESS],
      [server, OP.LOCAL_ADDRESS],
      [server, OP.PEER_ADDRESS],
    ] as const) {
      const { pointer } = guest.put(new Uint8Array(ADDRESS.size).fill(0xff));
      expect(await guest.submit({ op, handle, pointer })).toBe(0);
      expect(guest.bytes(pointer, ADDRESS.size)).toEqual(new Uint8Array(ADDRESS.size));
    }
    const { pointer } = guest.put(new Uint8Array(ADDRESS.size).fill(0xff));
    must(await guest.unixConnect("/data/pair"));
    must(await guest.accept(listener, pointer));
    expect(guest.bytes(pointer, ADDRESS.size)).toEqual(new Uint8Array(ADDRESS.size));
  });

  law("Unix connections are accepted in the order they were made", async ({ guest }) => {
    const listener = must(await guest.unixListen("/data/socket"));
    for (const byte of "abc") {
      must(await guest.write(must(await guest.unixConnect("/data/socket")), byte));
    }
    let order = "";
    for (let index = 0; index < 3; index++)
      order += text(await guest.readExactly(must(await guest.accept(listener)), 1));
    expect(order).toBe("abc");
  });

  law("a Unix name leads to the same socket through another grant and a link", async (bench) => {
    const { guest, files, data } = bench;
    await files.makeDirectory(join(data, "deep"));
    await files.makeLink("deep", join(data, "link"));
    await files.makeLink("deep/socket", join(data, "to-socket"));
    const listener = must(await guest.unixListen("/data/link/socket"));
    for (const path of ["/data/deep/socket", "/data/link/./socket", "/data/to-socket"]) {
      must(await guest.unixConnect(path));
      must(await guest.accept(listener));
    }
  });

  law("what a read-only grant names can be connected to, and not made", async ({ guest }) => {
    expect(errnoName(await guest.unixListen("/readonly/socket"))).toBe("EROFS");
    const listener = must(await guest.unixListen("/data/socket"));
    must(await guest.unixConnect("/readonly/socket"));
    must(await guest.accept(listener));
  });
}

function nameLaws(law: Law): void {
  law("UNIX_LISTEN makes a name, and -EADDRINUSE where there is one", async (bench) => {
    const { guest, files, data } = bench;
    must(await guest.unixListen("/data/socket"));
    expect(await files.list(data)).toEqual(["socket"]);
    await files.write(join(data, "file"), "content");
    await files.makeDirectory(join(data, "directory"));
    await files.makeLink("nowhere", join(data, "dangling"));
    for (const name of ["socket", "file", "directory", "dangling"])
      expect(`${name} ${errnoName(await guest.unixListen(`/data/${name}`))}`).toBe(
        `${name} EADDRINUSE`,
      );
    expect(await files.list(data)).toEqual(["dangling", "directory", "file", "socket"]);
    expect(await files.readText(join(data, "file"))).toBe("content");
  });

  law("a Unix name stays when its listener is closed, and then refuses", async (bench) => {
    const { guest, files, data } = bench;
    const listener = must(await guest.unixListen("/data/socket"));
    must(await guest.close(listener));
    expect(await files.list(data)).toEqual(["socket"]);
    expect(errnoName(await guest.unixConnect("/data/socket"))).toBe("ECONNREFUSED");
  });

  law("a Unix name has UNIX_NAME_MAX bytes at most: -ENAMETOOLONG", async ({ guest }) => {
    const name = "n".repeat(UNIX_NAME_MAX);
    must(await guest.unixListen(`/data/${name}`));
    must(await guest.unixConnect(`/data/${name}`));
    expect(errnoName(await guest.unixListen(`/data/${name}n`))).toBe("ENAMETOOLONG");
    expect(errnoName(await guest.unixListen(`/data/${"n".repeat(300)}`))).toBe("ENAMETOOLONG");
    expect(errnoName(await guest.unixListen("/data/".padEnd(4097, "n")))).toBe("ENAMETOOLONG");
  });

  law("UNIX_CONNECT to nothing gives -ENOENT, to no socket -ECONNREFUSED", async (bench) => {
    const { guest, files, data } = bench;
    await files.write(join(data, "file"), "content");
    expect(errnoName(await guest.unixConnect("/data/nothing"))).toBe("ENOENT");
    expect(errnoName(await guest.unixConnect("/data/nothing/at-all"))).toBe("ENOENT");
    expect(errnoName(await guest.unixConnect("/data/file/below"))).toBe("ENOTDIR");
    expect(errnoName(await guest.unixConnect("/data/file"))).toBe("ECONNREFUSED");
    expect(errnoName(await guest.unixListen("/data/nothing/socket"))).toBe("ENOENT");
    expect(errnoName(await guest.unixListen("/data/file/socket"))).toBe("ENOTDIR");
    expect(errnoName(await guest.unixListen(""))).toBe("ENOENT");
    expect(errnoName(await guest.unixConnect(""))).toBe("ENOENT");
  });

  law(
    "UNIX_CONNECT to a socket of the other type gives -EPROTOTYPE, of none -EINVAL",
    async ({ guest }) => {
      must(await guest.unixListen("/data/stream"));
      must(await guest.unixBind("/data/datagrams"));
      const { STREAM, DATAGRAM } = SOCKET_TYPE;
      expect(errnoName(await guest.unixConnect("/data/stream", DATAGRAM))).toBe("EPROTOTYPE");
      expect(errnoName(await guest.unixConnect("/data/datagrams", STREAM))).toBe("EPROTOTYPE");
      expect(errnoName(await guest.unixConnect("/data/stream", 2))).toBe("EINVAL");
    },
    { needs: ["UNIX_LISTEN", "UNIX_CONNECT", "UNIX_BIND"] },
  );
}

function escapeLaws(law: Law): void {
  law("no Unix name leads out of the granted directories", async (bench) => {
    const { guest, open, files, data, outside } = bench;
    const everywhere = { directories: [{ host: outside, guest: "/outside" }] };
    const other = await open({ grants: everywhere, handlesMax: 16 });
    try {
      const neighbour = new (guest.constructor as typeof Guest)(other);
      must(await neighbour.unixListen("/outside/socket"));
      await files.makeLink(join(outside, "socket"), join(data, "absolute"));
      await files.makeLink("../outside/socket", join(data, "relative"));
      await files.makeLink("../outside", join(data, "directory"));
      for (const path of [
        "/data/absolute",
        "/data/relative",
        "/data/directory/socket",
        "/data/../outside/socket",
        "/data/../data/../outside/socket",
        "/outside/socket",
        join(outside, "socket"),
        "socket",
      ]) {
        expect(`${path} ${errnoName(await guest.unixConnect(path))}`).toBe(`${path} ENOTCAPABLE`);
      }
      for (const path of ["/data/directory/new", "/data/../outside/new", "/outside/new", "new"]) {
        expect(`${path} ${errnoName(await guest.unixListen(path))}`).toBe(`${path} ENOTCAPABLE`);
      }
      expect(await files.list(outside)).toEqual(["socket"]);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  law("a zero byte in a Unix name gives -EINVAL: no abstract names", async ({ guest }) => {
    for (const path of ["\0abstract", "/data/so\0cket", "/data/socket\0"]) {
      expect(errnoName(await guest.unixListen(path))).toBe("EINVAL");
      expect(errnoName(await guest.unixConnect(path))).toBe("EINVAL");
    }
  });
}

function endingLaws(law: Law): void {
  law(
    "ACCEPT of a Unix listener waits, is canceled, and ends with its CLOSE",
    async ({ guest }) => {
      const listener = must(await guest.unixListen("/data/socket"));
      const canceled = guest.start({ op: OP.ACCEPT, handle: listener });
      const closed = guest.accept(listener);
      await guest.roundTrip(await guest.pair());
      guest.cancel(canceled.token);
      expect(errnoName(await canceled.result)).toBe("ECANCELED");
      expect(await guest.close(listener)).toBe(0);
      expect(errnoName(await closed)).toBe("EBADF");
    },
  );

  law(
    "Unix sockets that would be one handle too many give -EMFILE, and make no name",
    async ({ guest, files, data }) => {
      const listener = must(await guest.unixListen("/data/socket"));
      const client = must(await guest.unixConnect("/data/socket"));
      expect(errnoName(await guest.unixConnect("/data/socket"))).toBe("EMFILE");
      expect(errnoName(await guest.unixListen("/data/other"))).toBe("EMFILE");
      expect(errnoName(await guest.accept(listener))).toBe("EMFILE");
      expect(await files.list(data)).toEqual(["socket"]);
      must(await guest.close(client));
      must(await guest.accept(listener));
    },
    { handlesMax: 2 },
  );

  law("a Unix connection whose other end was closed: an end, then -EPIPE", async ({ guest }) => {
    const [client, server] = await unixPair(guest);
    const waiting = guest.read(server, 4);
    await guest.roundTrip(await guest.pair());
    must(await guest.close(client));
    expect(await waiting).toHaveLength(0);
    expect(errnoName(await guest.write(server, "x"))).toBe("EPIPE");
  });
}

function datagramLaws(law: Law): void {
  law("UNIX_SEND_TO reaches the socket of that name, each datagram whole", async ({ guest }) => {
    const receiver = must(await guest.unixBind("/data/receiver"));
    const sender = must(await guest.unixBind(""));
    const waiting = guest.receiveFrom(receiver);
    expect(await guest.unixSendTo(sender, "first", "/data/receiver")).toBe(5);
    expect(text((await waiting).data)).toBe("first");
    for (const data of ["second", "", "third"])
      expect(await guest.unixSendTo(sender, data, "/readonly/receiver")).toBe(data.length);
    expect(text((await guest.receiveFrom(receiver, 3)).data)).toBe("sec");
    expect((await guest.receiveFrom(receiver)).data).toHaveLength(0);
    expect(text((await guest.receiveFrom(receiver)).data)).toBe("third");
  });

  law(
    "a connected socket of datagrams reads and writes",
    async ({ guest }) => {
      const receiver = must(await guest.unixBind("/data/receiver"));
      const sender = must(await guest.unixConnect("/data/receiver", SOCKET_TYPE.DATAGRAM));
      expect(await guest.write(sender, "datagram")).toBe(8);
      expect(text((await guest.receiveFrom(receiver)).data)).toBe("datagram");
      const waiting = guest.start({ op: OP.READ, handle: sender, ...guest.put("....") });
      expect(await guest.write(sender, "again")).toBe(5);
      guest.cancel(waiting.token);
      expect(errnoName(await waiting.result)).toBe("ECANCELED");
    },
    { needs: ["UNIX_BIND", "UNIX_CONNECT"] },
  );

  law(
    "a Unix socket of datagrams that is not connected neither reads nor writes",
    async (bench) => {
      const { guest } = bench;
      const handle = must(await guest.unixBind("/data/socket"));
      expect(errnoName(await guest.write(handle, "x"))).toBe("EDESTADDRREQ");
      const read = { op: OP.READ, handle, ...guest.put("?") };
      expect(errnoName(await guest.submit(read))).toBe("ENOTCONN");
      const to = { bytes: [127, 0, 0, 1], port: 9 };
      expect(errnoName(await guest.sendTo(handle, "x", to))).toBe("EAFNOSUPPORT");
    },
  );

  law("UNIX_SEND_TO does not wait for room: -EAGAIN, and -EMSGSIZE for too much", async (bench) => {
    const { guest } = bench;
    must(await guest.unixBind("/data/full"));
    const sender = must(await guest.unixBind(""));
    let result = 0;
    for (let sent = 0; sent < 10_000 && result >= 0; sent++)
      result = await guest.unixSendTo(sender, "datagram", "/data/full");
    expect(errnoName(result)).toBe("EAGAIN");
    const bulk = new Uint8Array(8 * 1024 * 1024);
    expect(errnoName(await guest.unixSendTo(sender, bulk, "/data/full"))).toBe("EMSGSIZE");
  });
}

function hostileLaws(law: Law): void {
  law("paths outside the memory give -EFAULT, forged handles -EBADF", async ({ guest }) => {
    const handle = must(await guest.unixBind("/data/socket"));
    const end = guest.memory.buffer.byteLength;
    const good = guest.put("/data/socket");
    for (const [pointer, length] of [
      [end, 1],
      [end - 1, 2],
      [0xffff_ffff, 0xffff_ffff],
      [1, 0xffff_ffff],
    ] as const) {
      for (const op of [OP.UNIX_LISTEN, OP.UNIX_CONNECT, OP.UNIX_BIND]) {
        expect(errnoName(await guest.submit({ op, handle: -1, pointer, length }))).toBe("EFAULT");
      }
      const to = { otherHandle: -1, otherPointer: pointer, otherLength: length };
      const send = { op: OP.UNIX_SEND_TO, handle, ...guest.put("x") };
      expect(errnoName(await guest.submit({ ...send, ...to }))).toBe("EFAULT");
      const into = { otherHandle: -1, otherPointer: good.pointer, otherLength: good.length };
      const wild = { op: OP.UNIX_SEND_TO, handle, pointer, length, ...into };
      expect(errnoName(await guest.submit(wild))).toBe("EFAULT");
    }
    for (const forged of [0, -2, handle + 1000, handle ^ (1 << 20), 0x7fff_ffff]) {
      for (const op of [OP.UNIX_LISTEN, OP.UNIX_CONNECT, OP.UNIX_BIND])
        expect(errnoName(await guest.submit({ op, handle: forged, ...good }))).toBe("EBADF");
      const into = { otherPointer: good.pointer, otherLength: good.length };
      const send = { op: OP.UNIX_SEND_TO, ...guest.put("x"), ...into };
      expect(errnoName(await guest.submit({ ...send, handle: forged, otherHandle: -1 }))).toBe(
        "EBADF",
      );
      expect(errnoName(await guest.submit({ ...send, handle, otherHandle: forged }))).toBe("EBADF");
    }
  });

  law("UNIX_SEND_TO works on Unix sockets of datagrams alone", async ({ guest }) => {
    must(await guest.unixBind("/data/socket"));
    const { client, listener } = await guest.pair();
    const { handle: udp } = await guest.udp();
    const file = must(await guest.open("/data/f", 1 | 2 | 4));
    for (const [handle, errno] of [
      [client, "ENOTSUP"],
      [listener, "ENOTSUP"],
      [udp, "EAFNOSUPPORT"],
      [file, "ENOTSOCK"],
    ] as const) {
      expect(errnoName(await guest.unixSendTo(handle, "x", "/data/socket"))).toBe(errno);
    }
  });
}
