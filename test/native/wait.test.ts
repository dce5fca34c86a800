//! Waiting in a turn, in the place of the host's event loop.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { OP } from "../../ts/abi.gen.ts";
import { hostTraits } from "../../ts/host/native/host-traits.ts";
import { must } from "../conformance/guest.ts";
import { childCommand } from "../support/child.ts";
import { MECHANISMS, withNative } from "./with-native.ts";

const run = promisify(execFile);
const FOREVER = Number.POSITIVE_INFINITY;

const reason =
  hostTraits().wake === "libuv"
    ? undefined
    : "this runtime has no event loop that the kernel can watch";

describe.each(MECHANISMS)("%s", (mechanism) => {
  describe("in the place of the event loop", () => {
    if (reason !== undefined) {
      test.skip(`a turn waits, and makes way for the host [skipped: ${reason}]`);
      return;
    }

    test("a turn that waits returns with what finishes", async () => {
      await withNative({ mechanism }, async ({ guest, backend }) => {
        const { client, server } = await guest.pair();
        guest.automatic = false;
        guest.add({ op: OP.READ, handle: server, ...guest.put("?") });
        expect(backend.turn(1)).toBe(0);
        guest.add({ op: OP.WRITE, handle: client, ...guest.put("x") });
        let delivered = 0;
        while (delivered < 2) delivered += backend.turn(FOREVER);
        expect(delivered).toBe(2);
      });
    });

    test("a turn that waits makes way for a timer of the host", async () => {
      await withNative({ mechanism }, async ({ backend }) => {
        let fired = false;
        setTimeout(() => {
          fired = true;
        }, 20);
        while (!fired) {
          expect(backend.turn(FOREVER)).toBe(0);
          expect(backend.hostLoopReady).toBe(true);
          await backend.turnHostLoop();
        }
      });
    });

    test("a turn that waits makes way for I/O of the host", async () => {
      await withNative({ mechanism }, async ({ guest, backend }) => {
        const hostServer = createServer((socket) => socket.end("from the host"));
        hostServer.listen(0, "127.0.0.1");
        await once(hostServer, "listening");
        const handle = must(await guest.connect((hostServer.address() as AddressInfo).port));
        guest.automatic = false;
        guest.add({ op: OP.READ, handle, ...guest.put("?".repeat(64)) });
        let delivered = 0;
        while (delivered === 0) {
          delivered = backend.turn(FOREVER);
          if (backend.hostLoopReady) await backend.turnHostLoop();
        }
        guest.drain();
        expect(guest.log.at(-1)?.result).toBe(13);
        guest.automatic = true;
        must(await guest.close(handle));
        await new Promise((resolve) => hostServer.close(resolve));
      });
    });

    test("turns that always find something make way for I/O of the host", async () => {
      const { stdout } = await run(...childCommand("native/busy-program.ts", [mechanism]));
      expect(stdout).toBe("made way\n");
    });

    test("an immediate of the host keeps a turn from waiting; without one it waits again", async () => {
      await withNative({ mechanism }, async ({ backend }) => {
        let ran = false;
        await backend.turnHostLoop();
        setImmediate(() => {
          ran = true;
        });
        const before = backend.stats.systemCalls;
        expect(backend.turn(FOREVER)).toBe(0);
        expect(backend.stats.systemCalls).toBe(before);
        expect(backend.hostLoopReady).toBe(true);
        await backend.turnHostLoop();
        expect(ran).toBe(true);
        expect(backend.turn(1000)).toBe(0);
        expect(backend.stats.systemCalls).toBeGreaterThan(before);
      });
    });
  });

  test("turnHostLoop resolves for a backend with nothing in flight, and after dispose", async () => {
    await withNative({ mechanism }, async ({ backend }) => {
      await backend.turnHostLoop();
      const turned = backend.turnHostLoop();
      await backend[Symbol.asyncDispose]();
      await turned;
      expect(() => backend.turn(0)).toThrow(/disposed/);
    });
  });
});
