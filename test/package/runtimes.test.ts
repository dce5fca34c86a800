//! The installed package on every JavaScript runtime that is here.

import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { guestOfFile } from "../support/guest-of-file.ts";
import { install, type Packed, type PackedFile, Project, pack } from "./packed.ts";
import { installedRuntimes } from "./runtimes.ts";

const PROGRAM = `
import { Runtime } from "stackful";

const runtime = await Runtime.create(new URL("./guest.wasm", import.meta.url), {
  imports: { env: { square: async (value) => value * value } },
  grants: { listen: ["127.0.0.1:*"], connect: ["127.0.0.1:*"] },
});
const sum = await runtime.spawn("sum_of_squares", [100]);
const echo = await runtime.spawn("echo");
await runtime.spawn("lose_a_task");
const code = await runtime.run();
const { backend, reasons } = runtime.stats;
console.log(JSON.stringify({ sum, echo, code, backend, reasons }));
`;

interface Report {
  readonly sum: number;
  readonly echo: number;
  readonly code: number;
  readonly backend: string;
  readonly reasons: readonly { readonly name: string; readonly reason: string }[];
}

const guest = guestOfFile("packed", { command: true, asyncImports: ["env.square"] });
const main = guestOfFile("main", { command: true });
let project: Project;
let packed: Packed;
beforeAll(async () => {
  project = new Project();
  packed = pack(project.root);
  install(project, packed);
  project.write("guest.wasm", (await guest()).wasm);
  project.write("main.wasm", (await main()).wasm);
  project.write("program.mjs", PROGRAM);
});
afterAll(() => project[Symbol.dispose]());

const MACHINE = `${process.platform}-${process.arch}`;

/** The addon for this machine, if the package has one. */
function addonHere(): PackedFile | undefined {
  return packed.files.find(({ path }) => path === `prebuilds/${MACHINE}/stackful.node`);
}

/** Lines that the guest printed, and what the program found. */
function runProgram([command, ...args]: readonly [string, ...string[]]) {
  const { status, stdout, stderr } = project.run(command, [...args, "program.mjs"]);
  expect(status, stderr).toBe(0);
  expect(stderr, "a warning of the task that failed alone").toMatch(/"lost"/);
  const lines = stdout.trimEnd().split("\n");
  return { printed: lines.slice(0, -1), report: JSON.parse(lines.at(-1)!) as Report };
}

/** The installed command in a runtime, as its users call it. */
function stackfulIn(name: string, [program, ...args]: readonly [string, ...string[]]) {
  if (name === "Deno") return [program, ...args, "npm:stackful"] as const;
  if (name === "Bun") return [program, "x", "--bun", "stackful"] as const;
  const main = project.path("node_modules", "stackful", "dist", "ts", "cli", "main.js");
  return [program, ...args, main] as const;
}

describe.each(installedRuntimes())("$name", ({ name, command, reason }) => {
  if (command === undefined) {
    test.skip(`runs a linked guest [skipped: ${reason}]`);
    return;
  }

  test("runs a linked guest: tasks, timers, a channel, a host import that waits, TCP, main", () => {
    const { printed, report } = runProgram(command);
    expect(printed).toEqual(["guest.wasm says 1"]);
    expect(report).toMatchObject({ sum: 328_350, echo: 43, code: 0 });
  });

  test("says why it does not use io_uring, if it does not", () => {
    const { backend, reasons } = runProgram(command).report;
    const names = reasons.map(({ name: better }) => better);
    expect(names.includes("uring")).toBe(backend !== "uring");
    for (const { reason: why } of reasons) expect(why).toMatch(/^open \S+/);
  });

  test("has the command: it runs a guest's main, and says which runtime this is", () => {
    const [program, ...args] = stackfulIn(name, command);
    expect(project.run(program, [...args, "run", "main.wasm", "print", "from the guest"])).toEqual({
      status: 0,
      stdout: "first line\nfrom the guest",
      stderr: "",
    });
    const doctor = project.run(program, [...args, "doctor", "--json"]);
    const { runtime } = JSON.parse(doctor.stdout) as { runtime: string };
    expect(runtime).toMatch(/^(node|deno|bun) \d+\./);
    expect(name.toLowerCase()).toContain(runtime.split(" ")[0]);
  });

  test("loads the addon as it was packed", () => {
    const { backend, reasons } = runProgram(command).report;
    if (addonHere() === undefined) {
      expect(reasons[0]?.reason).toMatch(/this package has no addon for/);
    } else {
      // It was loaded, and at most the kernel said no.
      expect(["uring", "epoll"]).toContain(backend);
      for (const { reason } of reasons) expect(reason).not.toMatch(/addon|cannot be loaded/);
    }
  });
});

/** What `stackful doctor` says on a machine that has only this Node: nothing is in PATH. */
function doctor(): { readonly backend: string; readonly addon: Readonly<Record<string, string>> } {
  const main = project.path("node_modules", "stackful", "dist", "ts", "cli", "main.js");
  const { stdout } = project.run(process.execPath, [main, "doctor", "--json"], { PATH: "" });
  return JSON.parse(stdout);
}

describe("where there is no compiler", () => {
  const title = "the addon of the package is loaded, and stackful doctor says which one";
  test(title, ({ skip }) => {
    const addon = addonHere();
    if (addon === undefined) skip(`the package has none for ${MACHINE}`);
    const { backend, addon: loaded } = doctor();
    expect(loaded).toEqual({ from: project.path("node_modules", "stackful", addon!.path) });
    expect(backend).not.toBe("node");
  });

  test("another machine's is not tried, and one that cannot be loaded is named with the reason", () => {
    const prebuilds = project.path("node_modules", "stackful", "prebuilds");
    const aside = project.path("aside");
    mkdirSync(prebuilds, { recursive: true });
    renameSync(prebuilds, aside);
    try {
      mkdirSync(join(prebuilds, "plan9-mips"), { recursive: true });
      writeFileSync(join(prebuilds, "plan9-mips", "stackful.node"), "no library");
      expect(doctor().addon).toEqual({ reason: `this package has no addon for ${MACHINE}` });
      mkdirSync(join(prebuilds, MACHINE));
      const file = join(prebuilds, MACHINE, "stackful.node");
      writeFileSync(file, "no library");
      const { backend, addon } = doctor();
      expect(backend).toBe("node");
      expect(addon.reason).toContain(`${file} cannot be loaded: `);
    } finally {
      rmSync(prebuilds, { recursive: true });
      renameSync(aside, prebuilds);
    }
  });
});

describe("a package without an addon", () => {
  test("runs on the node backend, and says that there is none for this machine", () => {
    rmSync(project.path("node_modules", "stackful", "prebuilds"), { recursive: true, force: true });
    const { report } = runProgram([process.execPath]);
    const why = `this package has no addon for ${MACHINE}`;
    expect(report).toMatchObject({ sum: 328_350, echo: 43, code: 0, backend: "node" });
    expect(report.reasons[0]?.reason).toMatch(/^open \S+: /);
    for (const { reason } of report.reasons) expect(reason).toContain(why);
  });
});
