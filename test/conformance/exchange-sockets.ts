//! The scenes of the exchange on datagrams, options, connected UDP sockets and batches.

import { ADDRESS, DATAGRAM, OP, OPTION, SHUTDOWN } from "../../ts/abi.gen.ts";
import type { Recorder } from "./exchange.ts";
import { LOOPBACK } from "./guest.ts";

export const SOCKET_SCENES: Readonly<Record<string, (recorder: Recorder) => Promise<void>>> = {
  async datagrams(r) {
    const { guest } = r;
    const bind = { op: OP.UDP_BIND, pointer: guest.putAddress({ bytes: LOOPBACK, port: 0 }) };
    const one = await r.op("UDP_BIND", bind);
    const two = await r.op("UDP_BIND of another", bind);
    const address = guest.putAddress(await guest.localAddress(two));
    await r.op("UDP_BIND where somebody is", { op: OP.UDP_BIND, pointer: address });
    const sourceAt = guest.alloc(ADDRESS.size);
    const send = (title: string, data: string, argument = address): Promise<number> =>
      r.op(title, { op: OP.SEND_TO, handle: one, ...guest.put(data), argument });
    const receive = (title: string, length: number): Promise<number> =>
      r.op(title, {
        op: OP.RECEIVE_FROM,
        handle: two,
        ...guest.put(".".repeat(length)),
        argument: sourceAt,
      });
    await send("SEND_TO", "a datagram");
    await receive("RECEIVE_FROM", 64);
    const { port } = await guest.localAddress(one);
    r.note("RECEIVE_FROM tells the sender", guest.getAddress(sourceAt).port === port);
    await send("SEND_TO of nothing", "");
    await receive("RECEIVE_FROM of nothing", 64);
    await send("SEND_TO of what is cut", "too long for its reader");
    await receive("RECEIVE_FROM that cuts", 8);
    await send("SEND_TO of too much", "x".repeat(65_508));
    await send("SEND_TO port 0", "x", guest.putAddress({ bytes: LOOPBACK, port: 0 }));
    await send("SEND_TO without a grant", "x", guest.putAddress({ bytes: [127, 0, 0, 2], port }));
    await r.read("READ", one);
    await r.write("WRITE", one, "x");
    await r.shutdown("SHUTDOWN", one, SHUTDOWN.BOTH);
    await r.op("ACCEPT", { op: OP.ACCEPT, handle: one });
    const waits = { op: OP.RECEIVE_FROM, handle: two, ...guest.put("....") };
    const canceled = guest.start(waits);
    await guest.localAddress(two);
    guest.cancel(canceled.token);
    await r.result("a RECEIVE_FROM that is canceled", canceled.result, waits);
    const pending = guest.submit(waits);
    await guest.localAddress(two);
    await r.close("CLOSE under a RECEIVE_FROM", two);
    await r.result("that RECEIVE_FROM", pending, waits);
    await send("SEND_TO where nobody is", "x");
  },

  async "options of sockets"(r) {
    const { guest } = r;
    const { client, server, listener } = await r.pair();
    const udp = await r.op("UDP_BIND", {
      op: OP.UDP_BIND,
      pointer: guest.putAddress({ bytes: LOOPBACK, port: 0 }),
    });
    const otherPointer = guest.alloc(8);
    for (const [name, handle] of Object.entries({ client, listener, udp })) {
      for (const [option, argument] of Object.entries({ ...OPTION, UNKNOWN: 77 })) {
        // Buffers are as large as a system has them, and Node has neither them nor hops of TCP.
        if (option.endsWith("BUFFER") || (option === "HOPS" && handle !== udp)) continue;
        const get = { op: OP.GET_OPTION, handle, argument, otherPointer };
        // To linger for a while Node has no function.
        const one = option === "LINGER" ? 0n : 1n;
        for (const value of [-2n, -1n, 0n, one, 40_000n]) {
          const set = { op: OP.SET_OPTION, handle, argument, offset: value };
          await r.op(`SET_OPTION of ${name}, ${option} = ${value}`, set);
          const result = await r.op(`GET_OPTION of ${name}, ${option}`, get);
          if (result === 0) r.note("its value", `${guest.view.getBigInt64(otherPointer, true)}`);
        }
      }
    }
    const reset = { op: OP.SET_OPTION, handle: client, argument: OPTION.LINGER, offset: 0 };
    await r.op("SET_OPTION of LINGER to 0", reset);
    await r.write("WRITE before the CLOSE", client, "lost or not");
    await r.read("READ of it", server);
    await r.close("CLOSE that resets", client);
    await r.settle();
    await r.read("READ of a reset by who does not linger", server);
  },

  async "datagrams between connected sockets"(r) {
    const { guest } = r;
    const bind = { op: OP.UDP_BIND, pointer: guest.putAddress({ bytes: LOOPBACK, port: 0 }) };
    const one = await r.op("UDP_BIND", bind);
    const two = await r.op("UDP_BIND of another", bind);
    const first = guest.putAddress(await guest.localAddress(one));
    const second = guest.putAddress(await guest.localAddress(two));
    const connect = (title: string, handle: number, pointer: number): Promise<number> =>
      r.op(title, { op: OP.UDP_CONNECT, handle, pointer });
    await connect("UDP_CONNECT", one, second);
    await r.write("WRITE", one, "a datagram");
    await r.read("READ of who is not connected", two);
    await connect("UDP_CONNECT of the other", two, first);
    await r.read("READ of what came before", two);
    await r.write("WRITE of nothing", two, "");
    await r.read("READ of nothing", one);
    await r.write("WRITE of too much", two, "x".repeat(65_508));
    const send = { op: OP.SEND_TO, handle: one, ...guest.put("x"), argument: second };
    await r.op("SEND_TO while connected", send);
    const pointer = guest.alloc(ADDRESS.size);
    await r.op("PEER_ADDRESS", { op: OP.PEER_ADDRESS, handle: one, pointer });
    await connect("UDP_CONNECT without a grant", one, guest.putAddress(outside(guest, second)));
    await connect("UDP_CONNECT into the wild", one, 0xffff_fff0);
    await r.write("WRITE after it", one, "as before");
    await r.read("READ after it", two);
    await r.close("CLOSE of one", one);
    await r.write("WRITE to nobody", two, "anyone?");
    await r.settle();
    await r.read("READ of the refusal", two);
    await connect("UDP_CONNECT to nobody", two, 0);
    await r.write("WRITE to nobody in particular", two, "x");
    await r.read("READ from nobody in particular", two);
    await r.op("PEER_ADDRESS of nobody", { op: OP.PEER_ADDRESS, handle: two, pointer });
  },

  async "batches of datagrams"(r) {
    const { guest } = r;
    const bind = { op: OP.UDP_BIND, pointer: guest.putAddress({ bytes: LOOPBACK, port: 0 }) };
    const socket = await r.op("UDP_BIND", bind);
    const itself = guest.putAddress(await guest.localAddress(socket));
    const batch = (datagrams: readonly [data: string, to: number][]): number => {
      const at = guest.alloc(datagrams.length * DATAGRAM.size);
      for (const [index, [data, to]] of datagrams.entries()) {
        const record = at + index * DATAGRAM.size;
        const { pointer, length } = guest.put(data);
        guest.view.setUint32(record + DATAGRAM.pointer, pointer, true);
        guest.view.setUint32(record + DATAGRAM.length, length, true);
        const address = guest.bytes(to, ADDRESS.size);
        new Uint8Array(guest.memory.buffer).set(address, record + DATAGRAM.address);
      }
      return at;
    };
    const send = (title: string, pointer: number, length: number): Promise<number> =>
      r.op(title, { op: OP.SEND_BATCH, handle: socket, pointer, length });
    const nobody = guest.alloc(ADDRESS.size);
    const three = batch([
      ["one", itself],
      ["", itself],
      ["three", itself],
    ]);
    await send("SEND_BATCH", three, 3);
    await r.settle();
    const room = batch([
      ["....", nobody],
      ["....", nobody],
      ["....", nobody],
      ["....", nobody],
    ]);
    await r.op("RECEIVE_BATCH", { op: OP.RECEIVE_BATCH, handle: socket, pointer: room, length: 4 });
    for (let at = room; at < room + 3 * DATAGRAM.size; at += DATAGRAM.size) {
      r.note("bytes", guest.view.getInt32(at + DATAGRAM.result, true));
      r.note("truncated", guest.view.getUint32(at + DATAGRAM.truncated, true));
    }
    await send("SEND_BATCH to nobody", batch([["x", nobody]]), 1);
    await send(
      "SEND_BATCH up to nobody",
      batch([
        ["x", itself],
        ["x", nobody],
      ]),
      2,
    );
    await send("SEND_BATCH of too many", three, 65);
    await send("SEND_BATCH of none", three, 0);
    await send("SEND_BATCH from the wild", 0xffff_fff0, 1);
  },
};

/** The same port at an address that is not granted. */
function outside(guest: Recorder["guest"], address: number) {
  return { bytes: [127, 0, 0, 2], port: guest.getAddress(address).port };
}
