//! More than fits: the kernel's queues, the rings, the table of operations.

import { describe, expect, test } from "vitest";
import { ERRNO, OP } from "../../ts/abi.gen.ts";
import { must } from "../conformance/guest.ts";
import { MECHANISMS, withNative } from "./with-native.ts";

describe.each(MECHANISMS)("%s", (mechanism) => {
  test("50 000 operations in flight are cancelled one by one, newest first", async () => {
    await withNative({ mechanism, capacity: 4096 }, async ({ guest, backend }) => {
      const { server } = await guest.pair();
      const at = guest.put("?");
      const started = Array.from({ length: 50_000 }, () =>
        guest.start({ op: OP.READ, handle: server, ...at }),
      );
      guest.turn();
      expect(backend.pending).toBe(50_000);
      for (const { token } of started.reverse()) guest.cancel(token);
      const results = new Set(await Promise.all(started.map(({ result }) => result)));
      expect([...results]).toEqual([-ERRNO.ECANCELED]);
      expect(backend.pending).toBe(0);
    });
  });

  test("3000 connections wait in the kernel at once, and end with one batch of CLOSEs", async () => {
    await withNative(
      { mechanism, capacity: 4096, handlesMax: 6001 },
      async ({ guest, backend }) => {
        const listener = must(await guest.listen(0, [127, 0, 0, 1], 4096));
        const { port } = await guest.localAddress(listener);
        const indices = Array.from({ length: 3000 }, (_, index) => index);
        const accepting = indices.map(() => guest.accept(listener));
        const clients = (await Promise.all(indices.map(() => guest.connect(port)))).map(must);
        const servers = (await Promise.all(accepting)).map(must);
        const reads = servers.map((handle) =>
          guest.submit({ op: OP.READ, handle, ...guest.put("?") }),
        );
        guest.turn();
        expect(backend.pending).toBe(3000);
        const closed = await Promise.all(
          [...servers, ...clients].map((handle) => guest.close(handle)),
        );
        expect(new Set(closed)).toEqual(new Set([0]));
        expect(new Set(await Promise.all(reads))).toEqual(new Set([-ERRNO.EBADF]));
        expect(backend.handlesOpen).toBe(1);
      },
    );
  });

  test("a batch of large vectors takes several calls of the kernel and arrives in order", async () => {
    await withNative({ mechanism, capacity: 1024 }, async ({ guest }) => {
      const { client, server } = await guest.pair();
      const pieces = Array.from({ length: 64 }, (_, index) => guest.put(String(index % 10)));
      const pointer = guest.iovecs(pieces);
      const writes = Array.from({ length: 500 }, () =>
        guest.submit({ op: OP.WRITEV, handle: client, pointer, length: 64 }),
      );
      const received = await guest.readExactly(server, 500 * 64);
      expect(new Set(await Promise.all(writes))).toEqual(new Set([64]));
      const line = Array.from({ length: 64 }, (_, index) => index % 10).join("");
      expect(new TextDecoder().decode(received)).toBe(line.repeat(500));
    });
  });

  test("a guest that never takes its completions cannot make the host remember without end", async () => {
    await withNative({ mechanism, capacity: 4096 }, async ({ guest, backend }) => {
      guest.automatic = false;
      for (let round = 0; round < 300; round++) {
        guest.setShared("submissionsTail", (guest.getShared("submissionsHead") + 4096) >>> 0);
        backend.turn(0);
      }
      expect(backend.pending).toBeLessThanOrEqual(2 ** 20);
    });
  });
});
