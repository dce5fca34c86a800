//! Transfers that the core wants at once: what they do is what the ring would have done, or nothing.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ERRNO, OP, OPEN } from "../../ts/abi.gen.ts";
import type { BackendProvider } from "../../ts/host/backend.ts";
import { errnoName, LOOPBACK, must, text } from "../conformance/guest.ts";
import { lawsOf, withRuntime } from "../support/runtime.ts";
import { openMechanism } from "./other-host.ts";
import { MECHANISMS, withNative } from "./with-native.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "stackful-attempt-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const { load, law } = lawsOf("attempts");

describe.each(MECHANISMS)("%s", (mechanism) => {
  const backend: BackendProvider = {
    open: async (options) => openMechanism(mechanism, options),
  };

  test("a read of what is there ends at once, and nothing is submitted", () =>
    withNative({ mechanism }, async ({ guest, backend }) => {
      const { client, server } = await guest.pair();
      expect(guest.attempt({ op: OP.WRITE, handle: client, ...guest.put("hello") })).toBe(5);
      const into = { pointer: guest.alloc(16), length: 16 };
      expect(guest.attempt({ op: OP.READ, handle: server, ...into })).toBe(5);
      expect(text(guest.bytes(into.pointer, 5))).toBe("hello");
      expect(backend.pending).toBe(0);
      const before = backend.stats.submissions;
      await guest.localAddress(server);
      expect(backend.stats.submissions - before).toBe(3);
    }));

  test("at the end of a stream it is 0, and what cannot be sent any more is EPIPE", () =>
    withNative({ mechanism }, async ({ guest }) => {
      const [one, other] = await guest.socketPair(0);
      must(await guest.close(other));
      expect(guest.attempt({ op: OP.READ, handle: one, ...guest.put("?") })).toBe(0);
      const result = guest.attempt({ op: OP.WRITE, handle: one, ...guest.put("?") });
      expect(errnoName(result)).toBe("EPIPE");
    }));

  test("what would have to wait is EAGAIN, and is as it was", () =>
    withNative({ mechanism }, async ({ guest, backend }) => {
      const { client, server } = await guest.pair();
      const read = { op: OP.READ, handle: server, ...guest.put("........") };
      expect(errnoName(guest.attempt(read))).toBe("EAGAIN");
      expect(backend.pending).toBe(0);
      const reading = guest.submit(read);
      must(await guest.submit({ op: OP.WRITE, handle: client, ...guest.put("late") }));
      expect(await reading).toBe(4);
    }));

  test("nothing is overtaken: not what is under way on the handle, not what is submitted", () =>
    withNative({ mechanism }, async ({ guest }) => {
      const { client, server } = await guest.pair();
      const first = { op: OP.READ, handle: server, ...guest.put(".....") };
      const reading = guest.submit(first);
      await guest.localAddress(client);
      expect(guest.attempt({ op: OP.WRITE, handle: client, ...guest.put("first") })).toBe(5);
      const second = { op: OP.READ, handle: server, ...guest.put("......") };
      expect(errnoName(guest.attempt(second))).toBe("EAGAIN");
      expect(await reading).toBe(5);

      guest.automatic = false;
      const write = (what: string) => ({ op: OP.WRITE, handle: client, ...guest.put(what) });
      guest.add(write("sec"));
      expect(errnoName(guest.attempt(write("ond")))).toBe("EAGAIN");
      guest.automatic = true;
      guest.turn();
      expect(guest.attempt(write("ond"))).toBe(3);
      const into = { pointer: guest.alloc(6), length: 6 };
      for (let count = 0; count < 6; ) {
        const rest = { pointer: into.pointer + count, length: 6 - count };
        count += must(await guest.submit({ op: OP.READ, handle: server, ...rest }));
      }
      expect(text(guest.bytes(into.pointer, 6))).toBe("second");
    }));

  test("what is wrong is left to the ring to tell, and touches nothing", () =>
    withNative({ mechanism, grants: { connect: [], listen: [{}] } }, async ({ guest, backend }) => {
      const [one, other] = await guest.socketPair(0);
      const { handle: udp } = await guest.udp();
      const end = guest.memory.buffer.byteLength;
      const put = guest.put("data");
      const cases = [
        { op: OP.WRITE, handle: one ^ (1 << 20), ...put },
        { op: OP.WRITE, handle: -1, ...put },
        { op: OP.WRITE, handle: one, pointer: end - 2, length: 4 },
        { op: OP.READ, handle: one, pointer: 0xffff_ffff, length: 0xffff_ffff },
        { op: OP.PREAD, handle: one, ...put },
        {
          op: OP.SEND_TO,
          handle: udp,
          ...put,
          argument: guest.putAddress({ bytes: LOOPBACK, port: 9 }),
        },
        { op: OP.SEND_TO, handle: udp, ...put, argument: end - 4 },
        { op: OP.CLOSE, handle: one },
        { op: OP.LISTEN, pointer: guest.putAddress({ bytes: LOOPBACK, port: 0 }) },
        { op: 0xffff, handle: one, ...put },
      ];
      const open = backend.handlesOpen;
      for (const wrong of cases) {
        expect(`${JSON.stringify(wrong)}: ${errnoName(guest.attempt(wrong))}`).toBe(
          `${JSON.stringify(wrong)}: EAGAIN`,
        );
      }
      expect(backend.handlesOpen).toBe(open);
      expect(errnoName(guest.attempt({ op: OP.READ, handle: other, ...put }))).toBe("EAGAIN");
    }));

  test("it works on the memory as it is now", () =>
    withNative({ mechanism }, async ({ guest }) => {
      const { client, server } = await guest.pair();
      const pointer = guest.memory.buffer.byteLength;
      guest.memory.grow(1);
      expect(guest.attempt({ op: OP.WRITE, handle: client, ...guest.put("grown") })).toBe(5);
      expect(guest.attempt({ op: OP.READ, handle: server, pointer, length: 5 })).toBe(5);
      expect(text(guest.bytes(pointer, 5))).toBe("grown");
    }));

  test("a file is read at its place, all that was asked for or nothing", () => {
    const grants = { directories: [{ host: directory, guest: "/" }] };
    return withNative({ mechanism, grants }, async ({ guest }) => {
      const file = must(await guest.open(`/${mechanism}`, OPEN.READ | OPEN.WRITE | OPEN.CREATE));
      must(
        await guest.submit({ op: OP.PWRITE, handle: file, ...guest.put("0123456789"), offset: 0 }),
      );
      const pointer = guest.alloc(16);
      // A system may not know what it has in memory.
      const read = guest.attempt({ op: OP.PREAD, handle: file, pointer, length: 4, offset: 3 });
      expect(["3456", "EAGAIN"]).toContain(
        read === 4 ? text(guest.bytes(pointer, 4)) : errnoName(read),
      );
      const short = { op: OP.PREAD, handle: file, pointer, length: 8, offset: 8 };
      expect(errnoName(guest.attempt(short))).toBe("EAGAIN");
      expect(await guest.submit(short)).toBe(2);
    });
  });

  test("reads at any places of a file, many in one turn, give what is there", () => {
    const grants = { directories: [{ host: directory, guest: "/" }] };
    return withNative({ mechanism, grants }, async ({ guest, backend }) => {
      const bytes = 20_000;
      const content = Uint8Array.from({ length: bytes }, (_, at) => (at * 7 + (at >> 8)) & 255);
      writeFileSync(join(directory, `${mechanism}-places`), content);
      const file = must(await guest.open(`/${mechanism}-places`, OPEN.READ));
      const read = fc.record({
        attempted: fc.boolean(),
        offset: fc.integer({ min: 0, max: bytes + 100 }),
        length: fc.integer({ min: 0, max: 5000 }),
      });
      const memory = guest.alloc(16 * 5000);
      const places = fc.array(read, { minLength: 1, maxLength: 16 });
      const property = fc.asyncProperty(places, async (reads) => {
        const submissions = reads.map(({ offset, length }, at) => {
          const pointer = memory + at * 5000;
          return { op: OP.PREAD, handle: file, pointer, length, offset };
        });
        const before = backend.stats.completions;
        guest.automatic = false;
        const pending = submissions.map((submission, at) => {
          const now = reads[at]!.attempted ? guest.attempt(submission) : -ERRNO.EAGAIN;
          return now === -ERRNO.EAGAIN ? guest.submit(submission) : now;
        });
        guest.automatic = true;
        guest.turn();
        const counts = await Promise.all(pending);
        expect(backend.stats.completions - before).toBe(reads.length);
        for (const [at, { offset, length }] of reads.entries()) {
          const expected = content.subarray(offset, offset + length);
          expect(counts[at]).toBe(expected.length);
          expect(guest.bytes(submissions[at]!.pointer, expected.length)).toEqual(expected);
        }
      });
      await fc.assert(property, { numRuns: 25 });
    });
  });

  test("transfers at once and through the ring, in any mixture, keep a stream in order", () =>
    withNative({ mechanism }, async ({ guest }) => {
      const step = fc.record({
        writes: fc.boolean(),
        atOnce: fc.boolean(),
        bytes: fc.integer({ min: 1, max: 300 }),
      });
      const { client, server } = await guest.pair();
      const out = guest.alloc(1024);
      const into = guest.alloc(1024);
      let written = 0;
      let read = 0;
      const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        for (const { writes, atOnce, bytes } of steps) {
          const length = writes ? bytes : Math.min(bytes, written - read);
          if (length === 0) continue;
          const submission = writes
            ? { op: OP.WRITE, handle: client, pointer: out, length }
            : { op: OP.READ, handle: server, pointer: into, length };
          if (writes) {
            new Uint8Array(guest.memory.buffer, out, length).forEach((_, at, all) => {
              all[at] = (written + at) & 255;
            });
          }
          let count = atOnce ? guest.attempt(submission) : await guest.submit(submission);
          if (errnoName(count) === "EAGAIN") count = await guest.submit(submission);
          expect(count).toBeGreaterThan(0);
          if (writes) {
            written += count;
            continue;
          }
          const expected = Uint8Array.from({ length: count }, (_, at) => (read + at) & 255);
          expect(guest.bytes(into, count)).toEqual(expected);
          read += count;
        }
      });
      await fc.assert(property, { numRuns: 50 });
    }));

  test("a task goes on without a switch while there is something to move", async () => {
    await withRuntime(await load(), { backend }, async (runtime) => {
      expect(await runtime.spawn("what_is_there_is_moved", [])).toBe(0);
      // It moves 2000 times 32 KiB.
      expect(runtime.stats.switches).toBeLessThan(500);
    });
  });

  law("and others have their turn in between", "others_run_meanwhile", [], { backend });
  law("it notices that it was canceled", "a_cancel_is_noticed", [], { backend });
  law("it notices that its time is over", "a_timeout_is_noticed", [], { backend });
});
