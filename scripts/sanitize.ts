//! `npm run sanitize -- address|thread|undefined`: the native addon's laws under a sanitizer.

import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { kqueueAddon } from "../test/native/kqueue-addon.ts";
import { SANITIZED, SANITIZED_FILES } from "../test/native/tested-addon.ts";
import { parseCommand, UsageError } from "../ts/cli/arguments.ts";
import { packageRoot } from "../ts/package-files.ts";
import { runScript } from "./command.ts";
import { type AddonCompilation, compileAddon, findCompiler } from "./compile-addon.ts";
import { runTests } from "./matrix/run-tests.ts";
import {
  findings,
  libraryOf,
  SANITIZERS,
  type Sanitizer,
  watchedEnvironment,
} from "./sanitize/sanitizers.ts";

const MECHANISMS = ["uring", "epoll", "poll", "kqueue"] as const;

const USAGE = `usage: npm run sanitize -- ${Object.keys(SANITIZERS).join("|")} [options]

Builds the addon with a sanitizer of the C compiler, and runs the laws of the native backends with it in
Node. Fails when a law does not hold, or the sanitizer reports anything. address is with undefined.

  --backend NAME  one of ${MECHANISMS.join(", ")} (default: all)
  --help          this text
`;

interface Wanted {
  readonly kind: string;
  readonly sanitizer: Sanitizer;
  readonly backends: readonly string[];
}

/** @throws {UsageError} */
function parse(args: readonly string[]): Wanted | undefined {
  const parsed = parseCommand(args, USAGE, { backend: { type: "string" } });
  if (parsed === undefined) return undefined;
  const [kind = "", more] = parsed.positionals;
  const sanitizer = Object.hasOwn(SANITIZERS, kind) ? SANITIZERS[kind] : undefined;
  if (sanitizer === undefined || more !== undefined) {
    throw new UsageError("one sanitizer, please", USAGE);
  }
  const { backend } = parsed.values;
  const backends = MECHANISMS.filter((name) => backend === undefined || backend === name);
  if (backends.length === 0) {
    throw new UsageError(`--backend ${backend}: expected one of ${MECHANISMS.join(", ")}`);
  }
  return { kind, sanitizer, backends };
}

/** Why it cannot be done here; else the number of failures. */
async function sanitize({ kind, sanitizer, backends }: Wanted): Promise<number | string> {
  if (process.platform !== "linux") return "the mechanisms are those of Linux";
  const compiler = findCompiler();
  if (compiler === undefined) return "there is no C compiler";
  const library = libraryOf(sanitizer, compiler);
  if (library === undefined) return `${compiler.join(" ")} has no ${sanitizer.libraries[0]}`;

  const directory = packageRoot(`dist/sanitize/${kind}`);
  build(directory, sanitizer, compiler);
  const reports = join(directory, "reports");
  let failures = 0;
  for (const name of backends) {
    rmSync(reports, { recursive: true, force: true });
    mkdirSync(reports);
    const result = await runTests({
      command: [process.execPath],
      file: `test/conformance/${name}.test.ts`,
      // In a process that ends by itself: only there leaks are looked for.
      flags: ["--pool=threads"],
      env: {
        ...watchedEnvironment(sanitizer, library, join(reports, "report")),
        [SANITIZED]: directory,
      },
    });
    const found = readReports(reports, sanitizer);
    const { passed, failed, skipped } = result;
    process.stdout.write(
      `${kind} ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${found.length} reports\n`,
    );
    for (const failure of result.failures) process.stdout.write(`failed on ${name}: ${failure}\n`);
    for (const report of found) process.stdout.write(`${report}\n`);
    failures += failed + found.length;
  }
  return failures;
}

function build(directory: string, { checks }: Sanitizer, compiler: readonly string[]): void {
  const flags = [`-fsanitize=${checks}`, "-g", "-fno-omit-frame-pointer"];
  const own: AddonCompilation = {
    file: join(directory, SANITIZED_FILES.own),
    system: "linux",
    compiler,
    linkerFlags: ["-Wl,-z,nodelete"],
  };
  const kqueue = kqueueAddon(join(directory, SANITIZED_FILES.kqueue), compiler);
  for (const addon of [own, kqueue]) {
    compileAddon({ ...addon, flags: [...(addon.flags ?? []), ...flags] });
  }
}

/** Of every process that took part. */
function readReports(directory: string, sanitizer: Sanitizer): string[] {
  const texts = readdirSync(directory).map((name) => readFileSync(join(directory, name), "utf8"));
  return texts.flatMap((text) => findings(sanitizer, text));
}

async function main(wanted: Wanted): Promise<number> {
  const result = await sanitize(wanted);
  if (typeof result === "string") {
    process.stdout.write(`sanitize: skipped: ${result}\n`);
    return 0;
  }
  process.stdout.write(`sanitize: ${result === 0 ? "nothing found" : `${result} failures`}\n`);
  return result === 0 ? 0 : 1;
}

await runScript("sanitize", parse, main);
