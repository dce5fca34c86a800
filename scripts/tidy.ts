//! Style that can be a test: import direction, file length, what must not be in sources.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../ts/package-files.ts";

/** The folders of ts/, from the top down: a file imports from its own layer and from those below. */
const LAYERS: readonly (readonly string[])[] = [
  ["cli"],
  ["index.ts", "link.ts", "sim.ts"],
  ["executors"],
  ["runtime"],
  ["channels", "sched", "wasi"],
  ["host"],
  ["guest"],
  ["link"],
  [
    "abi.gen.ts",
    "assert.ts",
    "errors.ts",
    "js-runtime.ts",
    "package-files.ts",
    "permissions.ts",
    "signals.ts",
    "size-classes.ts",
    "table.ts",
    "webassembly.ts",
  ],
];

/** The folders of native/src/, in the same way. */
const NATIVE_LAYERS: readonly (readonly string[])[] = [
  ["addon"],
  ["uring", "ready", "iocp"],
  ["calls"],
  ["windows"],
  ["engine"],
];

/** What only the Node-API binding knows. */
const NODE_API = /^#include <(?:node_api|js_native_api)/m;

const LINES_MAX = 500;

/** Problems in the checkout, one line each. */
export function tidy(): string[] {
  const problems: string[] = [];
  for (const path of sources(packageRoot())) {
    const text = readFileSync(path, "utf8");
    const name = relative(packageRoot(), path);
    checkText(name, text, problems);
    if (name.startsWith("ts/") && name.endsWith(".ts")) checkImports(name.slice(3), text, problems);
    if (name.startsWith("native/src/")) checkIncludes(name.slice(11), text, problems);
  }
  return problems;
}

function checkText(name: string, text: string, problems: string[]): void {
  const lines = text.split("\n");
  if (lines.length > LINES_MAX && !name.endsWith(".gen.ts")) {
    problems.push(`${name}: ${lines.length} lines, at most ${LINES_MAX}`);
  }
  lines.forEach((line, index) => {
    if (/\b(FIXME|XXX)\b/.test(line) && !name.endsWith("tidy.ts")) {
      problems.push(`${name}:${index + 1}: FIXME`);
    }
  });
}

function checkImports(name: string, text: string, problems: string[]): void {
  const from = layerOf(name);
  for (const [, target] of text.matchAll(/(?:from|import\()\s*"((?:\.|#platform\/)[^"]+)"/g)) {
    const path = target!.startsWith("#")
      ? target!.slice("#platform/".length)
      : normalize(join(dirname(name), target!));
    const to = layerOf(path);
    if (to < from) {
      problems.push(`ts/${name}: imports ${path}, which is in a layer above`);
    }
  }
}

function checkIncludes(name: string, text: string, problems: string[]): void {
  const from = layerOf(name, NATIVE_LAYERS);
  for (const [, path] of text.matchAll(/^#include "(?!stackful\/)([^"]+)"/gm)) {
    if (layerOf(path!, NATIVE_LAYERS) < from) {
      problems.push(`native/src/${name}: includes ${path}, which is in a layer above`);
    }
  }
  if (!name.startsWith("addon/") && NODE_API.test(text)) {
    problems.push(`native/src/${name}: includes Node-API, which only addon/ knows`);
  }
}

function layerOf(name: string, layers = LAYERS): number {
  const first = name.split("/")[0]!;
  const layer = layers.findIndex((names) => names.includes(first));
  if (layer < 0) throw new Error(`${name}: scripts/tidy.ts knows no layer for it`);
  return layer;
}

function* sources(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (/^(node_modules|dist|target|coverage|\.git)$/.test(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(ts|mjs|c|h|s)$/.test(entry.name)) yield path;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const problems = tidy();
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
}
