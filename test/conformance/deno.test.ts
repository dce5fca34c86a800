//! In Deno: the laws. Elsewhere: this same file, run in Deno.

import { describe, expect, test } from "vitest";
import { deno } from "../../ts/host/deno/deno-api.ts";
import { openDenoBackend } from "../../ts/host/deno/deno-backend.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { findDeno, NO_DENO } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";
import { backendConformance } from "./backend-conformance.ts";
import { DENO_DATAGRAMS } from "./deno-datagrams.ts";
import { thisMachine } from "./setting.ts";
import { withoutSharedPorts } from "./shared-port-laws.ts";

const NO_STREAMS = "node:child_process gives away no stream that was read from";

if (deno === undefined) {
  const program = findDeno();
  describe("deno backend", () => {
    if (program === undefined) {
      test.skip(`keeps the laws [skipped: ${NO_DENO}]`);
      return;
    }
    test("keeps the laws", { timeout: 300_000 }, async () => {
      const vitest = packageRoot("node_modules/vitest/vitest.mjs");
      const file = "test/conformance/deno.test.ts";
      const { code, stdout, stderr } = await runProgram(
        program,
        ["run", "-A", vitest, "run", "--reporter=json", file],
        { cwd: packageRoot(), limitMs: 280_000 },
      );
      const report = JSON.parse(stdout.slice(stdout.indexOf("{"))) as Report;
      const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
      const failed = results.filter(({ status }) => status === "failed");
      expect({ failed, code, stderr: code === 0 ? "" : stderr }).toEqual({
        failed: [],
        code: 0,
        stderr: "",
      });
      expect(results.length).toBeGreaterThan(100);
    });
  });
} else {
  const api = deno;
  const setting = () => thisMachine((options) => openDenoBackend(api, options));
  backendConformance("deno", {
    setting,
    skip: {
      ...DENO_DATAGRAMS,
      ...withoutSharedPorts("Deno's own listeners share no ports"),
      "SPAWN of a file that is no program gives -ENOEXEC":
        "Deno has a shell run what has no format",
      "a reset is told once, whether at once or not: then a stream is at its end":
        "Deno has no LINGER, so nothing here resets a connection",
      "a Unix name stays when its listener is closed, and then refuses":
        "Deno removes the name of a listener that it closes",
      "a Unix connection whose other end was closed: an end, then -EPIPE":
        "a WRITE is handed over before Deno says that it failed, which the next one is told",
      "what one child writes is what another reads, and ends when it does": NO_STREAMS,
      "a child talks to the peer of a connection that it is given": NO_STREAMS,
      "a child goes on in a file where the guest is":
        "node:fs cannot ask for the position of a file",
      "a child has no descriptor but its streams, no blocked signal and no ignored one":
        "Deno passes on what it has inherited itself",
    },
  });
}

/** What is looked at of vitest's JSON. */
interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}
