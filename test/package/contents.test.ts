import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { install, npm, type Packed, Project, pack } from "./packed.ts";

/** Every kind of file that belongs into the package. */
const BELONGS: readonly RegExp[] = [
  /^(LICENSE|README\.md|package\.json)$/,
  /^dist\/(?:core|net)\.wasm$/,
  /^prebuilds\/[a-z0-9]+-[a-z0-9]+\/stackful\.node$/,
  /^dist\/ts\/([a-z-]+\/)*[a-z-]+(\.gen|\.browser)?\.(js|d\.ts)$/,
  /^wasm\/include\/([a-z-]+\/)*[a-z-]+\.h$/,
];

// With the addon for six machines, of 55 kB to 95 kB each, packed, and 120 kB to 200 kB unpacked.
const PACKED_BYTES_MAX = 850_000;
const UNPACKED_BYTES_MAX = 2_500_000;
/** In whole blocks, without what only linking needs. */
const INSTALLED_BYTES_MAX = 4_000_000;

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

let project: Project;
let packed: Packed;
let manifest: Manifest;
beforeAll(() => {
  project = new Project();
  packed = pack(project.root);
  install(project, packed);
  manifest = JSON.parse(project.read("node_modules/stackful/package.json")) as Manifest;
});
afterAll(() => project[Symbol.dispose]());

const inPackage = (...parts: string[]): string =>
  project.path("node_modules", "stackful", ...parts);
const paths = (pattern: RegExp): string[] =>
  packed.files.map(({ path }) => path).filter((path) => pattern.test(path));

/** What `entries` import, directly or not. */
function reached(entries: readonly string[], extension: ".js" | ".d.ts"): Set<string> {
  const found = new Set<string>();
  const pending = [...entries];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    // A thread's entry, which is loaded by its URL.
    if (path === "dist/ts/executors/start-thread.js") pending.push("dist/ts/executors/worker.js");
    const text = readFileSync(inPackage(path), "utf8");
    for (const [, name] of text.matchAll(/\b(?:from|import)\s*\(?\s*"([.#][^"]+)"/g)) {
      if (name!.startsWith("#platform/")) {
        const base = `dist/ts/${name!.slice("#platform/".length)}`;
        pending.push(`${base}.js`, `${base}.browser.js`);
      } else {
        pending.push(join(dirname(path), name!).replace(/\.[jt]s$/, extension));
      }
    }
  }
  return found;
}

function entries(condition: "types" | "default"): string[] {
  return Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [] : [target[condition]!.slice("./".length)],
  );
}

describe("the packed package", () => {
  test("holds only the kinds of files that belong there", () => {
    const others = packed.files.filter(({ path }) => !BELONGS.some((kind) => kind.test(path)));
    expect(others).toEqual([]);
    for (const kind of BELONGS.filter((kind) => !kind.source.includes("prebuilds"))) {
      expect(paths(kind), String(kind)).not.toEqual([]);
    }
  });

  test("holds every file that its entries import, and no script that nothing imports", () => {
    const types = reached(entries("types"), ".d.ts");
    const scripts = reached([...entries("default"), ...Object.values(manifest.bin)], ".js");
    expect([...scripts, ...types].filter((path) => !paths(/./).includes(path))).toEqual([]);
    // Of a file with types alone nothing is left to import.
    const typesOnly = [...types].map((path) => path.replace(/\.d\.ts$/, ".js"));
    const dead = paths(/\.js$/).filter((path) => !scripts.has(path) && !typesOnly.includes(path));
    expect(dead).toEqual([]);
  });

  test("is small", () => {
    expect(packed.size).toBeLessThan(PACKED_BYTES_MAX);
    expect(packed.unpackedSize).toBeLessThan(UNPACKED_BYTES_MAX);
  });

  test("needs nothing else, and runs nothing when it is installed", () => {
    expect(manifest.dependencies).toBeUndefined();
    const atInstall = /^(pre|post)?(install|prepare)$/;
    expect(Object.keys(manifest.scripts ?? {}).filter((name) => atInstall.test(name))).toEqual([]);
    expect(paths(/(^|\/)binding\.gyp$/)).toEqual([]); // npm would run node-gyp for it.
    expect(
      readdirSync(project.path("node_modules")).filter((name) => !name.startsWith(".")),
    ).toEqual(["stackful"]);
  });

  test("is below 4 MB on disk when it is installed for production", () => {
    const files = readdirSync(project.path("node_modules"), { recursive: true, encoding: "utf8" });
    const bytes = files.reduce((sum, file) => {
      const { blocks } = statSync(project.path("node_modules", file));
      return sum + 512 * blocks;
    }, 0);
    expect(bytes).toBeGreaterThan(packed.unpackedSize / 2);
    expect(bytes).toBeLessThan(INSTALLED_BYTES_MAX);
  });

  test("has its headers where an import finds them", () => {
    const script = 'console.log(import.meta.resolve("stackful/include/stackful.h"))';
    project.write("resolve.mjs", script);
    const { stdout } = project.run(process.execPath, ["resolve.mjs"]);
    expect(stdout.trim().endsWith("node_modules/stackful/wasm/include/stackful.h")).toBe(true);
    expect(statSync(new URL(stdout.trim())).isFile()).toBe(true);
  });

  test("npx finds its command", () => {
    const { version } = JSON.parse(project.read("node_modules/stackful/package.json"));
    const { stdout } = npm(project.root, [
      "exec",
      "--offline",
      "--no",
      "--",
      "stackful",
      "--version",
    ]);
    expect(stdout).toBe(`stackful ${version}\n`);
  });
});
