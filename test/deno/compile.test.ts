//! `deno compile`: a program with a guest, in one executable. Its base is denort, a Deno without tools,
//! which Deno downloads the first time, or takes from where DENORT_BIN says.

import { mkdirSync, renameSync } from "node:fs";
import { expect, type TestContext, test } from "vitest";
import { type DenoProject, describeDeno, ECHO, ECHOED } from "./deno-project.ts";

const FLAGS = ["--node-modules-dir=manual", "--no-check", "--allow-net=127.0.0.1"];

/** Compiles a program, and runs it where nothing else of the project is. */
function compiled(project: DenoProject, context: TestContext, body: string, flags: string[]) {
  project.program(body);
  const args = ["compile", ...FLAGS, ...flags, "--output=all", "program.mjs"];
  const { status, stderr } = project.run(project.deno, args);
  context.skip(
    /Setting up base binary/.test(stderr),
    "deno compile downloads denort from dl.deno.land, which it cannot reach; DENORT_BIN can name one",
  );
  expect(status, stderr).toBe(0);
  mkdirSync(project.path("elsewhere"), { recursive: true });
  renameSync(project.path("all"), project.path("elsewhere", "all"));
  const ended = project.run(project.path("elsewhere", "all"), []);
  expect(ended.status, ended.stderr).toBe(0);
  return JSON.parse(ended.stdout) as unknown;
}

describeDeno("deno compile", (project) => {
  test("a guest that is included as a file is embedded, with all of the package", () => {
    project().program(ECHO);
    const { deno } = project();
    const args = ["compile", ...FLAGS, "--include=guest.wasm", "--output=all", "program.mjs"];
    // What it makes does not run, so that any executable will do as its base.
    const { status, stdout, stderr } = project().run("env", [`DENORT_BIN=${deno}`, deno, ...args]);
    expect(status, stderr).toBe(0);
    expect(stdout + stderr).toMatch(/guest\.wasm.*node_modules.*program\.mjs/s);
  });

  test("a guest that is included as a file serves a connection", (context) => {
    const result = compiled(project(), context, ECHO, ["--include=guest.wasm"]);
    expect(result).toEqual(ECHOED);
  });

  test("a guest that is in the program serves a connection", (context) => {
    const body = ECHO.replace(
      "Runtime.create(guest,",
      `Runtime.create(${project().guestInText()},`,
    );
    expect(compiled(project(), context, body, [])).toEqual(ECHOED);
  });
});
