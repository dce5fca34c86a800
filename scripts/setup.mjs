// Brings a checkout to where everything runs: dependencies, TypeScript, core.wasm, net.wasm, the addon. Skips
// what is up to date, and writes to stderr only, because npm scripts put it before their own output.
//
// The one script in JavaScript: it runs before there is a TypeScript compiler.

import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const NODE_MAJOR_MIN = 20;

if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR_MIN) {
  fail(`Node ${process.versions.node} is too old: stackful needs ${NODE_MAJOR_MIN} or newer`);
}
installDependencies();
compileTypeScript();
cleanOutput(join(root, "dist", "ts"), join(root, "ts"));
await build("build-core", "buildCore", "core.wasm");
await build("build-core", "buildNet", "net.wasm");
await build("build-native", "buildNative", "the native addon");

function installDependencies() {
  const installed = modifiedMs(join(root, "node_modules", ".package-lock.json"));
  if (installed >= modifiedMs(join(root, "package-lock.json"))) return;
  const modules = join(root, "node_modules");
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    fail(
      "node_modules is a link and out of date: npm ci would empty the directory that it leads to",
    );
  }
  say("installing dependencies (npm ci)");
  const npm = process.env.npm_execpath;
  const [command, args] = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  run(command, [...args, "ci", "--no-audit", "--no-fund", "--loglevel=error"]);
}

function compileTypeScript() {
  const built = modifiedMs(join(root, "dist", ".tsbuildinfo"));
  const sources = ["ts", "scripts", "bench", "test", "examples"].map((name) => join(root, name));
  const newest = Math.max(...sources.map(newestMs), modifiedMs(join(root, "tsconfig.json")));
  if (built >= newest) return;
  say("compiling TypeScript");
  run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", root]);
  // tsc leaves its build info alone when only comments of a test changed, say.
  spawnSync(process.execPath, [
    "-e",
    "fs.utimesSync(process.argv[1], new Date(), new Date())",
    join(root, "dist", ".tsbuildinfo"),
  ]);
}

/**
 * What would be published and must not: files whose sources are gone, and the sources' //! headers,
 * which every bundler takes for licences and keeps.
 */
function cleanOutput(directory, sources) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) cleanOutput(path, join(sources, entry.name));
    else if (!existsSync(join(sources, entry.name.replace(/(\.d\.ts|\.js)$/, ".ts")))) rmSync(path);
    else if (path.endsWith(".js")) removeHeader(path);
  }
}

function removeHeader(path) {
  const text = readFileSync(path, "utf8");
  const without = text.replaceAll(/^\/\/!.*\n/gm, "");
  if (without !== text) writeFileSync(path, without);
}

async function build(script, name, what) {
  const module = await import(join(root, "dist", "scripts", `${script}.js`));
  const result = await module[name]();
  const reason = typeof result === "object" ? result?.reason : undefined;
  if (reason !== undefined) say(`${what} is not built: ${reason}`);
}

function newestMs(directory) {
  if (!existsSync(directory)) return 0;
  let newest = statSync(directory).mtimeMs;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== "node_modules" && entry.name !== "peers")
        newest = Math.max(newest, newestMs(path));
    } else if (entry.name.endsWith(".ts")) {
      newest = Math.max(newest, statSync(path).mtimeMs);
    }
  }
  return newest;
}

function modifiedMs(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) fail(`${command} ${args[0]} failed${error ? `: ${error.message}` : ""}`);
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
