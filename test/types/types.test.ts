//! The packed declarations, as the compiler of a project that has installed the package sees them.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../ts/package-files.ts";
import { install, Project, pack } from "../package/packed.ts";

const PROGRAMS = ["program.ts", "executors.ts", "simulation.ts", "mistakes.ts"];

const STRICT: ts.CompilerOptions = {
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  skipDefaultLibCheck: true, // Only TypeScript's own.
  target: ts.ScriptTarget.ES2022,
  types: [],
};
const BROWSER = ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"];
const NODE_NEXT = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
};
const BUNDLER = {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
};
/** Without the DOM: what both have is in Node's own declarations. */
const NODE_ONLY = {
  lib: ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts"],
  types: ["node"],
  typeRoots: [packageRoot("node_modules/@types")],
};

/** Parses TypeScript's own declarations once. */
const host = ts.createCompilerHost(STRICT);
const { getSourceFile } = host;
const parsed = new Map<string, ts.SourceFile | undefined>();
host.getSourceFile = (name, ...rest) => {
  if (!/\/lib\.[\w.]+\.d\.ts$/.test(name)) return getSourceFile(name, ...rest);
  if (!parsed.has(name)) parsed.set(name, getSourceFile(name, ...rest));
  return parsed.get(name);
};

let project: Project;
let program: ts.Program;
beforeAll(() => {
  project = new Project();
  install(project, pack(project.root));
  for (const name of PROGRAMS) {
    project.write(name, readFileSync(packageRoot(`test/types/${name}`), "utf8"));
  }
});
afterAll(() => project[Symbol.dispose]());

/** Errors in the programs and in everything that they import. */
function compile(options: ts.CompilerOptions): string[] {
  program = ts.createProgram(
    PROGRAMS.map((name) => project.path(name)),
    { ...STRICT, ...options },
    host,
  );
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
    const text = ts.flattenDiagnosticMessageText(messageText, "\n");
    return `${file === undefined ? "" : basename(file.fileName)}:${line}: ${text}`;
  });
}

describe("programs that use the package compile, and mistakes do not", () => {
  test.each([
    ["module nodenext", { ...NODE_NEXT, lib: BROWSER }],
    ["resolution bundler, as for Vite", { ...BUNDLER, lib: BROWSER }],
    ["Node's declarations without the DOM's", { ...NODE_NEXT, ...NODE_ONLY }],
  ])("%s", (_title, options) => {
    expect(compile(options)).toEqual([]);
  });
});

describe("the declarations", () => {
  beforeAll(() => {
    compile({ ...NODE_NEXT, lib: BROWSER });
  });

  test("export nothing that no program here uses", () => {
    const checker = program.getTypeChecker();
    const used = new Map<string, Set<string>>();
    const modules = new Map<string, ts.Symbol>();
    for (const name of PROGRAMS) {
      const { statements } = program.getSourceFile(project.path(name))!;
      for (const statement of statements.filter(ts.isImportDeclaration)) {
        const { elements } = statement.importClause!.namedBindings as ts.NamedImports;
        const entry = (statement.moduleSpecifier as ts.StringLiteral).text;
        modules.set(entry, checker.getSymbolAtLocation(statement.moduleSpecifier)!);
        const names = used.get(entry) ?? new Set();
        used.set(entry, names);
        for (const element of elements) names.add(element.name.text);
      }
    }
    const manifest = JSON.parse(project.read("node_modules/stackful/package.json"));
    const entries = Object.keys(manifest.exports).filter((key) => manifest.exports[key].types);
    expect([...modules.keys()].sort()).toEqual(
      entries.map((key) => key.replace(/^\./, "stackful")).sort(),
    );
    const unused = [...modules].flatMap(([entry, module]) =>
      checker
        .getExportsOfModule(module)
        .map(({ name }) => name)
        .filter((name) => !used.get(entry)!.has(name))
        .map((name) => `${name} of ${entry}`),
    );
    expect(unused).toEqual([]);
  });

  test("have no any", () => {
    const own = program
      .getSourceFiles()
      .filter(({ fileName }) => fileName.includes("/node_modules/stackful/"));
    expect(own.length).toBeGreaterThan(20);
    const found: string[] = [];
    for (const file of own) {
      const look = (node: ts.Node): void => {
        if (node.kind === ts.SyntaxKind.AnyKeyword) {
          found.push(`${basename(file.fileName)}: ${node.parent.getText(file)}`);
        }
        ts.forEachChild(node, look);
      };
      look(file);
    }
    expect(found).toEqual([]);
  });
});
