//! Module loader hooks: TypeScript with its types taken out, and nothing checked; and what package.json
//! says of `imports`, for sources that are not compiled. With a cache by content: loading the compiler takes
//! longer than most programs of the tests.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { threadId } from "node:worker_threads";

const CACHE = new URL("../../dist/transpiled/", import.meta.url);

const PLATFORM = "#platform/";

export function resolve(specifier, context, nextResolve) {
  if (!specifier.startsWith(PLATFORM) || !context.parentURL.endsWith(".ts")) {
    return nextResolve(specifier, context);
  }
  const path = `../../ts/${specifier.slice(PLATFORM.length)}.ts`;
  return nextResolve(new URL(path, import.meta.url).href, context);
}

export function load(url, context, nextLoad) {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return nextLoad(url, context);
  const source = readFileSync(fileURLToPath(url), "utf8");
  return { format: "module", source: transpiled(source), shortCircuit: true };
}

function transpiled(source) {
  const cached = new URL(`${createHash("sha256").update(source).digest("hex")}.js`, CACHE);
  try {
    return readFileSync(cached, "utf8");
  } catch {
    // Not there yet.
  }
  const ts = createRequire(import.meta.url)("typescript");
  const compilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    verbatimModuleSyntax: true,
  };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  mkdirSync(CACHE, { recursive: true });
  const temporary = new URL(`${cached.href}.${process.pid}.${threadId}`);
  writeFileSync(temporary, outputText);
  renameSync(temporary, cached);
  return outputText;
}
