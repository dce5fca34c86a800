// Goal: guests get every byte in order or a clean error, and leave nothing behind, whatever the network,
// the disks and the hosts do.
// Method: scenarios in a simulated world, many seeds each; a failure prints the command that runs it again.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { PRESETS, type Preset } from "../../ts/host/sim/options.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { runChild } from "../support/child.ts";
import { buildGuest } from "./build.ts";
import { formatFailure, type Job, runTraced } from "./run.ts";
import { runMany } from "./run-many.ts";
import { scenarioOf, scenarios } from "./scenarios/index.ts";

const SEEDS: Readonly<Record<Preset, number>> = { ideal: 15, lan: 15, mobile: 15, chaos: 150 };

/** What found a bug once. */
interface KeptSeed extends Job {
  readonly found: string;
}

const kept = JSON.parse(
  readFileSync(packageRoot("test/simulator/seeds.json"), "utf8"),
) as readonly KeptSeed[];

beforeAll(async () => {
  for (const { guest } of scenarios) await buildGuest(guest);
});

/** The failures among `jobs`, for people. */
async function failuresOf(name: string, jobs: readonly Job[]): Promise<string> {
  const failures: string[] = [];
  await runMany([scenarioOf(name)], jobs, {
    processes: 1,
    onOutcome: ({ failure, ...job }) => {
      if (failure !== undefined) failures.push(formatFailure(job, failure));
      return failure === undefined;
    },
  });
  return failures.join("\n");
}

for (const { name } of scenarios) {
  describe(name, () => {
    test("every law holds for every seed and preset", { timeout: 600_000 }, async () => {
      const jobs = (Object.keys(PRESETS) as Preset[]).flatMap((faults) =>
        Array.from({ length: SEEDS[faults] }, (_, index) => ({
          scenario: name,
          seed: index + 1,
          faults,
        })),
      );
      expect(await failuresOf(name, jobs)).toBe("");
    });

    test("the same seed gives the same trace, byte by byte", async () => {
      const module = await buildGuest(scenarioOf(name).guest);
      const job: Job = { scenario: name, seed: 7, faults: "chaos" };
      const first = await runTraced(job, module);
      const second = await runTraced(job, module);
      expect(first.trace.length).toBeGreaterThan(20);
      expect(second.trace.join("\n")).toBe(first.trace.join("\n"));
      const other = await runTraced({ ...job, seed: 8 }, module);
      expect(other.trace.join("\n")).not.toBe(first.trace.join("\n"));
    });
  });
}

for (const { found, ...job } of kept) {
  const title = `${job.scenario}, seed ${job.seed}, ${job.faults}: ${found}`;
  test(title, { timeout: 300_000 }, async () => {
    expect(await failuresOf(job.scenario, [job])).toBe("");
  });
}

test("a failure tells its law, its trace and the command that runs it again", () => {
  const job: Job = { scenario: "kv", seed: 5, faults: "chaos" };
  const text = formatFailure(job, { law: "LAW", message: "WHY", trace: ["LINE"], tasks: "TASKS" });
  for (const part of ["LAW", "WHY", "LINE", "TASKS"]) expect(text).toContain(part);
  expect(text).toContain("npm run simulate -- kv --seed 5 --faults chaos");
});

describe("the command", () => {
  const command = "../scripts/simulate.ts";

  test("says its seed first, and how much it ran", async () => {
    const args = ["copy", "--seed", "3", "--seeds", "2", "--faults", "lan", "--processes", "1"];
    const { code, stdout } = await runChild(command, args, { limitMs: 60_000 });
    expect(stdout).toMatch(/^seed 3 scenario copy faults lan\n2 of 2 runs in .* no failure\n$/);
    expect(code).toBe(0);
  });

  test.each([
    [["nosuch"], 'there is no scenario "nosuch"; there are echo'],
    [["--faults", "nosuch"], "--faults nosuch: expected one of ideal, lan, mobile, chaos"],
    [["--seeds", "0"], "--seeds 0: expected a whole number of at least 1"],
    [["--seed", "x"], "--seed x: expected a whole number"],
    [["--trace"], "--trace: name one scenario"],
    [["--nosuch"], "--nosuch"],
  ])("refuses %j and says why", async (args, message) => {
    const { code, stderr } = await runChild(command, args, { limitMs: 60_000 });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});
