//! At a terminal Deno would ask the user, and hold the thread until there is an answer.

import { mkdirSync } from "node:fs";
import { expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { findProgram } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";
import { describeDeno } from "./deno-project.ts";

/** Runs a command at a terminal of its own. util-linux has it. */
const script = findProgram("STACKFUL_SCRIPT", ["script"]);

/** Does what may need a permission, and has only those to read the guest and a directory. */
const program = (host: string): string => `
  report({ terminal: Deno.stdin.isTerminal() && Deno.stderr.isTerminal() });
  report(await attempt(() => Runtime.create(new URL("./program.mjs", import.meta.url))));
  report(await attempt(() => Runtime.create(guest, { backend: "uring" })));
  const other = { directories: [{ host: "/", guest: "/" }] };
  report(await attempt(() => Runtime.create(guest, { grants: other })));
  for (const backend of ["auto", "node"]) {
    const directories = [{ host: ${JSON.stringify(host)}, guest: "/data" }];
    const grants = { listen: ["*"], connect: ["*"], directories };
    const runtime = await Runtime.create(guest, { backend, grants });
    const results = [
      await runtime.spawn("listen_at", [0]),
      await runtime.spawn("connect_to", [1]),
      await runtime.spawn("send_to_port", [1]),
      await runtime.spawn("write_file"),
      await runtime.spawn("read_file"),
    ];
    report({ results, backend: runtime.stats.backend });
    await runtime[Symbol.asyncDispose]();
  }
`;

describeDeno("a program in Deno at a terminal", (project) => {
  if (script === undefined) {
    test.skip("is asked nothing [skipped: no script in PATH, which makes a terminal]");
    return;
  }

  test("is asked nothing: what is not allowed fails at once", async () => {
    const host = project().path("readable");
    mkdirSync(host);
    const flags = [`--allow-read=guest.wasm,${host}`];
    const command = project().command(flags, program(host));
    // Its standard input is the terminal, where nobody types anything.
    const { hung, stdout } = await runProgram(
      script,
      ["--quiet", "--return", "--command", command.map(quoted).join(" "), "/dev/null"],
      { cwd: project().path() },
    );
    expect({ hung, asked: /Allow\?|permission is needed/i.test(stdout) }).toEqual({
      hung: false,
      asked: false,
    });
    const lines = stdout.split(/\r?\n/).filter((line) => line.startsWith("{"));
    const { ENOTCAPABLE, ENOENT } = ERRNO;
    const results = [-ENOTCAPABLE, -ENOTCAPABLE, -ENOTCAPABLE, -ENOTCAPABLE, -ENOENT];
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { terminal: true },
      expect.objectContaining({ message: expect.stringContaining("--allow-read=") }),
      expect.objectContaining({ message: expect.stringContaining("--allow-ffi=") }),
      expect.objectContaining({ message: expect.stringContaining("--allow-read=/") }),
      { results, backend: "deno" },
      { results, backend: "node" },
    ]);
  });
});

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
