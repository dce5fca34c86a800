//! Where a law allows several results, the simulated host shows Linux's: one exchange, step by step, on
//! every backend.

import { beforeAll, describe, expect, test } from "vitest";
import type { BackendOptions } from "../../ts/host/backend.ts";
import { openNodeBackend } from "../../ts/host/node/node-backend.ts";
import { openWithNames } from "../native/other-host.ts";
import { MECHANISMS } from "../native/with-native.ts";
import { unavailable } from "../support/unavailable.ts";
import { recordExchange } from "./exchange.ts";
import { type Setting, thisMachine } from "./setting.ts";
import { simSetting } from "./sim-setting.ts";

const STEPS_MIN = 200;

const native = await Promise.all(
  MECHANISMS.map(async (name) => {
    const open = (options: BackendOptions) => openWithNames(name, options);
    return { name, open, reason: await unavailable(open) };
  }),
);

async function record(makeSetting: () => Promise<Setting>): Promise<string[]> {
  await using setting = await makeSetting();
  return await recordExchange(setting);
}

/** Those of `lines` that are in scenes which `recorded` has too. */
function scenesOf(recorded: readonly string[], lines: readonly string[]): string[] {
  let there = false;
  return lines.filter((line) => {
    if (line.startsWith("── ")) there = recorded.includes(line);
    return there;
  });
}

describe("one exchange", () => {
  let simulated: string[];
  beforeAll(async () => {
    simulated = await record(() => simSetting({ preset: "ideal" }));
  });

  test("has its steps", () => {
    expect(simulated.length).toBeGreaterThan(STEPS_MIN);
  });

  for (const { name, open, reason } of native) {
    const title = `goes on ${name} as in a simulated world`;
    const here = reason === undefined ? test : test.skip;
    here(reason === undefined ? title : `${title} [skipped: ${reason}]`, async () => {
      const recorded = await record(() => thisMachine(open));
      expect(recorded).toEqual(scenesOf(recorded, simulated));
    });
  }

  test("goes on node:net and node:fs as in a simulated world", async () => {
    const recorded = await record(() => thisMachine(openNodeBackend));
    expect(recorded).toEqual(scenesOf(recorded, simulated));
  });

  test("goes the same with the latencies of a network", async () => {
    const slow = { preset: "mobile", network: { shortReads: 0, connectionResets: 0 } } as const;
    expect(await record(() => simSetting(slow))).toEqual(simulated);
  });
});
