//! Descriptors that the embedder gives to the guest: whose they are, and what the guest can do with them.

import { execFileSync } from "node:child_process";
import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OP, POLL } from "../../ts/abi.gen.ts";
import { errnoName, must, text } from "../conformance/guest.ts";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { openRuntime } from "../support/runtime.ts";
import { MECHANISMS, type NativeBench, type NativeOptions, withNative } from "./with-native.ts";

let directory: string;
let pipe: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "stackful-adopt-"));
  pipe = join(directory, "pipe");
  execFileSync("mkfifo", [pipe]);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A pipe of the embedder's: one descriptor to write to, and read from. */
async function withPipe(body: (fd: number) => Promise<void>): Promise<void> {
  const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    await body(fd);
  } finally {
    if (isOpen(fd)) closeSync(fd);
  }
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

describe.each(MECHANISMS)("%s", (mechanism) => {
  const adopting = (
    body: (bench: NativeBench & { fd: number }) => Promise<void>,
    options: NativeOptions = {},
  ): Promise<void> =>
    withPipe((fd) => withNative({ mechanism, ...options }, (bench) => body({ ...bench, fd })));

  test("the guest waits for a descriptor that it cannot read", () =>
    adopting(async ({ guest, backend, fd }) => {
      const handle = backend.adoptDescriptor(fd, {});
      const waiting = guest.submit({ op: OP.POLL, handle, argument: POLL.READABLE });
      await guest.roundTrip(await guest.pair());
      writeSync(fd, "x");
      expect(await waiting).toBe(POLL.READABLE);
      expect(errnoName(await guest.submit({ op: OP.READ, handle, ...guest.put("?") }))).toBe(
        "ENOTSUP",
      );
    }));

  test("a descriptor that is only waited for has no other operation", () =>
    adopting(async ({ guest, backend, fd }) => {
      const handle = backend.adoptDescriptor(fd, {});
      const pointer = guest.alloc(64);
      const ownFd = backend.handlesOpen;
      for (const [name, op] of Object.entries(OP)) {
        if (["CANCEL", "CLOSE", "POLL"].includes(name)) continue;
        const result = await guest.submit({ op, handle, pointer, length: 1, otherHandle: handle });
        expect(`${name} ${result < 0}`).toBe(`${name} ${!["PIPE", "SOCKET_PAIR"].includes(name)}`);
      }
      expect(backend.handlesOpen).toBe(ownFd + 4);
      const [one] = await guest.socketPair(0);
      const send = { op: OP.SEND_HANDLE, handle: one, pointer, length: 1, otherHandle: handle };
      expect(errnoName(await guest.submit(send))).toBe("ENOTSUP");
    }));

  test("closing the handle leaves the embedder's descriptor open", () =>
    adopting(async ({ guest, backend, fd }) => {
      const handle = backend.adoptDescriptor(fd, {});
      expect(await guest.close(handle)).toBe(0);
      expect(isOpen(fd)).toBe(true);
    }));

  test("closing the handle closes a descriptor that was handed over, and so does disposal", async () => {
    await withPipe(async (fd) => {
      await withNative({ mechanism }, async ({ guest, backend }) => {
        const handle = backend.adoptDescriptor(openSync(pipe, constants.O_RDWR), { owned: true });
        expect(await guest.close(handle)).toBe(0);
        backend.adoptDescriptor(openSync(pipe, constants.O_RDWR), { owned: true, transfers: true });
      });
      expect(isOpen(fd)).toBe(true);
    });
  });

  test("the embedder may close its descriptor while the guest waits", () =>
    adopting(async ({ guest, backend, fd }) => {
      const other = openSync(pipe, constants.O_RDWR);
      const handle = backend.adoptDescriptor(other, {});
      closeSync(other);
      const waiting = guest.submit({ op: OP.POLL, handle, argument: POLL.READABLE });
      await guest.roundTrip(await guest.pair());
      writeSync(fd, "x");
      expect(await waiting).toBe(POLL.READABLE);
    }));

  test("with transfers the guest reads and writes, and waits for bytes", () =>
    adopting(async ({ guest, backend, fd }) => {
      const handle = backend.adoptDescriptor(fd, { transfers: true });
      const reading = guest.read(handle, 16);
      await guest.roundTrip(await guest.pair());
      writeSync(fd, "bytes");
      expect(text(await reading)).toBe("bytes");
      expect(must(await guest.write(handle, "back"))).toBe(4);
      expect(text(await guest.read(handle, 16))).toBe("back");
    }));

  test("there is nothing to wait for in a file: EPERM, unless it is to be read", () =>
    adopting(async ({ guest, backend }) => {
      const path = join(directory, `file-${mechanism}`);
      const file = openSync(path, "w+");
      writeSync(file, "content");
      expect(() => backend.adoptDescriptor(file, {})).toThrow(
        expect.objectContaining({ code: "SF_IO", errno: "EPERM" }),
      );
      const handle = backend.adoptDescriptor(file, { transfers: true, owned: true });
      expect(text(await guest.pread(handle, 16, 0))).toBe("content");
      const folder = openSync(directory, "r");
      expect(() => backend.adoptDescriptor(folder, { transfers: true })).toThrow(
        expect.objectContaining({ errno: "EISDIR" }),
      );
      closeSync(folder);
    }));

  test("what is no descriptor gives EBADF, and one handle too many EMFILE", () =>
    adopting(
      async ({ backend, fd }) => {
        const closed = openSync(pipe, constants.O_RDWR);
        closeSync(closed);
        expect(() => backend.adoptDescriptor(closed, {})).toThrow(
          expect.objectContaining({ code: "SF_IO", errno: "EBADF" }),
        );
        backend.adoptDescriptor(fd, {});
        expect(() => backend.adoptDescriptor(fd, { owned: true })).toThrow(
          expect.objectContaining({ code: "SF_IO", errno: "EMFILE" }),
        );
        expect(isOpen(fd)).toBe(true);
      },
      { handlesMax: 1 },
    ));
});

describe("Runtime.adoptDescriptor", () => {
  let guest: TestGuest;
  beforeAll(async () => {
    guest = await buildGuest("adopted");
  });

  test("gives what a function of the guest's takes", () =>
    withPipe(async (fd) => {
      await using runtime = await openRuntime(guest, { backend: "epoll" });
      const handle = runtime.adoptDescriptor(fd, { transfers: true });
      const task = runtime.spawn("read_byte", [handle]);
      writeSync(fd, "*");
      expect(await task).toBe(42);
    }));

  test("says which backend cannot, and what no descriptor is", () =>
    withPipe(async (fd) => {
      await using runtime = await openRuntime(guest, { backend: "node" });
      expect(() => runtime.adoptDescriptor(fd)).toThrow(
        expect.objectContaining({ code: "SF_IO", errno: "ENOSYS" }),
      );
      for (const wrong of [-1, 0.5, Number.NaN, 2 ** 31])
        expect(() => runtime.adoptDescriptor(wrong)).toThrow(RangeError);
    }));
});
