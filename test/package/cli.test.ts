//! The command of the installed package.

import { mkdirSync, symlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OPERATIONS } from "../../ts/host/capability.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { type Ended, install, Project, pack } from "./packed.ts";

const SOURCE = `
#include <stackful.h>
#include <stdio.h>

int main(void) {
  if (sf_sleep(SF_MILLISECOND) < 0) return 1;
  puts("slept");
  return 7;
}
`;

const guest = guestOfFile("packed", { command: true, asyncImports: ["env.square"] });
let project: Project;
beforeAll(async () => {
  project = new Project();
  install(project, pack(project.root));
  project.write("raw.wasm", (await guest()).raw);
  project.write("main.c", SOURCE);
});
afterAll(() => project[Symbol.dispose]());

const stackful = (...args: string[]): Ended =>
  project.run(process.execPath, [
    project.path("node_modules", "stackful", "dist", "ts", "cli", "main.js"),
    ...args,
  ]);

describe("without the packages that linking needs", () => {
  test.each([
    ["link", "binaryen@132", ["link", "raw.wasm", "-o", "out.wasm"]],
    ["explain", "binaryen@132", ["explain", "raw.wasm"]],
    ["run, of a module that is not linked,", "binaryen@132", ["run", "raw.wasm"]],
    ["build", "@yowasp/clang@22.0.0-git20542-10", ["build", "main.c", "-o", "out.wasm"]],
  ])("%s says to install %s", (_title, name, args) => {
    const { status, stdout, stderr } = stackful(...args);
    expect(stderr).toContain(`npm install --save-dev ${name}`);
    expect(stderr.trimEnd().split("\n"), "one line, and no stack trace").toHaveLength(1);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  });

  test("doctor names both, and has what running needs", () => {
    const { status, stdout } = stackful("doctor", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      core: "present",
      binaryen: expect.stringContaining("npm install --save-dev binaryen@132"),
      compiler: expect.stringContaining("npm install --save-dev @yowasp/clang@22"),
    });
  });
});

test("doctor --operations has a line for each operation, and says how each backend does it", () => {
  const { status, stdout } = stackful("doctor", "--operations");
  expect(status).toBe(0);
  const [head = "", ...lines] = stdout.trimEnd().split("\n");
  const backends = head.trim().split(/ +/);
  expect(backends).toContain("node");
  expect(lines.map((line) => line.split(/ {2,}/)[0])).toEqual(
    OPERATIONS.map((name) => name.toLowerCase().replaceAll("_", " ")),
  );
  for (const line of lines) {
    const [, ...cells] = line.split(/ {2,}/);
    expect(cells).toHaveLength(backends.length);
    for (const cell of cells) expect(cell).toMatch(/^(native|pool|-)$/);
  }
});

describe("with the packages that linking needs", () => {
  beforeAll(() => {
    mkdirSync(project.path("node_modules", "@yowasp"));
    for (const name of ["binaryen", "@yowasp/clang"]) {
      symlinkSync(packageRoot(`node_modules/${name}`), project.path("node_modules", name));
    }
  });

  test("build compiles against the headers of the package, and run runs what it made", () => {
    expect(stackful("build", "main.c", "-o", "main.wasm")).toMatchObject({ status: 0, stderr: "" });
    expect(stackful("run", "main.wasm")).toEqual({ status: 7, stdout: "slept\n", stderr: "" });
  });

  test("a program can link a guest and run it", () => {
    project.write(
      "program.mjs",
      `import { readFileSync } from "node:fs";
       import { Runtime } from "stackful";
       import { link } from "stackful/link";

       const asyncImports = ["env.square"];
       const { wasm } = await link(readFileSync("raw.wasm"), { asyncImports, optimize: 0 });
       const square = async (value) => value * value;
       const runtime = await Runtime.create(wasm, { imports: { env: { square } } });
       console.log(await runtime.spawn("sum_of_squares", [5]));
       await runtime[Symbol.asyncDispose]();`,
    );
    const ended = project.run(process.execPath, ["program.mjs"]);
    expect(ended).toEqual({ status: 0, stdout: "30\n", stderr: "" });
  });
});
