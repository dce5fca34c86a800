//! What is of one JavaScript runtime, run in the others that are here: native code and its threads, stacks
//! as the engine writes them, the end of a process, signals, WASI. The matrix runs what is the same in all.

import { describe, expect, test } from "vitest";
import { runTests } from "../../scripts/matrix/run-tests.ts";
import { RUNTIMES } from "../../scripts/matrix/runtimes.ts";

const FILES = [
  "test/native",
  "test/cli",
  "test/hostile/stacks",
  "test/runtime/deadlock",
  "test/runtime/dump",
  "test/runtime/main",
  "test/runtime/wasi",
];

for (const { key, name, flags = [], find } of RUNTIMES) {
  if (key !== "deno" && key !== "bun") continue;
  const program = find();
  describe(name, () => {
    for (const file of FILES) {
      if (program === undefined) {
        test.skip(
          `${file} [skipped: no ${key} in PATH, and STACKFUL_${key.toUpperCase()} names none]`,
        );
        continue;
      }
      test(file, { timeout: 600_000 }, async () => {
        const { passed, failures } = await runTests({ command: [program, ...flags], file });
        expect(failures).toEqual([]);
        expect(passed).toBeGreaterThan(0);
      });
    }
  });
}
