import { beforeAll, describe, expect, test } from "vitest";
import { buildGuest, type TestGuest } from "../support/build-guest.ts";
import { childCommand } from "../support/child.ts";
import { findProgram } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";

/** Runs a command at a terminal of its own. util-linux has it. */
const script = findProgram("STACKFUL_SCRIPT", ["script"]);

let guest: TestGuest;
beforeAll(async () => {
  guest = await buildGuest("stdio", { command: true });
});

/** The command line, for a shell. */
function commandLine(...args: readonly string[]): string {
  const [command, own] = childCommand("../ts/cli/main.ts", ["run", guest.path, ...args]);
  return [command, ...own].map((text) => `'${text.replaceAll("'", "'\\''")}'`).join(" ");
}

describe("stackful run gives the guest the streams of its process", () => {
  test("to read and to write, as handles", async () => {
    const line = `seq 1 20000 | ${commandLine()} | cksum; seq 1 20000 | cksum`;
    const { code, stdout, stderr } = await runProgram("sh", ["-c", line]);
    const [copied, expected] = stdout.split("\n");
    expect({ code, copied, stderr }).toEqual({ code: 0, copied: expected, stderr: "" });
  });

  test("a terminal that it leaves raw is put right when the program exits", async (context) => {
    context.skip(script === undefined, "no script in PATH, which makes a terminal");
    const line = `stty cols 61 rows 17; stty -g; ${commandLine("raw")}; stty -g`;
    const options = ["--quiet", "--return", "--command", line, "/dev/null"];
    const { code, stdout } = await runProgram(script!, options);
    const [before, size, after] = stdout.split(/\r?\n/);
    expect({ code, size, after }).toEqual({ code: 0, size: "61 x 17", after: before });
  });
});
