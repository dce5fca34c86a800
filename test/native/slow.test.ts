//! Calls that block, on threads of the pool: what can be interrupted is; what cannot be is left alone.

import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import * as fs from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ERRNO, OP, OPEN } from "../../ts/abi.gen.ts";
import { type Guest, must } from "../conformance/guest.ts";
import { ENDLESS, loadSlowAddon } from "./slow/slow-addon.ts";
import { withNative } from "./with-native.ts";

const THREADS_MAX = Math.max(4, 2 * availableParallelism());

const loaded = loadSlowAddon();
const names = { configuration: new Uint8Array(0), hosts: new Uint8Array(0), servers: [] };

let directory = "";
let gateFd = -1;
const gate = (): string => join(directory, "gate");
const entered = (): string => join(directory, "entered");

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "stackful-slow-"));
  spawnSync("mkfifo", [gate(), entered()]);
  gateFd = openSync(gate(), "r+");
  process.env.STACKFUL_TEST_GATE = gate();
  process.env.STACKFUL_TEST_ENTERED = entered();
});

afterAll(() => {
  delete process.env.STACKFUL_TEST_GATE;
  delete process.env.STACKFUL_TEST_ENTERED;
  closeSync(gateFd);
  rmSync(directory, { recursive: true });
});

function addLookup(guest: Guest) {
  return guest.start({
    op: OP.LOOKUP,
    ...guest.put("example.org"),
    otherPointer: guest.alloc(24),
    otherLength: 1,
  });
}

/** A LOOKUP whose thread is in the host's resolver, which does not answer. */
async function startLookup(guest: Guest) {
  const lookup = addLookup(guest);
  guest.turn();
  await fs.readFile(entered());
  return lookup;
}

/** Lets one of them go on. */
function answer(): void {
  writeSync(gateFd, ".");
}

const law = loaded.addon === undefined ? test.skip : test;
const why = loaded.addon === undefined ? ` [skipped: ${loaded.reason}]` : "";

describe.each(["uring", "epoll", "poll"] as const)("%s", (mechanism) => {
  law(`a LOOKUP that is canceled ends at once, whatever the resolver does${why}`, async () => {
    await withNative({ mechanism, grants: {}, loaded, names }, async ({ guest, backend }) => {
      const lookup = await startLookup(guest);
      guest.cancel(lookup.token);
      expect(await lookup.result).toBe(-ERRNO.ECANCELED);
      expect(backend.pending).toBe(0);
      // Its thread works on nothing of the guest's, and is another's afterwards.
      const second = await startLookup(guest);
      answer();
      answer();
      expect(await second.result).toBe(-ERRNO.ENOENT);
    });
  });

  law(`LOOKUPs hold half of the threads at most, also when they were canceled${why}`, async () => {
    const directories = [{ host: directory, guest: "." }];
    await withNative({ mechanism, grants: { directories }, loaded, names }, async ({ guest }) => {
      const half = THREADS_MAX / 2;
      const inside = [];
      for (let index = 0; index < half; index++) inside.push(await startLookup(guest));
      const behind = Array.from({ length: THREADS_MAX }, () => addLookup(guest));
      const last = behind.pop()!;
      for (const { token } of [...inside, ...behind]) guest.cancel(token);
      for (const { result } of [...inside, ...behind]) {
        expect(await result).toBe(-ERRNO.ECANCELED);
      }
      // What needs a thread has one, and all the others as well.
      const making = Array.from({ length: 2 * THREADS_MAX }, (_, index) =>
        guest.submit({ op: OP.MKDIR, ...guest.put(`made-by-${mechanism}-${index}`), mode: 0o700 }),
      );
      expect(new Set(await Promise.all(making))).toEqual(new Set([0]));
      // The threads of those that were left are the next one's, when the resolver answers.
      for (let index = 0; index < half; index++) answer();
      await fs.readFile(entered());
      answer();
      expect(await last.result).toBe(-ERRNO.ENOENT);
    });
  });

  law(`a backend does not wait for the resolver when it is disposed of${why}`, async () => {
    await withNative({ mechanism, grants: {}, loaded, names }, async ({ guest, backend }) => {
      await startLookup(guest);
      const canceled = await startLookup(guest);
      guest.cancel(canceled.token);
      expect(await canceled.result).toBe(-ERRNO.ECANCELED);
      await backend[Symbol.asyncDispose]();
      // What is left of it goes with the last of its threads.
      for (let index = 0; index < 2; index++) answer();
    });
  });
});

describe.each(["epoll", "poll"] as const)("%s", (mechanism) => {
  const bench = async (body: (guest: Guest, handle: number) => Promise<void>): Promise<void> => {
    const directories = [{ host: directory, guest: "/data" }];
    const grants = { directories, connect: [{}], listen: [{}] };
    await withNative({ mechanism, grants, loaded }, async ({ guest }) => {
      const handle = must(await guest.open("/data/file", OPEN.READ | OPEN.WRITE | OPEN.CREATE));
      await body(guest, handle);
    });
  };
  const startReads = (guest: Guest, handle: number, count: number) =>
    Array.from({ length: count }, () => {
      return guest.start({ op: OP.PREAD, handle, ...guest.put("?"), offset: ENDLESS });
    });

  law(`a PREAD that blocks its thread ends when it is canceled${why}`, async () => {
    await bench(async (guest, handle) => {
      const [read] = startReads(guest, handle, 1);
      guest.turn();
      guest.cancel(read!.token);
      expect(await read!.result).toBe(-ERRNO.ECANCELED);
    });
  });

  law(`a backend is disposed of while all its threads block${why}`, async () => {
    await bench(async (guest, handle) => {
      startReads(guest, handle, 2 * THREADS_MAX);
      guest.turn();
    });
  });

  law(`what waits for a thread is canceled, and the rest goes on${why}`, async () => {
    await bench(async (guest, handle) => {
      const reads = startReads(guest, handle, THREADS_MAX + 1);
      guest.turn();
      const last = reads.pop()!;
      guest.cancel(last.token);
      expect(await last.result).toBe(-ERRNO.ECANCELED);
      // Sockets need no thread.
      await guest.roundTrip(await guest.pair());
      for (const { token } of reads) guest.cancel(token);
      const results = new Set(await Promise.all(reads.map(({ result }) => result)));
      expect(results).toEqual(new Set([-ERRNO.ECANCELED]));
    });
  });
});
