//! Builds every examples/NAME/NAME.c into dist/examples/NAME.wasm, and the guests of the browser demo into
//! dist/examples/browser/, unless they are up to date.
//!
//!   node dist/scripts/build-examples.js [--json] [NAME...]

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildOptions } from "../ts/link/build.ts";
import { packageRoot } from "../ts/package-files.ts";
import { table } from "../ts/table.ts";
import { buildCore } from "./build-core.ts";

export interface ExampleBuild {
  readonly name: string;
  readonly status: "built" | "fresh";
  /** The linked module. */
  readonly file: string;
  readonly guestBytes: number;
  readonly linkedBytes: number;
  readonly functions: number;
  readonly functionsInstrumented: number;
}

type Figures = Omit<ExampleBuild, "name" | "status" | "file">;

/** What the side file keeps: the key of what was built from, and the figures of the build. */
interface Stamp {
  readonly key: string;
  readonly figures: Figures;
}

const FLAGS = ["-O2", "-std=c11", "-Wall", "-Wextra", "-Werror"];

/** Examples that are not programs of their own. */
const OPTIONS: Readonly<Record<string, Partial<BuildOptions>>> = {
  embed: { reactor: true, asyncImports: ["example.fetch"] },
  "browser/echo-client": { reactor: true },
  "browser/chat-client": { reactor: true },
  "browser/race": { reactor: true },
};

const BROWSER_GUESTS = "examples/browser/guests";

/** Its builder is browser-demo.ts. */
const NOT_LINKED = "jspi.c";

/**
 * Builds the examples called `names`, by default all of them, and the coroutine core before them.
 *
 * @throws {RangeError} a name is no example's.
 * @throws {StackfulError} SF_TOOLCHAIN or SF_LINK, as `build` does.
 */
export async function buildExamples(names?: readonly string[]): Promise<readonly ExampleBuild[]> {
  await buildCore();
  const sources = exampleSources();
  const wanted = names ?? [...sources.keys()];
  const results: ExampleBuild[] = [];
  // One after the other: a compiler in wasm takes a core and some hundred megabytes.
  for (const name of wanted) {
    const source = sources.get(name);
    if (source === undefined) {
      throw new RangeError(`example ${name}: there is none (${[...sources.keys()].join(", ")})`);
    }
    results.push(await buildExample(name, source));
  }
  return results;
}

function exampleSources(): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const directory of readdirSync(packageRoot("examples")).sort()) {
    const source = packageRoot(join("examples", directory, `${directory}.c`));
    if (existsSync(source)) sources.set(directory, source);
  }
  for (const file of readdirSync(packageRoot(BROWSER_GUESTS)).sort()) {
    if (!file.endsWith(".c") || file === NOT_LINKED) continue;
    sources.set(`browser/${basename(file, ".c")}`, packageRoot(join(BROWSER_GUESTS, file)));
  }
  return sources;
}

async function buildExample(name: string, source: string): Promise<ExampleBuild> {
  const file = packageRoot(`dist/examples/${name}.wasm`);
  const stampFile = packageRoot(`dist/examples/${name}.json`);
  const options: BuildOptions = {
    sources: [source],
    includes: [packageRoot("examples")],
    flags: FLAGS,
    ...OPTIONS[name],
  };
  const key = buildKey(options);
  const stamp = readStamp(stampFile);
  if (stamp?.key === key && existsSync(file)) {
    return { name, status: "fresh", file, ...stamp.figures };
  }

  // Only now: the compiler and Binaryen are megabytes of JavaScript.
  const { build } = await import("../ts/link/build.ts");
  const { wasm, figures } = await build(options);
  const { guestBytes, linkedBytes, functions, functionsInstrumented } = figures;
  const kept: Figures = { guestBytes, linkedBytes, functions, functionsInstrumented };
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(file, wasm);
  replaceFile(stampFile, `${JSON.stringify({ key, figures: kept } satisfies Stamp)}\n`);
  return { name, status: "built", file, ...kept };
}

/** At once: another process may be loading the old one, or building this one. */
function replaceFile(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}

/** Changes with all that the module is made from: sources, headers, core, linker, options. */
function buildKey(options: BuildOptions): string {
  const hash = createHash("sha256");
  // Paths would tie the key to where the checkout stands.
  hash.update(
    JSON.stringify({
      ...options,
      includes: [],
      sources: options.sources.map((path) => basename(path)),
    }),
  );
  const files = [
    ...filesBelow("examples", /\.[ch]$/),
    ...filesBelow("wasm/include", /\.h$/),
    ...filesBelow("ts/link", /\.ts$/),
    packageRoot("dist/core.wasm"),
    packageRoot("dist/net.wasm"),
  ];
  for (const path of files)
    hash.update(path.slice(packageRoot().length)).update(readFileSync(path));
  return hash.digest("hex");
}

/** All examples' sources, not one's alone: its includes would have to be followed to know them. */
function filesBelow(directory: string, pattern: RegExp): string[] {
  return readdirSync(packageRoot(directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function readStamp(path: string): Stamp | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Stamp;
  } catch {
    return undefined; // Never built, or cut short: build it.
  }
}

function formatTable(builds: readonly ExampleBuild[]): string {
  const rows = builds.map((build) => [
    build.name,
    build.status,
    `${build.guestBytes}`,
    `${build.linkedBytes}`,
    `${build.functionsInstrumented} of ${build.functions}`,
  ]);
  const head = ["example", "", "guest bytes", "linked bytes", "instrumented functions"];
  return table([head, ...rows], (column) => column >= 2);
}

async function main(args: readonly string[]): Promise<void> {
  const names = args.filter((arg) => !arg.startsWith("-"));
  const builds = await buildExamples(names.length === 0 ? undefined : names);
  process.stdout.write(
    args.includes("--json") ? `${JSON.stringify(builds)}\n` : formatTable(builds),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  await main(process.argv.slice(2));
