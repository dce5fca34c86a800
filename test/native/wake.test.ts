//! How the host's event loop is woken: by the kernel, through a descriptor that libuv watches, or a thread.

import { once } from "node:events";
import { setImmediate as immediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { OP } from "../../ts/abi.gen.ts";
import { hostTraits } from "../../ts/host/native/host-traits.ts";
import { Guest } from "../conformance/guest.ts";
import { OTHER_HOST, openMechanism } from "./other-host.ts";
import { withOutsidePeer } from "./outside-peer.ts";
import { MECHANISMS, withNative } from "./with-native.ts";

describe.each(MECHANISMS)("%s", (mechanism) => {
  test("a completion that comes between turns rings once, until the next turn", async () => {
    await withNative({ mechanism }, async ({ guest, backend }) => {
      await withOutsidePeer(guest, async (handle, peer) => {
        guest.automatic = false;
        for (let round = 0; round < 3; round++) {
          guest.add({ op: OP.READ, handle, ...guest.put("????") });
          expect(backend.turn(0)).toBe(0);
          let rings = 0;
          const rung = new Promise<void>((resolve) => {
            backend.onReady = () => {
              rings++;
              resolve();
            };
          });
          peer.write("x");
          await rung;
          peer.write("y");
          for (let index = 0; index < 5; index++) await immediate();
          expect(rings).toBe(1);
          expect(backend.turn(0)).toBe(1);
          guest.drain();
        }
      });
    });
  });

  test("a guest that makes room is brought what had to wait, without another submission", async () => {
    await withNative({ mechanism, capacity: 4 }, async ({ guest, backend }) => {
      guest.automatic = false;
      for (let batch = 0; batch < 8; batch++) {
        for (let index = 0; index < 4; index++) guest.add({ op: OP.FSYNC, handle: 1 });
        backend.turn(0);
      }
      expect(backend.pending).toBe(28);
      let delivered = 4;
      while (delivered < 32) {
        const rung = new Promise<void>((resolve) => {
          backend.onReady = resolve;
        });
        guest.drain();
        delivered += backend.turn(0);
        if (backend.pending > 0) await rung;
      }
      expect(guest.drain()).toBe(4);
      expect(guest.log).toHaveLength(32);
    });
  });

  test("an error that onReady throws is an uncaught exception, and the backend goes on", async () => {
    await withNative({ mechanism }, async ({ guest, backend }) => {
      await withOutsidePeer(guest, async (handle, peer) => {
        guest.automatic = false;
        const listeners = process.listeners("uncaughtException");
        process.removeAllListeners("uncaughtException");
        const caught = once(process, "uncaughtException");
        backend.onReady = () => {
          throw new Error("from onReady");
        };
        guest.add({ op: OP.READ, handle, ...guest.put("?") });
        backend.turn(0);
        peer.write("x");
        expect(String((await caught)[0])).toBe("Error: from onReady");
        for (const listener of listeners) process.on("uncaughtException", listener);
        expect(backend.turn(0)).toBe(1);
      });
    });
  });

  for (const traits of [hostTraits(), OTHER_HOST]) {
    const how = `a wake-up by ${traits.wake}, memory that ${traits.memoryMoves ? "moves" : "stays"}`;

    test(`a backend can be disposed of while it rings: ${how}`, async () => {
      for (let round = 0; round < 100; round++) {
        const backend = openMechanism(mechanism, { grants: {}, handlesMax: 1 }, traits);
        const guest = new Guest(backend, { capacity: 4 });
        guest.automatic = false;
        const disposed = new Promise<void>((resolve) => {
          backend.onReady = () => resolve(backend[Symbol.asyncDispose]());
        });
        // So much more than the ring has room for that it rings for the rest.
        for (let batch = 0; batch < 3; batch++) {
          for (let index = 0; index < 4; index++) guest.add({ op: OP.CLOSE, handle: 1 });
          backend.turn(0);
        }
        guest.drain();
        expect(backend.turn(0)).toBe(4);
        await disposed;
      }
    });

    test(`10,000 wake-ups by a peer that answers each message: ${how}`, async () => {
      await withNative({ mechanism, traits }, async ({ guest }) => {
        await withOutsidePeer(guest, async (handle, peer) => {
          peer.setNoDelay().pipe(peer);
          const [out, back] = [guest.put("x"), guest.put("?")];
          for (let round = 0; round < 10_000; round++) {
            const read = guest.submit({ op: OP.READ, handle, ...back });
            expect(await guest.submit({ op: OP.WRITE, handle, ...out })).toBe(1);
            expect(await read).toBe(1);
          }
        });
      });
    });
  }
});
