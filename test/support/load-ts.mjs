//! Module loader hooks: TypeScript with its types taken out, and nothing checked; and what package.json
//! says of `imports`, for sources that are not compiled.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  verbatimModuleSyntax: true,
};

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
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  return { format: "module", source: outputText, shortCircuit: true };
}
