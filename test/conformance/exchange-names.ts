//! The scene of names of the exchange: what is told of them, what is found, what is refused.

import { ADDRESS, OP, RESOLVER } from "../../ts/abi.gen.ts";
import type { Recorder } from "./exchange.ts";
import { text } from "./guest.ts";

export const NAME_SCENES: Readonly<Record<string, (recorder: Recorder) => Promise<void>>> = {
  names: async (recorder) => {
    const { guest } = recorder;
    const tell = async (title: string, argument: number, offset: number | bigint) => {
      const room = guest.put(".".repeat(64));
      const count = await recorder.op(title, { op: OP.RESOLVER, argument, ...room, offset });
      if (count > 0) recorder.note(title, JSON.stringify(text(guest.bytes(room.pointer, count))));
    };
    await tell("RESOLVER of the configuration", RESOLVER.CONFIGURATION, 0);
    await tell("RESOLVER of the hosts, from 10 on", RESOLVER.HOSTS, 10);
    await tell("RESOLVER at the end", RESOLVER.HOSTS, 16);
    await tell("RESOLVER beyond it", RESOLVER.HOSTS, 1n << 62n);
    await tell("RESOLVER before the beginning", RESOLVER.HOSTS, -1);
    await tell("RESOLVER of another text", 2, 0);

    const look = async (title: string, name: string, family = 0, room = 4) => {
      const otherPointer = guest.alloc(room * ADDRESS.size);
      const asked = { op: OP.LOOKUP, ...guest.put(name), argument: family };
      const count = await recorder.op(title, { ...asked, otherPointer, otherLength: room });
      if (count > 0) recorder.note(title, guest.getAddress(otherPointer).bytes.join("."));
    };
    await look("LOOKUP of a number", "192.0.2.9");
    await look("LOOKUP of a number of the other family", "192.0.2.9", 6);
    await look("LOOKUP of an IPv6 number", "2001:db8::1", 6);
    await look("LOOKUP without room", "192.0.2.9", 0, 0);
    await look("LOOKUP of nothing", "");
    await look("LOOKUP of no family", "192.0.2.9", 5);
  },
};
