//! Where a law allows several results, the simulated host shows Linux's: one exchange, step by step, on
//! every backend.

import { beforeAll, describe, expect, test } from "vitest";
import { openUring } from "../../ts/host/native/uring-backend.ts";
import { openNodeBackend } from "../../ts/host/node/node-backend.ts";
import { unavailable } from "../support/unavailable.ts";
import { recordExchange } from "./exchange.ts";
import { type Setting, thisMachine } from "./setting.ts";
import { simSetting } from "./sim-setting.ts";

/** Before Node 24, libuv tells an end where a reset follows bytes; the next WRITE is told the reset. */
const NODE_HIDES_RESETS = Number.parseInt(process.versions.node, 10) < 24;
const NODE_DIFFERS: Readonly<Record<string, string>> = NODE_HIDES_RESETS
  ? {
      "READ of the reset: ECONNRESET": "READ of the reset: 0",
      "WRITE after the reset: EPIPE": "WRITE after the reset: ECONNRESET",
    }
  : {};

const STEPS_MIN = 200;

const noUring = await unavailable(openUring);

async function record(makeSetting: () => Promise<Setting>): Promise<string[]> {
  await using setting = await makeSetting();
  return await recordExchange(setting);
}

describe("one exchange", () => {
  let simulated: string[];
  beforeAll(async () => {
    simulated = await record(() => simSetting({ preset: "ideal" }));
  });

  test("has its steps", () => {
    expect(simulated.length).toBeGreaterThan(STEPS_MIN);
  });

  const uring = "goes on io_uring as in a simulated world";
  const linux = noUring === undefined ? test : test.skip;
  linux(noUring === undefined ? uring : `${uring} [skipped: ${noUring}]`, async () => {
    expect(await record(() => thisMachine(openUring))).toEqual(simulated);
  });

  test("goes on node:net and node:fs as in a simulated world, but for what libuv hides", async () => {
    const recorded = await record(() => thisMachine(openNodeBackend));
    expect(recorded).toEqual(simulated.map((line) => NODE_DIFFERS[line] ?? line));
    for (const line of Object.keys(NODE_DIFFERS)) expect(simulated).toContain(line);
  });

  test("goes the same with the latencies of a network", async () => {
    const slow = { preset: "mobile", network: { shortReads: 0, connectionResets: 0 } } as const;
    expect(await record(() => simSetting(slow))).toEqual(simulated);
  });
});
