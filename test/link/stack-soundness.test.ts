import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { type LinkInfo, readLinkInfo } from "../../ts/link/section.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import { buildGuest } from "../support/build-guest.ts";
import { freePort } from "../support/free-port.ts";
import { withRuntime } from "../support/runtime.ts";
import { deepGuest } from "./deep-guest.ts";
import { LONGEST_NAME, parkedNeeds, SMALL } from "./stack-need.ts";

describe("the bound is never less than what a task has on its stack", () => {
  test.each([
    ["-O2", 3],
    ["-O0", 0],
    ["-O0", 3],
    ["-O1", 1],
    ["-Os", 4],
    ["-O2", 2],
  ])(
    "compiled with %s, linked at level %i",
    async (flag, optimize) => {
      const source = deepGuest(1000 + optimize);
      const { wasm } = await buildGuest({ source }, { flags: [flag], optimize });
      const info = readLinkInfo(wasm);
      const spare: number[] = [];
      await withRuntime(wasm, SMALL, async (runtime) => {
        await runtime.spawn("set_up");
        for (const [name, { stackBytes: bound }] of Object.entries(info.entries)) {
          if (!name.startsWith("f_")) continue;
          expect(bound, name).toBeGreaterThan(0);
          const inRoom = await deepest(runtime, info, name, 1 << 16);
          const inBound = await deepest(runtime, info, name, bound!);
          expect(inBound.result, name).toBe(inRoom.result);
          // Where an aligned array lies depends on the region.
          const needed = Math.max(inRoom.needed, inBound.needed);
          expect(needed, name).toBeLessThanOrEqual(bound!);
          spare.push(bound! - needed);
        }
      });
      expect(spare.length).toBeGreaterThan(20);
      // Of no use would be a bound that is far above.
      expect(Math.min(...spare)).toBeLessThanOrEqual(192);
    },
    240_000,
  );
});

/** Runs an entry and cancels it whenever it parks. Returns what it needed at most. */
async function deepest(runtime: Runtime, info: LinkInfo, name: string, stackBytes: number) {
  const reachedDownTo = runtime.exports.reached_down_to as () => number;
  const task = runtime.spawn(name, [1], { stackBytes, name: LONGEST_NAME });
  let needed = 0;
  while (!task.ended) {
    await new Promise((resolve) => setImmediate(resolve));
    if (task.status !== "parked") continue;
    const [need, another] = parkedNeeds(runtime, info.entries[name]!.tableIndex);
    expect(another).toBe(undefined);
    const reached = need!.end - (reachedDownTo() >>> 0);
    needed = Math.max(needed, reached, need!.cStackBytes + need!.frameBytes);
    task.cancel();
  }
  return { result: await task, needed };
}

describe("the examples", () => {
  test("have bounds for the tasks that they spawn and that print nothing", async () => {
    const bounds: Record<string, readonly number[]> = {};
    for (const { name, file } of await buildExamples()) {
      const info = readLinkInfo(await readFile(file));
      bounds[name] = info.stackBounds.map(([, bytes]) => bytes);
      for (const [tableIndex, bytes] of info.stackBounds) {
        const entry = Object.values(info.entries).find((item) => item.tableIndex === tableIndex);
        if (entry !== undefined) expect(entry.stackBytes).toBe(bytes);
        expect(bytes).toBeGreaterThanOrEqual(192);
      }
    }
    // Its task per connection has 2 KiB of buffer, and asks for 4 KiB.
    const perConnection = Math.max(...bounds["echo-server"]!);
    expect(perConnection).toBeGreaterThan(2048);
    expect(perConnection).toBeLessThanOrEqual(4096);
  }, 240_000);

  test("a connection of the echo server stays within its bound", async () => {
    const [example] = await buildExamples(["echo-server"]);
    const info = readLinkInfo(await readFile(example!.file));
    const [tableIndex, bound] = info.stackBounds.reduce((a, b) => (a[1] > b[1] ? a : b));
    const port = await freePort();
    const runtime = await Runtime.create(example!.file, {
      ...SMALL,
      backend: "node",
      loop: "embedded",
      args: ["--port", String(port)],
      grants: { listen: [`127.0.0.1:${port}`] },
    });
    const exit = runtime.run();
    await vi.waitFor(() => expect(runtime.stats.handlesOpen).toBe(1), 30_000);
    const client = createConnection(port, "127.0.0.1");
    client.write("hello");
    await once(client, "data");
    await vi.waitFor(() => expect(parkedNeeds(runtime, tableIndex)).toHaveLength(1), 30_000);
    const [need] = parkedNeeds(runtime, tableIndex);
    const needed = need!.cStackBytes + need!.frameBytes;
    expect(needed).toBeGreaterThan(2048);
    expect(needed).toBeLessThanOrEqual(bound);
    client.destroy();
    runtime.cancel();
    expect(await exit).toBe(0);
    await runtime[Symbol.asyncDispose]();
  }, 240_000);
});
