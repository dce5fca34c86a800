//! Laws of names: what a guest gets of the host's resolver, and whom it may ask.

import { expect } from "vitest";
import { ADDRESS, FAMILY, OP, RESOLVER } from "../../ts/abi.gen.ts";
import type { DnsGrant, Grants } from "../../ts/host/backend.ts";
import type { Bench, Law } from "./backend-conformance.ts";
import { type Address, errnoName, Guest, LOOPBACK, LOOPBACK_IPV6, must, text } from "./guest.ts";

const ANY_IPV4 = [0, 0, 0, 0];

export function dnsLaws(law: Law): void {
  resolverLaws(law);
  serverLaws(law);
  lookupLaws(law);

  law(
    "without the grant of names nothing is told of them: -ENOTCAPABLE",
    async ({ guest }) => {
      for (const argument of [RESOLVER.CONFIGURATION, RESOLVER.HOSTS, 2]) {
        const result = await guest.submit({ op: OP.RESOLVER, argument, ...guest.put("....") });
        expect(errnoName(result)).toBe("ENOTCAPABLE");
      }
      expect(errnoName((await lookup(guest, "localhost")).result)).toBe("ENOTCAPABLE");
      expect(errnoName(await guest.udpBind(0, ANY_IPV4))).toBe("ENOTCAPABLE");
    },
    { grants: () => ({}) },
  );
}

function resolverLaws(law: Law): void {
  const given = { configuration: "nameserver 192.0.2.1\n", hosts: "192.0.2.7 seven\n" };

  law(
    "RESOLVER gives each text from an offset on, and 0 at its end",
    async ({ guest }) => {
      const hosts = { op: OP.RESOLVER, argument: RESOLVER.HOSTS };
      const { pointer } = guest.put("-".repeat(64));
      expect(await guest.submit({ ...hosts, pointer, length: 9 })).toBe(9);
      expect(text(guest.bytes(pointer, 10))).toBe("192.0.2.7-");
      expect(await guest.submit({ ...hosts, pointer, length: 64, offset: 10 })).toBe(6);
      expect(text(guest.bytes(pointer, 6))).toBe("seven\n");
      for (const offset of [16, 17, 2 ** 40]) {
        expect(await guest.submit({ ...hosts, pointer, length: 64, offset })).toBe(0);
      }
      expect(await guest.submit({ ...hosts, pointer, length: 0 })).toBe(0);
      expect(await configurationOf(guest)).toBe("\nnameserver [192.0.2.1]:53\n");
    },
    { grants: () => ({ dns: given }) },
  );

  law(
    "RESOLVER refuses another text and a negative offset with -EINVAL, memory that is not there with -EFAULT",
    async ({ guest }) => {
      const room = guest.put("....");
      const refused = async (submission: object): Promise<string> =>
        errnoName(await guest.submit({ op: OP.RESOLVER, ...room, ...submission }));
      expect(await refused({ argument: 2 })).toBe("EINVAL");
      expect(await refused({ argument: 2 ** 32 - 1 })).toBe("EINVAL");
      expect(await refused({ offset: -1 })).toBe("EINVAL");
      expect(await refused({ offset: -(2n ** 63n) })).toBe("EINVAL");
      const end = guest.memory.buffer.byteLength;
      expect(await refused({ pointer: end - 3 })).toBe("EFAULT");
      expect(await refused({ pointer: 2 ** 32 - 2 })).toBe("EFAULT");
      expect(await refused({ length: 2 ** 32 - 1 })).toBe("EFAULT");
    },
    { grants: () => ({ dns: given }) },
  );

  law(
    "the configuration names its first three servers by address and port, in its order, and the local one when it names none",
    async (bench) => {
      const lines = async (dns: true | DnsGrant): Promise<string[]> =>
        withGrants(bench, { dns }, async (guest) =>
          (await configurationOf(guest)).split("\n").filter((line) => line !== ""),
        );
      const configuration = [
        "# a comment",
        "search example.com",
        "nameserver 192.0.2.1",
        "nameserver fe80::1%eth0",
        "nameserver  [2001:db8::1]:5353 # more",
        "nameserver somewhere",
        "nameserver ::1",
        "nameserver 192.0.2.9",
        "options ndots:2",
      ].join("\r\n");
      const rest = ["# a comment", "search example.com", "options ndots:2"];
      expect(await lines({ configuration })).toEqual([
        ...rest,
        "nameserver [192.0.2.1]:53",
        "nameserver [2001:db8:0:0:0:0:0:1]:5353",
        "nameserver [0:0:0:0:0:0:0:1]:53",
      ]);
      const servers = [{ bytes: Uint8Array.from(LOOPBACK), port: 9 }];
      expect(await lines({ configuration, servers })).toEqual([
        ...rest,
        "nameserver [127.0.0.1]:9",
      ]);
      expect(await lines({ configuration: "" })).toEqual(["nameserver [127.0.0.1]:53"]);
      const own = (await lines(true)).filter((line) => line.startsWith("nameserver"));
      expect(own.length).toBeGreaterThan(0);
      expect(own.length).toBeLessThanOrEqual(3);
    },
  );
}

function serverLaws(law: Law): void {
  law(
    "the grant of names reaches its servers by datagram and by connection, from any free port, and nothing else",
    async (bench) => {
      const server = await bench.guest.udp();
      const other = await bench.guest.udp();
      const bytes = Uint8Array.from(LOOPBACK);
      const dns = { servers: [{ bytes, port: server.address.port }] };
      await withGrants(bench, { dns }, async (guest) => {
        const socket = must(await guest.udpBind(0, ANY_IPV4));
        must(await guest.sendTo(socket, "query", server.address));
        const { data, source } = await bench.guest.receiveFrom(server.handle);
        expect(text(data)).toBe("query");
        must(await bench.guest.sendTo(server.handle, "answer", source));
        expect(text((await guest.receiveFrom(socket)).data)).toBe("answer");

        const { port } = server.address;
        expect(errnoName(await guest.connect(port))).toBe("ECONNREFUSED");
        expect(errnoName(await guest.sendTo(socket, "", other.address))).toBe("ENOTCAPABLE");
        expect(errnoName(await guest.connect(other.address.port))).toBe("ENOTCAPABLE");
        expect(errnoName(await guest.connect(port, LOOPBACK_IPV6))).toBe("ENOTCAPABLE");
        expect(errnoName(await guest.udpBind(0))).toBe("ENOTCAPABLE");
        expect(errnoName(await guest.udpBind(5353, ANY_IPV4))).toBe("ENOTCAPABLE");
        expect(errnoName(await guest.listen(0, ANY_IPV4))).toBe("ENOTCAPABLE");
      });
    },
  );

  law("a name server that is none fails the opening", async ({ open }) => {
    const refuses = (dns: DnsGrant) => expect(open({ grants: { dns }, handlesMax: 1 })).rejects;
    const bytes = Uint8Array.from(LOOPBACK);
    await refuses({ servers: [{ bytes: new Uint8Array(5) }] }).toThrow(TypeError);
    await refuses({ servers: [{ bytes, port: 0 }] }).toThrow(RangeError);
    await refuses({ servers: [{ bytes, port: 65_536 }] }).toThrow(RangeError);
  });
}

function lookupLaws(law: Law): void {
  law("LOOKUP finds this host by its name, and numbers by themselves", async ({ guest }) => {
    const { result, found } = await lookup(guest, "localhost", { family: FAMILY.IPV4 });
    expect(result).toBeGreaterThan(0);
    expect(found[0]).toEqual({ bytes: LOOPBACK, port: 0 });
    const both = await lookup(guest, "LOCALHOST");
    expect(both.found).toContainEqual({ bytes: LOOPBACK, port: 0 });
    const numbers = await lookup(guest, "192.0.2.7");
    expect(numbers.found).toEqual([{ bytes: [192, 0, 2, 7], port: 0 }]);
    const six = await lookup(guest, "::1", { family: FAMILY.IPV6 });
    expect(six.found).toEqual([{ bytes: LOOPBACK_IPV6, port: 0 }]);
  });

  law("LOOKUP writes no more addresses than it has room for", async ({ guest }) => {
    const none = await lookup(guest, "127.0.0.1", { room: 0 });
    expect(none.result).toBe(0);
    const one = await lookup(guest, "127.0.0.1", { room: 1 });
    expect(one.result).toBe(1);
  });

  law(
    "LOOKUP refuses what is no name with -EINVAL, memory that is not there with -EFAULT",
    async ({ guest }) => {
      const refused = async (submission: object): Promise<string> =>
        errnoName(await guest.submit({ op: OP.LOOKUP, ...guest.put("localhost"), ...submission }));
      expect(await refused({ argument: 5 })).toBe("EINVAL");
      expect(await refused({ length: 0 })).toBe("EINVAL");
      expect(await refused(guest.put("a".repeat(255)))).toBe("EINVAL");
      expect(await refused(guest.put("local\0host"))).toBe("EINVAL");
      const end = guest.memory.buffer.byteLength;
      expect(await refused({ pointer: end - 3 })).toBe("EFAULT");
      expect(await refused({ otherPointer: end - 23, otherLength: 1 })).toBe("EFAULT");
      expect(await refused({ otherPointer: 0, otherLength: 2 ** 32 - 1 })).toBe("EFAULT");
    },
  );

  law("a LOOKUP in flight while the memory grows writes its addresses", async ({ guest }) => {
    const looking = lookup(guest, "127.0.0.1");
    guest.turn();
    guest.grow(2);
    expect((await looking).found).toEqual([{ bytes: LOOPBACK, port: 0 }]);
  });
}

/** The result, and what was written. */
async function lookup(
  guest: Guest,
  name: string,
  { family = 0, room = 8 }: { readonly family?: number; readonly room?: number } = {},
): Promise<{ result: number; found: Address[] }> {
  const otherPointer = guest.alloc(room * ADDRESS.size);
  const asked = { op: OP.LOOKUP, ...guest.put(name), argument: family };
  const result = await guest.submit({ ...asked, otherPointer, otherLength: room });
  const found = Array.from({ length: Math.max(result, 0) }, (_, index) =>
    guest.getAddress(otherPointer + index * ADDRESS.size),
  );
  return { result, found };
}

/** The whole text. */
async function configurationOf(guest: Guest): Promise<string> {
  const { pointer, length } = guest.put(new Uint8Array(4096));
  return text(guest.bytes(pointer, must(await guest.submit({ op: OP.RESOLVER, pointer, length }))));
}

/** Another guest of the same setting, with these grants. */
async function withGrants<T>(
  { open }: Bench,
  grants: Grants,
  body: (guest: Guest) => Promise<T>,
): Promise<T> {
  const backend = await open({ grants, handlesMax: 16 });
  try {
    return await body(new Guest(backend, {}));
  } finally {
    await backend[Symbol.asyncDispose]();
  }
}
