//! Laws of the process's own streams (STDIO), and of terminals: in a program whose streams are of each kind,
//! over every backend by turns.

import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../ts/package-files.ts";
import { openWithNames, otherName } from "../native/other-host.ts";
import { findDeno, findProgram, NO_DENO } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";
import { unavailable } from "../support/unavailable.ts";
import { type Kind, MUCH_BYTES, type Seen } from "./stdio-report.ts";

const LIMIT_MS = 50_000;
const PROGRAM = packageRoot("test/conformance/stdio-child.ts");
const LOADER = packageRoot("test/support/register-ts.mjs");
const deno = findDeno();

/** Runs a command at a terminal of its own. util-linux has it. */
const script = findProgram("STACKFUL_SCRIPT", ["script"]);
const NO_SCRIPT = "no script in PATH, which makes a terminal";
const SIZE = [93, 27] as const;
/** No whole line, and what would be a signal if it were not raw. */
const KEYS = "x\u0003";

const REFUSED_AT_TERMINALS = {
  "WRITE to input": "EBADF",
  "READ of output": "EBADF",
  PREAD: "ENOTSUP",
  SHUTDOWN: "ENOTSUP",
  SEND_FILE: "ENOTSUP",
  SET_OPTION: "ENOTSUP",
  TERMINAL_MODE: "0",
  TERMINAL_SIZE: "0",
  "stream 3": "EINVAL",
};
const REFUSED = { ...REFUSED_AT_TERMINALS, TERMINAL_MODE: "ENOTTY", TERMINAL_SIZE: "ENOTTY" };

let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "stackful-stdio-"));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Last the one that reads ahead, and has others' reads not block meanwhile. */
const backends: string[] = [];
for (const name of ["uring", "epoll", "poll", "kqueue"] as const) {
  const reason = await unavailable((options) => openWithNames(name, options));
  if (reason === undefined) backends.push(name);
  if (reason === undefined && name === "poll") backends.push(otherName(name));
}
backends.push("node");

laws("the process's own streams", [process.execPath, "--import", LOADER], backends);
if (deno === undefined) {
  describe("the process's own streams, in Deno", () => {
    test.skip(`keep the laws [skipped: ${NO_DENO}]`);
  });
} else {
  laws("the process's own streams, in Deno", [deno, "run", "--quiet", "-A"], ["deno"]);
}

function laws(title: string, runtime: readonly string[], backends: readonly string[]): void {
  describe(title, () => {
    test("pipes of other programs: what waits holds nothing up", async () => {
      await converse(runtime, backends, "pipes", (own) => [
        "sh",
        "-c",
        'cat | "$@" | cat',
        "sh",
        ...own,
      ]);
      check(backends, "pipes");
    });

    test("sockets: what waits holds nothing up", async () => {
      await converse(runtime, backends, "sockets", (own) => own);
      check(backends, "sockets");
    });

    test("files: the position is the system's, for whoever has them open", async () => {
      const [input, output] = [join(directory, "in"), join(directory, "out")];
      const lines = backends.map((name) => `line ${name}\n`).join("");
      writeFileSync(input, lines);
      const [from, to] = [openSync(input, "r"), openSync(output, "w")];
      await converse(runtime, backends, "files", (own) => own, [from, to, "pipe"]);
      for (const fd of [from, to]) closeSync(fd);
      check(backends, "files");
      expect(readFileSync(output, "utf8")).toBe(lines);
    });

    test("nothing: reads are at an end, and writes are taken", async () => {
      await converse(runtime, backends, "nothing", (own) => own, ["ignore", "ignore", "pipe"]);
      check(backends, "nothing");
    });

    test("a terminal: lines, or keys while it is raw; its mode comes back", async (context) => {
      context.skip(script === undefined, NO_SCRIPT);
      const [columns, rows] = SIZE;
      await converse(runtime, backends, "terminal", (own) => {
        const command = [`stty cols ${columns} rows ${rows};`, ...own.map(quoted)].join(" ");
        return [script!, "--quiet", "--return", "--command", command, "/dev/null"];
      });
      check(backends, "terminal");
    });

    test("a terminal that is raw when the process exits is put right", async (context) => {
      context.skip(script === undefined, NO_SCRIPT);
      const tried = backends.filter((name) => ["uring", "poll", "node", "deno"].includes(name));
      const runs = tried.map((name) => [...runtime, PROGRAM, "none", "exit", name].map(quoted));
      const line = `stty -g; ${runs.map((run) => `${run.join(" ")} && stty -g`).join("; ")}`;
      const options = ["--quiet", "--return", "--command", line, "/dev/null"];
      const { code, stdout } = await runProgram(script!, options);
      const modes = stdout.split(/\r?\n/).filter((text) => /^[0-9a-f:]+$/.test(text));
      expect({ code, modes: modes.length }).toEqual({ code: 0, modes: tried.length + 1 });
      expect(new Set(modes).size).toBe(1);
    });
  });
}

function reportOf(kind: Kind): string {
  return join(directory, `${kind}.json`);
}

/** Starts the program, and gives it what it waits for until it has ended. */
async function converse(
  runtime: readonly string[],
  backends: readonly string[],
  kind: Kind,
  through: (own: string[]) => string[],
  stdio: StdioOptions = ["pipe", "pipe", "pipe"],
): Promise<void> {
  const own = [...runtime, PROGRAM, reportOf(kind), kind, ...backends];
  rmSync(reportOf(kind), { force: true });
  const [command = "", ...args] = through(own);
  const child = spawn(command, args, { stdio, detached: true });
  const ended = once(child, "close");
  const limit = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), LIMIT_MS);
  const heard: string[] = [];
  let written = 0;
  child.stdout?.on("data", ({ length }: Buffer) => {
    written += length;
  });
  // What a terminal shows of both goes one way.
  const says = createInterface({ input: kind === "terminal" ? child.stdout! : child.stderr! });
  says.on("line", (line) => {
    heard.push(line);
    answer(kind, child, line);
  });
  await ended;
  clearTimeout(limit);
  if (child.exitCode !== 0) throw new Error(`it wrote ${heard.join("\n")}${reportText(kind)}`);
  if (kind !== "pipes" && kind !== "sockets") return;
  expect(written).toBe(backends.reduce((sum, name) => sum + lineFor(name).length + MUCH_BYTES, 0));
}

function answer(kind: Kind, { stdin, stdout }: ChildProcess, line: string): void {
  // A program in between waits for it.
  if (line === "done") stdin?.end();
  const [, what, name] = /^(ready|raw|full) (.+)$/.exec(line) ?? [];
  if (name === undefined) return;
  if (what === "raw") stdin?.write(KEYS);
  if (what === "full") stdout?.resume();
  if (what !== "ready") return;
  if (kind !== "terminal") stdout?.pause();
  stdin?.write(lineFor(name));
}

function lineFor(name: string): string {
  return `line ${name}\n`;
}

function reportText(kind: Kind): string {
  return existsSync(reportOf(kind)) ? readFileSync(reportOf(kind), "utf8") : "";
}

function check(backends: readonly string[], kind: Kind): void {
  const seen = JSON.parse(reportText(kind)) as Record<string, Seen>;
  expect(Object.keys(seen)).toEqual(backends);
  const [columns, rows] = SIZE;
  for (const [name, { terminal, ...rest }] of Object.entries(seen)) {
    expect({ name, ...rest }).toEqual({
      name,
      refused: kind === "terminal" ? REFUSED_AT_TERMINALS : REFUSED,
      ...(kind === "files" || kind === "nothing"
        ? {}
        : { waits: { pending: 2, canceled: "ECANCELED", closed: "EBADF" } }),
      read: kind === "nothing" ? "" : lineFor(name),
      again: 0,
      // Node has its own reads of a pipe or a socket not block, until it exits.
      flagsKept: name === "node" || name === "deno" ? rest.flagsKept : true,
    });
    if (kind !== "terminal") continue;
    const { mode, ...what } = terminal!;
    expect(what).toEqual({
      size: [columns, rows],
      keys: KEYS,
      raw: true,
      stillRaw: true,
      restored: true,
      unknown: "EINVAL",
    });
    // The backend before it was disposed while it was raw.
    expect({ name, mode }).toEqual({ name, mode: seen[backends[0]!]!.terminal!.mode });
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
