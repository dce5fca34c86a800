//! Reads that wait at a terminal where nobody types: as many as there are, and none on a thread.

import { availableParallelism } from "node:os";
import { describe, expect, test } from "vitest";
import { ERRNO, OP, OPEN } from "../../ts/abi.gen.ts";
import { openBackend } from "../../ts/host/open-backend.ts";
import { Guest, must } from "../conformance/guest.ts";
import { MECHANISMS, withNative } from "./with-native.ts";

const THREADS_MAX = Math.max(4, 2 * availableParallelism());

const grants = {
  directories: [{ host: "/dev", guest: "/dev" }],
  connect: [{}],
  listen: [{}],
};

/** The master side of a terminal: whoever reads it waits for output that never comes. */
async function terminal(guest: Guest): Promise<number> {
  return must(await guest.open("/dev/ptmx", OPEN.READ | OPEN.WRITE));
}

function startReads(guest: Guest, handles: readonly number[]) {
  return handles.map((handle) => guest.start({ op: OP.READ, handle, ...guest.put("?") }));
}

test("node opens no terminal: -ENOTSUP; a device that never waits is a file", async () => {
  const { backend } = await openBackend("node", { grants, handlesMax: 16 });
  try {
    const guest = new Guest(backend);
    expect(await guest.open("/dev/ptmx", OPEN.READ | OPEN.WRITE)).toBe(-ERRNO.ENOTSUP);
    expect(backend.handlesOpen).toBe(0);
    const zero = must(await guest.open("/dev/zero", OPEN.READ));
    expect(await guest.read(zero, 2)).toHaveLength(2);
  } finally {
    await backend[Symbol.asyncDispose]();
  }
});

describe.each(MECHANISMS)("%s", (mechanism) => {
  test("a READ that waits ends when it is canceled", async () => {
    await withNative({ mechanism, grants }, async ({ guest }) => {
      const [read] = startReads(guest, [await terminal(guest)]);
      guest.turn();
      guest.cancel(read!.token);
      expect(await read!.result).toBe(-ERRNO.ECANCELED);
    });
  });

  test("a READ that waits ends when its handle is closed, before the CLOSE", async () => {
    await withNative({ mechanism, grants }, async ({ guest }) => {
      const handle = await terminal(guest);
      const [read] = startReads(guest, [handle]);
      guest.turn();
      const ended: string[] = [];
      const reading = read!.result.then(() => ended.push("READ"));
      const closing = guest.close(handle).then(() => ended.push("CLOSE"));
      await Promise.all([reading, closing]);
      expect(await read!.result).toBe(-ERRNO.EBADF);
      expect(ended).toEqual(["READ", "CLOSE"]);
    });
  });

  test("a backend is disposed of while terminals are waited for", async () => {
    await withNative({ mechanism, grants }, async ({ guest, backend }) => {
      const handles: number[] = [];
      for (let index = 0; index < 2 * THREADS_MAX; index++) handles.push(await terminal(guest));
      startReads(guest, handles);
      guest.turn();
      expect(backend.pending).toBe(2 * THREADS_MAX);
    });
  });

  test("terminals that are waited for hold no thread: files are read meanwhile", async () => {
    await withNative({ mechanism, grants }, async ({ guest }) => {
      const handles: number[] = [];
      for (let index = 0; index < 2 * THREADS_MAX; index++) handles.push(await terminal(guest));
      const reads = startReads(guest, handles);
      guest.turn();
      const zero = must(await guest.open("/dev/zero", OPEN.READ));
      expect(await guest.read(zero, 2)).toHaveLength(2);
      expect(await guest.pread(zero, 2, 10)).toHaveLength(2);
      for (const { token } of reads) guest.cancel(token);
      const results = new Set(await Promise.all(reads.map(({ result }) => result)));
      expect(results).toEqual(new Set([-ERRNO.ECANCELED]));
    });
  });
});
