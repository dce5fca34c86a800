//! A program that a bundler has put into one file with the package, which is not installed where it runs.

import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { guestOfFile } from "../support/guest-of-file.ts";
import { findProgram } from "../support/programs.ts";
import { type ProgramResult, runProgram } from "../support/run-program.ts";
import { install, type Packed, Project, pack } from "./packed.ts";
import { installedRuntimes } from "./runtimes.ts";

const FILES: Readonly<Record<string, string>> = {
  // An echo server in the guest, and its client in the program.
  "serve.mjs": `
import { once } from "node:events";
import { connect } from "node:net";
import { Runtime } from "stackful";

export async function serve(guest) {
  const runtime = await Runtime.create(guest, { grants: { listen: ["127.0.0.1:*"] } });
  const listener = await runtime.spawn("listen_at", [0]);
  const served = runtime.spawn("echo_one", [listener]);
  const client = connect(await runtime.spawn("port_of", [listener]), "127.0.0.1");
  let answer = "";
  client.setEncoding("utf8").on("data", (text) => { answer += text; });
  client.end("through the guest");
  await once(client, "close");
  const { backend, reasons } = runtime.stats;
  const unlinked = await Runtime.create(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)).then(
    () => "runs",
    ({ code, message }) => ({ code, message }),
  );
  console.log(JSON.stringify({ answer, served: await served, backend, reasons, unlinked }));
  await runtime[Symbol.asyncDispose]();
}
`,
  "executable.mjs": `
import guest from "./guest.wasm" with { type: "file" };
import { serve } from "./serve.mjs";

await serve(guest);
`,
  "bundle.mjs": `
import { serve } from "./serve.mjs";

serve(process.argv[2]);
`,
};

/** What it prints, whatever the backend. */
const SERVED = {
  answer: "through the guest",
  served: 17,
  unlinked: {
    code: "SF_TOOLCHAIN",
    message: expect.stringMatching(
      /dist\/core\.wasm: this program is a bundle.*link guests before/,
    ),
  },
};

const NO_ADDON = /^open \S+: the addon (is not in|in) this bundle/;

const guest = guestOfFile("embedded");
const bun = findProgram("STACKFUL_BUN", ["bun"]);
let project: Project;
let packed: Packed;
/** Where programs run: no package.json is there, nor above. */
let elsewhere: string;
beforeAll(async () => {
  project = new Project();
  packed = pack(project.root);
  install(project, packed);
  for (const [name, content] of Object.entries(FILES)) project.write(name, content);
  project.write("guest.wasm", (await guest()).wasm);
  elsewhere = mkdtempSync(join(tmpdir(), "stackful-elsewhere-"));
});
afterAll(() => {
  project[Symbol.dispose]();
  rmSync(elsewhere, { recursive: true });
});

/** Every native backend says so, and nothing else is in the way of a better one. */
function expectNoAddon({
  reasons,
}: {
  readonly reasons: readonly { readonly reason: string }[];
}): void {
  expect(reasons.length).toBeGreaterThan(0);
  for (const { reason } of reasons) expect(reason).toMatch(NO_ADDON);
}

async function run(command: string, args: readonly string[], env = {}) {
  const options = { cwd: elsewhere, env: { ...process.env, STACKFUL_BACKEND: "", ...env } };
  const { code, hung, stdout, stderr }: ProgramResult = await runProgram(command, args, options);
  expect({ code, hung }, stderr).toEqual({ code: 0, hung: false });
  return JSON.parse(stdout) as {
    readonly backend: string;
    readonly reasons: readonly { readonly name: string; readonly reason: string }[];
  };
}

describe("bun build --compile", () => {
  if (bun === undefined) {
    test.skip("makes one executable [skipped: no bun in PATH, and STACKFUL_BUN names none]");
    return;
  }

  /** The path of the executable. */
  function compile(): string {
    const args = ["build", "--compile", "--outfile=all", "executable.mjs"];
    const { status, stderr } = project.run(bun!, args);
    expect(status, stderr).toBe(0);
    renameSync(project.path("all"), join(elsewhere, "all"));
    return join(elsewhere, "all");
  }

  test("its executable has the addon in it", async () => {
    const result = await run(compile(), []);
    expect(result).toMatchObject(SERVED);
    if (!packed.files.some(({ path }) => path.endsWith("/stackful.node"))) {
      expect(result.reasons[0]?.reason).toMatch(NO_ADDON);
    } else {
      // It was loaded, and at most the kernel said no.
      expect(["uring", "epoll"]).toContain(result.backend);
      for (const { reason } of result.reasons) expect(reason).not.toMatch(/addon|loaded/);
    }
  });

  test("its executable serves a connection on the node backend", async () => {
    const result = await run(compile(), [], { STACKFUL_BACKEND: "node" });
    expect(result).toMatchObject({ ...SERVED, backend: "node", reasons: [] });
  });

  test("without an addon to put in, its executable says so and serves a connection", async () => {
    const prebuilds = project.path("node_modules", "stackful", "prebuilds");
    mkdirSync(prebuilds, { recursive: true });
    renameSync(prebuilds, project.path("prebuilds"));
    const program = compile();
    renameSync(project.path("prebuilds"), prebuilds);
    const result = await run(program, []);
    expect(result).toMatchObject({ ...SERVED, backend: "node" });
    expectNoAddon(result);
  });
});

describe("a bundle for programs outside browsers", () => {
  beforeAll(async () => {
    await build({
      root: project.root,
      configFile: false,
      logLevel: "silent",
      ssr: { noExternal: true },
      build: {
        ssr: "bundle.mjs",
        outDir: elsewhere,
        emptyOutDir: false,
        rolldownOptions: { output: { entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" } },
      },
    });
  });

  for (const { name, command, reason } of installedRuntimes()) {
    if (command === undefined) {
      test.skip(`serves a connection in ${name} [skipped: ${reason}]`);
      continue;
    }
    test(`serves a connection in ${name}`, async () => {
      const [program, ...args] = command;
      const file = join(elsewhere, "bundle.mjs");
      const result = await run(program, [...args, file, project.path("guest.wasm")]);
      expect(result).toMatchObject({ ...SERVED, backend: name === "Deno" ? "deno" : "node" });
      expectNoAddon(result);
    });
  }
});
