//! Paths that want out of their directory. Two ways keep them in: the system's own, and the walk of
//! native/src/calls/beneath.c, which the kqueue addon has. They must agree on every path.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OP, OPEN } from "../../ts/abi.gen.ts";
import type { MechanismName } from "../../ts/host/native/mechanisms.ts";
import { errnoName, Guest, must, text } from "../conformance/guest.ts";
import { loadKqueueAddon } from "../native/kqueue-addon.ts";
import { openMechanism } from "../native/other-host.ts";
import { requireAddon } from "../native/require-addon.ts";

requireAddon();

const SECRET = "outside";
const { reason } = loadKqueueAddon();

let scratch: string;
let inside: string;

beforeAll(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "stackful-beneath-"));
  inside = join(scratch, "inside");
  fs.mkdirSync(inside);
  fs.mkdirSync(join(scratch, "other"));
  for (const path of ["secret", "other/file"]) fs.writeFileSync(join(scratch, path), SECRET);
});
afterAll(() => fs.rmSync(scratch, { recursive: true }));

async function withGuest(
  mechanism: MechanismName,
  host: string,
  body: (guest: Guest) => Promise<void>,
): Promise<void> {
  const grants = { directories: [{ host, guest: "/data" }] };
  const backend = openMechanism(mechanism, { grants, handlesMax: 64 });
  try {
    await body(new Guest(backend));
    expect(backend.handlesOpen).toBe(0);
  } finally {
    await backend[Symbol.asyncDispose]();
  }
}

/** What the file has in it, or why it cannot be opened. */
async function contentOf(guest: Guest, path: string, flags: number): Promise<string> {
  const handle = await guest.open(`/data/${path}`, flags);
  if (handle < 0) return errnoName(handle);
  const at = guest.put("?".repeat(64));
  const count = await guest.submit({ op: OP.READ, handle, ...at });
  must(await guest.close(handle));
  return count < 0 ? errnoName(count) : `"${text(guest.bytes(at.pointer, count))}"`;
}

/** A directory with a tree, which has links of every kind in it. */
function plant(): string {
  const root = fs.mkdtempSync(join(inside, "granted-"));
  const at = (path: string): string => join(root, "tree", path);
  fs.mkdirSync(at("a/b/c/d"), { recursive: true });
  fs.mkdirSync(at("e"));
  for (const path of ["f", "a/f", "a/b/f", "a/b/c/f", "e/f"]) fs.writeFileSync(at(path), path);
  const links: readonly (readonly [string, string])[] = [
    ["up", ".."],
    ["out", "../../../secret"],
    ["a/out", "../../../../secret"],
    ["a/b/up", "../.."],
    ["absolute", join(scratch, "secret")],
    ["root", "/"],
    ["a/loop", "loop"],
    ["a/ping", "pong"],
    ["a/pong", "../a/ping"],
    ["dangling", "a/new"],
    ["e/in", "../a/b"],
    ["e/file", "../a/b/c/../f"],
    ["e/deep", "in/c/d/.."],
    ["e/slash", "../a//b/./c/"],
    ["here", "."],
    ["a/b/c/d/top", "../../../.."],
    ["self", "e/../self2"],
    ["self2", "a"],
    ["proc", "/proc/self/root"],
  ];
  for (const [path, target] of links) fs.symlinkSync(target, at(path));
  let link = "f";
  for (let index = 0; index < 45; index++) {
    fs.symlinkSync(link, at(`chain${index}`));
    link = `chain${index}`;
  }
  return root;
}

const NAMES = [
  ...["a", "b", "c", "d", "e", "f", "up", "out", "absolute", "root", "loop", "ping", "dangling"],
  ...["in", "file", "deep", "slash", "here", "top", "self", "proc", "chain3", "chain39", "chain41"],
  ...["..", "..", "..", ".", "", "nothing", "new", "secret", "inside"],
];

const paths = fc
  .tuple(fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 8 }), fc.boolean())
  .map(([names, slash]) => `${names.join("/")}${slash ? "/" : ""}`);

const modes = fc.constantFrom(
  OPEN.READ,
  OPEN.READ | OPEN.DIRECTORY,
  OPEN.READ | OPEN.NO_FOLLOW,
  OPEN.WRITE,
  OPEN.READ | OPEN.WRITE | OPEN.CREATE,
  OPEN.READ | OPEN.WRITE | OPEN.CREATE | OPEN.EXCLUSIVE,
);

describe("a path", () => {
  if (reason !== undefined) {
    test.skip(`is walked as the system walks it [skipped: ${reason}]`);
    return;
  }

  test("is walked as the system walks it, and never out", { timeout: 300_000 }, async () => {
    // Each has a tree of its own: some of the paths make files.
    const [one, other] = [plant(), plant()];
    await withGuest("epoll", one, async (system) => {
      await withGuest("kqueue", other, async (walk) => {
        const property = fc.asyncProperty(paths, modes, async (path, flags) => {
          const expected = await contentOf(system, `tree/${path}`, flags);
          const walked = await contentOf(walk, `tree/${path}`, flags);
          expect(`${path}: ${walked}`).toBe(`${path}: ${expected}`);
          expect(walked).not.toContain(SECRET);
        });
        await fc.assert(property, { numRuns: 5000 });
      });
    });
  });

  test("that climbs further than anybody needs to ends, and stays inside", async () => {
    const root = plant();
    fs.mkdirSync(join(root, "tree", "n/".repeat(200)), { recursive: true });
    fs.writeFileSync(join(root, "tree", "n/".repeat(190), "f"), "deep");
    await withGuest("kqueue", root, async (guest) => {
      const climb = (count: number) =>
        `tree/${"n/".repeat(200)}${"../".repeat(10)}${"n/../".repeat(count)}f`;
      expect(await contentOf(guest, climb(5), OPEN.READ)).toBe('"deep"');
      expect(await contentOf(guest, climb(50), OPEN.READ)).toBe("ELOOP");
      expect(await contentOf(guest, "../".repeat(1300), OPEN.READ)).toBe("ENOTCAPABLE");
    });
  });
});

/** Puts a link to the outside where a directory was, and back, as fast as it can. */
const SWAP = `
  const { workerData } = require("node:worker_threads");
  const fs = require("node:fs");
  const { directory, link, place, stop } = workerData;
  const stopped = new Int32Array(stop);
  while (Atomics.load(stopped, 0) === 0) {
    fs.renameSync(place, directory);
    fs.renameSync(link, place);
    fs.renameSync(place, link);
    fs.renameSync(directory, place);
    Atomics.add(stopped, 1, 1);
  }
`;

describe.each<MechanismName>(["uring", "epoll", "kqueue"])("on %s", (mechanism) => {
  test("what is renamed while it is opened does not lead out", {
    timeout: 300_000,
  }, async (task) => {
    task.skip(mechanism === "kqueue" && reason !== undefined, reason);
    const root = fs.mkdtempSync(join(inside, "race-"));
    const at = (path: string): string => join(root, path);
    fs.mkdirSync(at("place/deep"), { recursive: true });
    fs.writeFileSync(at("place/file"), "inside");
    fs.writeFileSync(at("place/deep/file"), "inside");
    fs.writeFileSync(at("file"), "inside");
    fs.symlinkSync(join(scratch, "other"), at("link"));
    const stop = new SharedArrayBuffer(8);
    const state = new Int32Array(stop);
    const worker = new Worker(SWAP, {
      eval: true,
      workerData: { directory: at("moved"), link: at("link"), place: at("place"), stop },
    });
    const seen = new Set<string>();
    await withGuest(mechanism, root, async (guest) => {
      // As long as it takes the other to go round often.
      while (state[1]! < 3000) {
        for (const path of ["place/file", "place/deep/../file", "place/deep/file"]) {
          seen.add(await contentOf(guest, path, OPEN.READ));
        }
      }
    });
    Atomics.store(state, 0, 1);
    await new Promise((resolve) => worker.once("exit", resolve));
    expect(seen).toContain('"inside"');
    expect(seen).not.toContain(`"${SECRET}"`);
  });
});
