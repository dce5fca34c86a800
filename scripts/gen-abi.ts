//! Turns wasm/include/stackful/abi.h, with what it includes, into ts/abi.gen.ts. With --check: fails when
//! that is stale.
//!
//! Reads the few forms that abi.h uses (integer #defines, X-macro lists, enums with explicit
//! values, structs of fixed-width fields) and lays structs out as wasm32 does: every field at its
//! natural alignment. A form it does not know is an error, so that nothing is dropped silently.

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../ts/package-files.ts";

/** What every part is built from, in the order of inclusion. */
export const ABI_HEADERS: readonly string[] = ["errors", "operations", "abi"].map((name) =>
  packageRoot(`wasm/include/stackful/${name}.h`),
);

interface Field {
  readonly name: string;
  readonly offset: number;
}

interface Layout {
  readonly size: number;
  readonly alignment: number;
  readonly fields: readonly Field[];
}

const SCALAR_BYTES: Readonly<Record<string, number>> = {
  uint8_t: 1,
  uint16_t: 2,
  uint32_t: 4,
  int32_t: 4,
  uint64_t: 8,
  int64_t: 8,
};

/** The whole of ts/abi.gen.ts for the header `source`. */
export function generateAbi(source: string): string {
  const text = source.replace(/\/\*[\s\S]*?\*\//g, "");
  const out = [
    "// Generated from wasm/include/stackful/abi.h by scripts/gen-abi.ts. Do not edit.",
    "// Committed so that the types, and every change of the ABI, are visible without a build.",
    "",
  ];
  for (const [, name, value] of text.matchAll(/^#define SF_(\w+) (\d+)[ \t]*$/gm)) {
    out.push(`export const ${name} = ${value};`);
  }
  out.push("", ...maps(text), ...enums(text), ...structs(text));
  return `${out.join("\n").trimEnd()}\n`;
}

function* maps(text: string): Generator<string> {
  for (const [, name, body] of text.matchAll(/#define SF_(\w+)_MAP\(X\)((?:[^\n]*\\\n)+[^\n]*)/g)) {
    const rows = [...body!.matchAll(/X\(\s*(\w+)\s*,\s*(\d+)\s*(?:,\s*"([^"]*)")?\s*\)/g)];
    yield `export const ${name} = {`;
    for (const [, key, code] of rows) yield `  ${key}: ${code},`;
    yield "} as const;";
    yield "";
    if (rows.some((row) => row[3] !== undefined)) {
      yield `export const ${name}_TEXT: Readonly<Record<number, string>> = {`;
      for (const [, , code, meaning] of rows) yield `  ${code}: ${JSON.stringify(meaning)},`;
      yield "};";
      yield "";
    }
  }
}

function* enums(text: string): Generator<string> {
  for (const [, name, body] of text.matchAll(/enum sf_(\w+) \{([^}#]*)\};/g)) {
    const prefix = new RegExp(`^SF_(?:${name!.split("_")[0]!.toUpperCase()}_)?`);
    yield `export const ${name!.toUpperCase()} = {`;
    for (const [, key, code] of body!.matchAll(/(\w+) = (\d+)/g)) {
      yield `  ${key!.replace(prefix, "")}: ${code},`;
    }
    yield "} as const;";
    yield "";
  }
}

function* structs(text: string): Generator<string> {
  const layouts = new Map<string, Layout>();
  for (const [, name, body] of text.matchAll(/struct (sf_\w+) \{([^}]*)\};/g)) {
    const layout = layOut(name!, body!, layouts);
    layouts.set(name!, layout);
    yield `export const ${name!.slice(3).toUpperCase()} = {`;
    yield `  size: ${layout.size},`;
    for (const field of layout.fields) yield `  ${field.name}: ${field.offset},`;
    yield "} as const;";
    yield "";
  }
}

function layOut(struct: string, body: string, known: ReadonlyMap<string, Layout>): Layout {
  const fields: Field[] = [];
  let offset = 0;
  let alignment = 1;
  for (const line of body.split(";").map((part) => part.trim())) {
    if (line === "") continue;
    const match = /^(SF_ADDRESS\([^)]*\)|(?:struct )?\w+) (\w+)(?:\[(\d+)\])?$/.exec(line);
    if (match === null) throw new Error(`abi.h: struct ${struct}: cannot read field "${line}"`);
    const [, type, name, count] = match;
    const element = elementLayout(type!, known);
    offset = Math.ceil(offset / element.alignment) * element.alignment;
    fields.push({ name: camelCase(name!), offset });
    offset += element.size * Number(count ?? 1);
    alignment = Math.max(alignment, element.alignment);
  }
  return { size: Math.ceil(offset / alignment) * alignment, alignment, fields };
}

function elementLayout(type: string, known: ReadonlyMap<string, Layout>) {
  if (type.startsWith("SF_ADDRESS")) return { size: 4, alignment: 4 };
  const scalar = SCALAR_BYTES[type];
  if (scalar !== undefined) return { size: scalar, alignment: scalar };
  const nested = known.get(type.replace("struct ", ""));
  if (nested === undefined) throw new Error(`abi.h: unknown field type "${type}"`);
  return nested;
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function main(): void {
  const header = ABI_HEADERS.map((file) => readFileSync(file, "utf8")).join("\n");
  const target = packageRoot("ts/abi.gen.ts");
  const generated = generateAbi(header);
  if (process.argv.includes("--check")) {
    if (readFileSync(target, "utf8") !== generated) {
      process.stderr.write("ts/abi.gen.ts is stale: run npm run gen\n");
      process.exitCode = 1;
    }
    return;
  }
  writeFileSync(target, generated);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
