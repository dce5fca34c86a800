//! Laws of ports that several sockets share.

import { expect } from "vitest";
import { BIND, OP } from "../../ts/abi.gen.ts";
import type { Law } from "./backend-conformance.ts";
import { errnoName, LOOPBACK, must, text } from "./guest.ts";

const ANY = [0, 0, 0, 0];

/** Those that cannot hold where the host's API has no such option. */
export function withoutSharedPorts(reason: string): Record<string, string> {
  return Object.fromEntries([LISTENERS, ALONE, DATAGRAMS].map((title) => [title, reason]));
}

const LISTENERS = "listeners that share a port get all of its connections between them";
const ALONE = "a port is shared among those who want it only";
const DATAGRAMS = "each datagram to a shared port goes to one of its sockets";

export function sharedPortLaws(law: Law): void {
  law("a port is shared, or that is -ENOTSUP, as the host has it", async ({ guest, name }) => {
    const cannot = ["node", "deno", "iocp"].includes(name) ? ["ENOTSUP"] : [];
    for (const op of [OP.LISTEN, OP.UDP_BIND]) {
      const result = await guest.bindWith(BIND.REUSE_PORT, 0, LOOPBACK, op);
      if (result < 0) expect(cannot).toContain(errnoName(result));
    }
  });

  law(LISTENERS, async ({ guest }) => {
    const first = must(await guest.bindWith(BIND.REUSE_PORT, 0, LOOPBACK, OP.LISTEN));
    const { port } = await guest.localAddress(first);
    const second = must(await guest.bindWith(BIND.REUSE_PORT, port, LOOPBACK, OP.LISTEN));
    expect((await guest.localAddress(second)).port).toBe(port);
    const accepted = new Map<number, number>();
    const serve = async (listener: number): Promise<void> => {
      for (;;) {
        const result = await guest.accept(listener);
        if (result < 0) return;
        accepted.set(listener, (accepted.get(listener) ?? 0) + 1);
        await guest.writeAll(result, "!");
      }
    };
    const serving = [serve(first), serve(second)];
    for (let index = 0; index < 64; index++) {
      const client = must(await guest.connect(port));
      expect(text(await guest.readExactly(client, 1))).toBe("!");
      must(await guest.close(client));
    }
    // Each connection goes to either by chance: to one alone hardly ever.
    expect([...accepted.keys()].sort()).toEqual([first, second].sort());
    expect([...accepted.values()].reduce((sum, count) => sum + count, 0)).toBe(64);
    for (const listener of [first, second]) must(await guest.close(listener));
    await Promise.all(serving);
  });

  law(ALONE, async ({ guest }) => {
    for (const op of [OP.LISTEN, OP.UDP_BIND]) {
      const shared = must(await guest.bindWith(BIND.REUSE_PORT, 0, LOOPBACK, op));
      const { port } = await guest.localAddress(shared);
      expect(errnoName(await guest.bindWith(0, port, LOOPBACK, op))).toBe("EADDRINUSE");
      const alone = must(await guest.bindWith(0, 0, LOOPBACK, op));
      const taken = (await guest.localAddress(alone)).port;
      const result = await guest.bindWith(BIND.REUSE_PORT, taken, LOOPBACK, op);
      expect(errnoName(result)).toBe("EADDRINUSE");
    }
  });

  law(DATAGRAMS, async ({ guest }) => {
    const first = must(await guest.bindWith(BIND.REUSE_PORT, 0));
    const { port } = await guest.localAddress(first);
    const second = must(await guest.bindWith(BIND.REUSE_PORT, port));
    const received: string[] = [];
    const receive = async (handle: number): Promise<void> => {
      for (;;) {
        const buffer = guest.put("....");
        const result = await guest.submit({ op: OP.RECEIVE_FROM, handle, ...buffer });
        if (result < 0) return;
        received.push(text(guest.bytes(buffer.pointer, result)));
        if (received.length === 20) done();
      }
    };
    let done = (): void => {};
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    const receiving = [receive(first), receive(second)];
    const expected: string[] = [];
    for (let index = 0; index < 20; index++) {
      const { handle } = await guest.udp();
      must(await guest.sendTo(handle, `${index}`, { bytes: LOOPBACK, port }));
      expected.push(`${index}`);
    }
    await all;
    expect(received.sort()).toEqual(expected.sort());
    for (const handle of [first, second]) must(await guest.close(handle));
    await Promise.all(receiving);
  });

  law("a UDP address is bound again by those who both said so", async ({ guest }) => {
    const first = must(await guest.bindWith(BIND.REUSE_ADDRESS, 0, ANY));
    const { port } = await guest.localAddress(first);
    must(await guest.bindWith(BIND.REUSE_ADDRESS, port, ANY));
    expect(errnoName(await guest.bindWith(0, port, ANY))).toBe("EADDRINUSE");
  });

  law("flags that there are not give -EINVAL", async ({ guest }) => {
    for (const op of [OP.LISTEN, OP.UDP_BIND]) {
      for (const mode of [4, 7, 0x8000_0000, 0xffff_ffff]) {
        expect(errnoName(await guest.bindWith(mode, 0, LOOPBACK, op))).toBe("EINVAL");
      }
    }
  });
}
