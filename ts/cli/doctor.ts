//! `stackful doctor`: what this machine can do, and why not more.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { release } from "node:os";
import { join } from "node:path";
import { OPERATIONS } from "../host/capability.ts";
import { loadAddon } from "../host/native/load-addon.ts";
import { type BackendSurvey, openBackend, surveyBackends } from "../host/open-backend.ts";
import { jsRuntime } from "../js-runtime.ts";
import { installCommand } from "../link/peers.ts";
import { packageRoot } from "../package-files.ts";
import { table } from "../table.ts";
import { parseCommand, UsageError } from "./arguments.ts";
import { packageVersion } from "./version.ts";

const USAGE = `usage: stackful doctor [--operations] [--json]

What this machine can do, and why not more: backends, the addon, what linking and compiling need.

  --operations  what each backend does in the system's or host's own way (native), on a thread (pool), or
                not at all (-)
  --json        all of it, for programs
`;

export async function doctorCommand(args: readonly string[]): Promise<number> {
  const parsed = parseCommand(args, USAGE, {
    json: { type: "boolean" },
    operations: { type: "boolean" },
  });
  if (parsed === undefined) return 0;
  const [argument] = parsed.positionals;
  if (argument !== undefined) throw new UsageError(`no argument, please: ${argument}`, USAGE);
  const options = { grants: {}, handlesMax: 16 };
  const { backend, reasons } = await openBackend("auto", options);
  const backends = await surveyBackends(options);
  const report = {
    stackful: packageVersion(),
    runtime: `${jsRuntime()} ${process.versions[jsRuntime()]}`,
    platform: `${process.platform}-${process.arch} ${release()}`,
    backend: backend.name,
    reasons,
    backends,
    addon: addon(),
    freeMemory: backend.canDiscard ? "goes back to the system" : "is kept for later tasks",
    core: existsSync(packageRoot("dist/core.wasm")) ? "present" : "missing: npm run build makes it",
    binaryen: installed("binaryen") ?? `missing: linking needs ${installCommand("binaryen")}`,
    compiler: compiler(),
  };
  await backend[Symbol.asyncDispose]();
  if (parsed.values.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return 0;
  }
  if (parsed.values.operations) {
    process.stdout.write(operationsTable(backends));
    return 0;
  }
  process.stdout.write(
    table([
      ["stackful", report.stackful],
      ["runtime", report.runtime],
      ["platform", report.platform],
      ["backend", report.backend],
      ["  also here", others(report)],
      ...backends.flatMap(({ name, reason }): [string, string][] =>
        reason === undefined ? [] : [[`  not ${name}`, reason]],
      ),
      ["addon", report.addon.from ?? `none: ${report.addon.reason}`],
      ...(report.addon.insteadOf === undefined
        ? []
        : ([["  not built here", report.addon.insteadOf]] as const)),
      ["free memory", report.freeMemory],
      ["core.wasm", report.core],
      ["binaryen", report.binaryen],
      ["compiler", report.compiler],
    ]),
  );
  return 0;
}

/** Which addon is loaded, and why it is not the one that was built here; or why there is none. */
function addon(): { from?: string; insteadOf?: string; reason?: string } {
  const loaded = loadAddon();
  if (loaded.addon === undefined) return { reason: loaded.reason };
  const { from, insteadOf } = loaded;
  return insteadOf === undefined ? { from } : { from, insteadOf };
}

interface Backends {
  readonly backend: string;
  readonly backends: readonly BackendSurvey[];
}

/** Those that can be asked for by name. */
function others({ backend, backends }: Backends): string {
  const here = backends.filter(({ name, reason }) => name !== backend && reason === undefined);
  return here.map(({ name }) => name).join(", ");
}

/** Operations down, the backends that are here across; "none" has nothing to tell. */
function operationsTable(backends: readonly BackendSurvey[]): string {
  const here = backends.filter(
    ({ name, operations }) => operations !== undefined && name !== "none",
  );
  return table([
    ["", ...here.map(({ name }) => name)],
    ...OPERATIONS.map((operation) => [
      operation.toLowerCase().replaceAll("_", " "),
      ...here.map(({ operations }) => {
        const how = operations?.[operation] ?? "unsupported";
        return how === "unsupported" ? "-" : how;
      }),
    ]),
  ]);
}

function compiler(): string {
  const sdk = process.env.WASI_SDK_PATH;
  if (sdk !== undefined && sdk !== "") {
    const clang = join(sdk, "bin", "clang");
    return existsSync(clang)
      ? clang
      : `missing: WASI_SDK_PATH names ${sdk}, which has no bin/clang`;
  }
  const version = installed("@yowasp/clang");
  return version === undefined
    ? `missing: ${installCommand("@yowasp/clang")}, or set WASI_SDK_PATH`
    : `@yowasp/clang ${version}`;
}

/** The installed version of an npm package. */
function installed(name: string): string | undefined {
  const require = createRequire(import.meta.url);
  for (const directory of require.resolve.paths(name) ?? []) {
    const manifest = join(directory, name, "package.json");
    if (existsSync(manifest)) return (require(manifest) as { version: string }).version;
  }
  return undefined;
}
