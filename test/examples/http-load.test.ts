import { execFileSync } from "node:child_process";
import { beforeAll, expect, test } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { runProgram } from "../support/run-program.ts";
import { withServer } from "./in-process.ts";

function findWrk(): string | undefined {
  try {
    execFileSync("wrk", ["-v"], { stdio: "ignore" });
  } catch (error) {
    // It says its version, and ends with 1.
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "wrk is not installed" : undefined;
  }
  return undefined;
}

beforeAll(() => buildExamples(["http-server"]), 240_000);

const missing = findWrk();
const because = missing === undefined ? "" : ` (skipped: ${missing})`;

test.skipIf(missing !== undefined)(
  `under the load of wrk the http-server example answers every request with 200${because}`,
  async () => {
    let requests = 0;
    const totals = await withServer("http-server", { backend: "auto" }, async ({ port }) => {
      const url = `http://127.0.0.1:${port}/hello`;
      const { code, stdout } = await runProgram("wrk", ["-t1", "-c100", "-d1s", url]);
      expect(code, stdout).toBe(0);
      // wrk tells of neither when there are none.
      expect(stdout).not.toMatch(/Non-2xx|Socket errors/);
      requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
    });
    expect(requests).toBeGreaterThan(0);
    // It counts what it got an answer to, and leaves with some under way.
    expect(totals.requests).toBeGreaterThanOrEqual(requests);
    expect(totals.connections).toBeGreaterThanOrEqual(100);
    expect(totals.refused).toBe(0);
  },
);
