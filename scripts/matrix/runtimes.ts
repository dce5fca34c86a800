//! The JavaScript runtimes of the matrix: where they are, and how npm installs those that are not.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { findChromium, findDeno, findProgram } from "../../test/support/programs.ts";
import type { BackendName } from "../../ts/host/backend.ts";
import { packageRoot } from "../../ts/package-files.ts";

export interface MatrixRuntime {
  /** As it is asked for: node20, deno. */
  readonly key: string;
  readonly name: string;
  /** Its program; undefined when there is none here. */
  find(): string | undefined;
  /** What runs a script of JavaScript, which comes next; undefined for a page. */
  readonly flags?: readonly string[];
  /** What npm installs; undefined when it cannot. */
  readonly package?: string;
  /** The backends that it can never have, each with what it lacks. */
  readonly lacks: Readonly<Partial<Record<BackendName, string>>>;
}

const NO_DENO_API = "only Deno has the Deno API";
const NO_SYSTEM = "a page reaches no sockets and no files of an operating system";

const NODES = [20, 22, 24, 26].map((major): MatrixRuntime => {
  const key = `node${major}`;
  const isThis = process.versions.node.startsWith(`${major}.`);
  const platform = process.platform === "win32" ? "win" : process.platform;
  return {
    key,
    name: `Node ${major}`,
    find: () =>
      isThis ? process.execPath : (findProgram(`STACKFUL_NODE${major}`, []) ?? installed(key)),
    flags: [],
    package: `node-${platform}-${process.arch}@${major}`,
    lacks: { deno: NO_DENO_API },
  };
});

export const RUNTIMES: readonly MatrixRuntime[] = [
  ...NODES,
  {
    key: "deno",
    name: "Deno",
    find: () => findDeno() ?? installed("deno"),
    flags: ["run", "--allow-all", "--no-prompt"],
    package: "deno",
    lacks: {},
  },
  {
    key: "bun",
    name: "Bun",
    find: () => findProgram("STACKFUL_BUN", ["bun"]) ?? installed("bun"),
    flags: ["--bun"],
    package: "bun",
    lacks: { deno: NO_DENO_API },
  },
  {
    key: "chromium",
    name: "Chromium",
    find: findChromium,
    lacks: {
      uring: NO_SYSTEM,
      epoll: NO_SYSTEM,
      poll: NO_SYSTEM,
      node: NO_SYSTEM,
      deno: NO_SYSTEM,
    },
  },
];

/** Where `install` puts a runtime. */
const directoryOf = (key: string): string => packageRoot(`dist/runtimes/${key}`);

function installed(key: string): string | undefined {
  const modules = `${directoryOf(key)}/node_modules`;
  const places = key.startsWith("node")
    ? [`${modules}/node-${process.platform}-${process.arch}/bin/node`]
    : [`${modules}/.bin/${key}`];
  return places.find((path) => existsSync(path));
}

/** Has npm install a runtime below dist/. @throws {Error} with what npm said. */
export function install({ key, package: name }: MatrixRuntime): void {
  if (name === undefined) return;
  const directory = directoryOf(key);
  mkdirSync(directory, { recursive: true });
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", directory, name];
  const { status, stderr } = spawnSync("npm", args, { encoding: "utf8", cwd: directory });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} ended with ${status}: ${stderr}`);
}

/** The version that a program says it is. */
export function versionOf(program: string): string {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return /\d+\.\d+[\d.]*/.exec(stdout ?? "")?.[0] ?? "unknown";
}
