//! A project for Deno: the package as it is published, installed, and a guest beside it.

import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Ended, install, Project, pack } from "../package/packed.ts";
import type { TestGuest } from "../support/build-guest.ts";
import { findDeno, NO_DENO } from "../support/deno.ts";
import { guestOfFile } from "../support/guest-of-file.ts";

/** What every program begins with. */
const PRELUDE = `
const attempt = async (what) => {
  try { return await what(); }
  catch ({ code, errno, message }) { return { code, errno, message }; }
};
const report = (value) => console.log(JSON.stringify(value));
const guest = new URL("./guest.wasm", import.meta.url);
`;

export class DenoProject {
  readonly guest: TestGuest;
  readonly #project: Project;
  readonly #deno: string;

  constructor(project: Project, deno: string, guest: TestGuest) {
    this.#project = project;
    this.#deno = deno;
    this.guest = guest;
    install(project, pack(project.root));
    project.write("guest.wasm", guest.wasm);
  }

  path(...parts: string[]): string {
    return this.#project.path(...parts);
  }

  url(...parts: string[]): string {
    return pathToFileURL(this.path(...parts)).href;
  }

  write(name: string, content: string | Uint8Array): void {
    this.#project.write(name, content);
  }

  /** Runs any program in the project's directory. */
  run(command: string, args: readonly string[]): Ended {
    return this.#project.run(command, args);
  }

  /** `deno`, with these arguments. */
  deno(...args: string[]): Ended {
    return this.run(this.#deno, args);
  }

  /** The command line of a program with these permissions and no others; `report` prints JSON. */
  command(flags: readonly string[], body: string, from = "stackful"): [string, ...string[]] {
    const head = `import { Runtime } from ${JSON.stringify(from)};\n`;
    this.write("program.mjs", head + PRELUDE + body);
    return [this.#deno, "run", "--node-modules-dir=manual", ...flags, "program.mjs"];
  }

  /** What `body` gives to `report`, once. */
  report(flags: readonly string[], body: string, from = "stackful"): unknown {
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
