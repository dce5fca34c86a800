//! Laws of multicast, over the loopback interface.

import { expect } from "vitest";
import { BIND, OP } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import {
  type Address,
  errnoName,
  type Guest,
  LOOPBACK,
  LOOPBACK_IPV6,
  must,
  NO_IPV6,
  text,
} from "./guest.ts";
import { notUdp } from "./not-udp.ts";

/** The number of the loopback interface on Linux and in a simulated world. */
const LO = 1;
const GROUP = [239, 255, 77, 1];
const OTHER_GROUP = [239, 255, 77, 2];
/** Of the machine's own interface alone. */
const GROUP_IPV6 = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77, 1];
const ANY = [0, 0, 0, 0];
const ANY_IPV6 = new Array<number>(16).fill(0);

function join(guest: Guest, handle: number, bytes: readonly number[], scope = LO): Promise<number> {
  const pointer = guest.putAddress({ bytes, port: 0, scope });
  return guest.submit({ op: OP.MEMBERSHIP, handle, pointer, argument: 1 });
}

function leave(
  guest: Guest,
  handle: number,
  bytes: readonly number[],
  scope = LO,
): Promise<number> {
  const pointer = guest.putAddress({ bytes, port: 0, scope });
  return guest.submit({ op: OP.MEMBERSHIP, handle, pointer, argument: 0 });
}

/** A socket that hears its group, and where to send for that. */
async function member(
  guest: Guest,
  group = GROUP,
  port = 0,
): Promise<{ handle: number; group: Address; unicast: Address }> {
  const ipv6 = group.length === 16;
  const any = ipv6 ? ANY_IPV6 : ANY;
  const handle = must(await guest.bindWith(BIND.REUSE_ADDRESS, port, any));
  must(await join(guest, handle, group));
  const bound = await guest.localAddress(handle);
  return {
    handle,
    group: { bytes: group, port: bound.port, scope: ipv6 ? LO : 0 },
    unicast: { bytes: ipv6 ? LOOPBACK_IPV6 : LOOPBACK, port: bound.port },
  };
}

export function udpGroupLaws(law: Law): void {
  law("a member hears what is sent to its group, until it leaves", async ({ guest }) => {
    const sender = await guest.udp();
    const { handle, group, unicast } = await member(guest);
    must(await guest.sendTo(sender.handle, "to the group", group));
    const { data, source } = await guest.receiveFrom(handle);
    expect(text(data)).toBe("to the group");
    expect(source).toEqual(sender.address);
    expect(await leave(guest, handle, GROUP)).toBe(0);
    must(await guest.sendTo(sender.handle, "not heard", group));
    must(await guest.sendTo(sender.handle, "heard", unicast));
    expect(text((await guest.receiveFrom(handle)).data)).toBe("heard");
  });

  law(
    "a group of IPv6 works like one of IPv4",
    async ({ guest }) => {
      const sender = await guest.udp(LOOPBACK_IPV6);
      const { handle, group, unicast } = await member(guest, GROUP_IPV6);
      const sent = await guest.sendTo(sender.handle, "to the group", group);
      // A loopback interface that was not made for multicast has no route for it.
      const routed = errnoName(sent) !== "ENETUNREACH";
      if (routed) expect(text((await guest.receiveFrom(handle)).data)).toBe("to the group");
      expect(await leave(guest, handle, GROUP_IPV6)).toBe(0);
      if (routed) must(await guest.sendTo(sender.handle, "not heard", group));
      must(await guest.sendTo(sender.handle, "heard", unicast));
      expect(text((await guest.receiveFrom(handle)).data)).toBe("heard");
    },
    { skip: NO_IPV6 },
  );

  law("every member of a group gets each datagram", async ({ guest }) => {
    const sender = await guest.udp();
    const first = await member(guest);
    const second = await member(guest, GROUP, first.group.port);
    for (const data of ["one", "two"]) {
      must(await guest.sendTo(sender.handle, data, first.group));
      for (const { handle } of [first, second]) {
        expect(text((await guest.receiveFrom(handle)).data)).toBe(data);
      }
    }
  });

  law("MEMBERSHIP tells a second join, and a leave without one", async ({ guest }) => {
    const { handle } = await member(guest);
    expect(errnoName(await join(guest, handle, GROUP))).toBe("EADDRINUSE");
    expect(errnoName(await leave(guest, handle, OTHER_GROUP))).toBe("EADDRNOTAVAIL");
    expect(await join(guest, handle, OTHER_GROUP)).toBe(0);
    expect(await leave(guest, handle, GROUP)).toBe(0);
    expect(errnoName(await leave(guest, handle, GROUP))).toBe("EADDRNOTAVAIL");
  });

  law("MEMBERSHIP says what is wrong with a group", async ({ guest }) => {
    const handle = must(await guest.udpBind(0, ANY));
    expect(errnoName(await join(guest, handle, [10, 0, 0, 1]))).toBe("EINVAL");
    expect(errnoName(await join(guest, handle, GROUP_IPV6))).toBe("EAFNOSUPPORT");
    expect(errnoName(await join(guest, handle, GROUP, 0x7fff_fff0))).toBe("ENODEV");
    const pointer = guest.putAddress({ bytes: GROUP, port: 0, scope: LO });
    for (const argument of [2, 0xffff_ffff]) {
      const result = await guest.submit({ op: OP.MEMBERSHIP, handle, pointer, argument });
      expect(errnoName(result)).toBe("EINVAL");
    }
    const wild = { op: OP.MEMBERSHIP, handle, pointer: 0xffff_fff0, argument: 1 };
    expect(errnoName(await guest.submit(wild))).toBe("EFAULT");
  });

  law("MEMBERSHIP is refused on TCP and on a file", async ({ guest }) => {
    for (const [handle, errno] of await notUdp(guest)) {
      expect(errnoName(await join(guest, handle, GROUP))).toBe(errno);
    }
  });

  law(
    "MEMBERSHIP needs the grant to listen at the group's address",
    async ({ guest }) => {
      const handle = must(await guest.udpBind(0, ANY));
      expect(errnoName(await join(guest, handle, GROUP))).toBe("ENOTCAPABLE");
      expect(await join(guest, handle, OTHER_GROUP)).toBe(0);
    },
    {
      grants: () => ({
        listen: [{ bytes: Uint8Array.from(ANY) }, { bytes: Uint8Array.from(OTHER_GROUP) }],
      }),
    },
  );
}
