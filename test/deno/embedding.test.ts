//! The package in Deno, by every name that it can have there, on Deno's own sockets.

import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { describeDeno } from "./deno-project.ts";

/** An echo server in the guest, and its client in the program. */
const ECHO = `
const runtime = await Runtime.create(guest, { grants: { listen: ["127.0.0.1:*"] } });
const listener = await runtime.spawn("listen_at", [0]);
const served = runtime.spawn("echo_one", [listener]);
const port = await runtime.spawn("port_of", [listener]);
const conn = await Deno.connect({ hostname: "127.0.0.1", port });
const answer = new Response(conn.readable).text();
await conn.write(new TextEncoder().encode("through the guest"));
await conn.closeWrite();
report({ answer: await answer, served: await served, backend: runtime.stats.backend });
await runtime[Symbol.asyncDispose]();
`;
const ECHOED = { answer: "through the guest", served: 17, backend: "deno" };
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
    const folder = packageRoot("dist/ts");
    // Where there is no node_modules nobody reads `imports` in package.json.
    const platform = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((file) => /^(.*)\.browser\.js$/.exec(file)?.[1])
      .filter((name) => name !== undefined);
    const imports = Object.fromEntries(
      platform.map((name) => [`#platform/${name}`, `${folder}/${name}.js`]),
    );
    const map = { imports: { ...imports, coroutines: `${folder}/index.js` } };
    project().write("map.json", JSON.stringify(map));
    const flags = [...FLAGS, "--import-map=map.json"];
    expect(project().report(flags, ECHO, "coroutines")).toEqual(ECHOED);
  });

  test("a guest that is in the program needs no permission", () => {
    const base64 = Buffer.from(project().guest.wasm).toString("base64");
    const body = `
      const wasm = Uint8Array.from(atob("${base64}"), (char) => char.charCodeAt(0));
      const runtime = await Runtime.create(wasm);
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
