//! A project for Deno: the package as it is published, installed, and a guest beside it.

import { afterAll, beforeAll, describe, test } from "vitest";
import { type Ended, install, Project, pack } from "../package/packed.ts";
import type { TestGuest } from "../support/build-guest.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { findDeno, NO_DENO } from "../support/programs.ts";

/** What every program begins with. */
const PRELUDE = `
const attempt = async (what) => {
  try { return await what(); }
  catch ({ code, errno, message }) { return { code, errno, message }; }
};
const report = (value) => console.log(JSON.stringify(value));
const guest = new URL("./guest.wasm", import.meta.url);
`;

/** An echo server in the guest, and its client in the program. */
export const ECHO = `
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
export const ECHOED = { answer: "through the guest", served: 17, backend: "deno" };

export class DenoProject {
  readonly guest: TestGuest;
  /** The program. */
  readonly deno: string;
  readonly #project: Project;

  constructor(project: Project, deno: string, guest: TestGuest) {
    this.#project = project;
    this.deno = deno;
    this.guest = guest;
    install(project, pack(project.root));
    project.write("guest.wasm", guest.wasm);
  }

  path(...parts: string[]): string {
    return this.#project.path(...parts);
  }

  write(name: string, content: string | Uint8Array): void {
    this.#project.write(name, content);
  }

  /** An expression for the bytes of the guest. */
  guestInText(): string {
    const base64 = Buffer.from(this.guest.wasm).toString("base64");
    return `Uint8Array.from(atob("${base64}"), (char) => char.charCodeAt(0))`;
  }

  /** Runs any program in the project's directory. */
  run(command: string, args: readonly string[]): Ended {
    return this.#project.run(command, args);
  }

  /** Writes program.mjs. Its `report` prints JSON. */
  program(body: string, from = "stackful"): void {
    const head = `import { Runtime } from ${JSON.stringify(from)};\n`;
    this.write("program.mjs", head + PRELUDE + body);
  }

  /** Writes it; the command line that runs it with these permissions and no others. */
  command(flags: readonly string[], body: string, from?: string): [string, ...string[]] {
    this.program(body, from);
    return [this.deno, "run", "--node-modules-dir=manual", ...flags, "program.mjs"];
  }

  /** What `body` gives to `report`, once. */
  report(flags: readonly string[], body: string, from?: string): unknown {
    const [command, ...args] = this.command(["--no-prompt", ...flags], body, from);
    const { status, stdout, stderr } = this.run(command, args);
    if (status !== 0) throw new Error(`deno ended with ${status}: ${stderr}${stdout}`);
    return JSON.parse(stdout);
  }
}

/** Tests with a project of their own; skipped where there is no Deno. */
export function describeDeno(title: string, tests: (project: () => DenoProject) => void): void {
  const deno = findDeno();
  if (deno === undefined) {
    test.skip(`${title} [skipped: ${NO_DENO}]`);
    return;
  }
  const load = guestOfFile("embedded");
  let root: Project | undefined;
  let project: DenoProject;
  beforeAll(async () => {
    root = new Project();
    project = new DenoProject(root, deno, await load());
  });
  afterAll(() => root?.[Symbol.dispose]());
  describe(title, () => tests(() => project));
}
