//! The package in Deno, by every name that it can have there, on Deno's own sockets.

import { readFileSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { describeDeno, ECHO, ECHOED } from "./deno-project.ts";

const FLAGS = ["--allow-read=guest.wasm", "--allow-net=127.0.0.1"];

describeDeno("the package in Deno", (project) => {
  test.each([
    ["a bare name, from node_modules", "stackful"],
    ["an npm: specifier", "npm:stackful"],
    ["an npm: specifier with a version", "npm:stackful@^0.1.0"],
    ["its file", "./node_modules/stackful/dist/ts/index.js"],
  ])("%s: serves a connection", (_title, from) => {
    expect(project().report(FLAGS, ECHO, from)).toEqual(ECHOED);
  });

  test("an import map onto an npm: specifier: serves a connection", () => {
    const imports = { coroutines: "npm:stackful@^0.1.0" };
    project().write("map.json", JSON.stringify({ imports }));
    const flags = [...FLAGS, "--import-map=map.json"];
    expect(project().report(flags, ECHO, "coroutines")).toEqual(ECHOED);
  });

  test("an import map onto a folder that is no package: serves a connection", () => {
    // The one that docs/deno.md shows: there nobody reads `imports` in package.json.
    const [, shown] = /```json\n(.*?)```/s.exec(readFileSync(packageRoot("docs/deno.md"), "utf8"))!;
    project().write("map.json", shown!.replaceAll("./stackful/", packageRoot("/")));
    const flags = [...FLAGS, "--import-map=map.json"];
    expect(project().report(flags, ECHO, "stackful")).toEqual(ECHOED);
  });

  test("a guest that is in the program needs no permission", () => {
    const body = `
      const runtime = await Runtime.create(${project().guestInText()});
      report({ result: await runtime.spawn("connect_to", [1]), backend: runtime.stats.backend });
      await runtime[Symbol.asyncDispose]();
    `;
    expect(project().report([], body)).toEqual({ result: -ERRNO.ENOTCAPABLE, backend: "deno" });
  });

  test("importing the package needs no permission, whatever part of it", () => {
    const manifest = JSON.parse(readFileSync(packageRoot("package.json"), "utf8"));
    const names = Object.keys(manifest.exports).filter((name) => !/[*]|json$/.test(name));
    expect(names).toContain("./link");
    const body = names.map((name) => `await import("stackful${name.slice(1)}");`).join("\n");
    expect(project().report([], `${body}\nreport("imported");`)).toBe("imported");
  });

  test("a module that is not linked is linked when it is loaded", () => {
    const installed = project().path("node_modules", "binaryen");
    symlinkSync(packageRoot("node_modules/binaryen"), installed);
    project().write("unlinked.wasm", project().guest.raw);
    const body = `
      const runtime = await Runtime.create(new URL("./unlinked.wasm", import.meta.url));
      report(await runtime.spawn("connect_to", [1]));
      await runtime[Symbol.asyncDispose]();
    `;
    expect(project().report(["-A"], body)).toBe(-ERRNO.ENOTCAPABLE);
  });
});
