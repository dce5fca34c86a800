/**
 * The peer programs of bench/peers/, built when they are asked for into dist/bench-peers/. A peer
 * that cannot be built is a reason to print, not a failure: benchmarks run without the toolchains.
 */
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Program } from "./command.ts";
import type { PeerProgram } from "./scenario.ts";

export type Built = { readonly path: string } | { readonly missing: string };

const buildTimeoutMs = 10 * 60_000;

/** The root of the repository, seen from dist/bench/. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

const sources = `${root}bench/peers/`;
const output = `${root}dist/bench-peers/`;

const builders: Readonly<Record<PeerProgram, () => Promise<string>>> = {
  go: buildGo,
  tokio: buildTokio,
  c: buildC,
};
const built = new Map<PeerProgram, Promise<Built>>();

/** Builds the program once per process; the toolchains' own caches make repeats quick. */
export function peerProgram(name: PeerProgram): Promise<Built> {
  const known = built.get(name);
  if (known !== undefined) return known;
  const result = builders[name]().then(
    (path): Built => ({ path }),
    (error: Error): Built => ({ missing: lastLine(error.message) }),
  );
  built.set(name, result);
  return result;
}

async function buildGo(): Promise<string> {
  const path = `${output}go-peer`;
  await build(["go", "build", "-trimpath", "-o", path, "."], `${sources}go`);
  return path;
}

/** The ring is the addon's: io_uring without anything around it. */
async function buildC(): Promise<string> {
  const path = `${output}c-peer`;
  const names = ["main", "file-read", "file-walk", "file-write", "tcp-echo-load"];
  const files = [...names.map((name) => `${sources}c/${name}.c`), `${root}native/src/uring/ring.c`];
  const flags = ["-O2", "-Wall", "-Wextra", "-pthread", `-I${root}native/src`];
  await build(["cc", ...flags, "-o", path, ...files], root);
  return path;
}

async function buildTokio(): Promise<string> {
  const path = `${output}tokio/release/stackful-bench-tokio`;
  const cargo = ["cargo", "build", "--quiet", "--release", "--target-dir", `${output}tokio`];
  try {
    await build([...cargo, "--locked"], `${sources}tokio`);
  } catch (error) {
    if (!(await buildTokioFromDebian(cargo))) throw error;
  }
  return path;
}

/** The directory where Debian's librust-*-dev packages put their sources. */
const debianRegistry = "/usr/share/cargo/registry";

/**
 * Without the network, Debian's packages of the crates in Cargo.toml will do. Their versions differ
 * from the lock file's, so a copy without the lock file is built. False if Tokio's is not installed.
 */
async function buildTokioFromDebian(cargo: readonly string[]): Promise<boolean> {
  const crates = await readdir(debianRegistry).catch(() => []);
  if (!crates.some((crate) => /^tokio-\d/.test(crate))) return false;

  const copy = `${output}tokio-debian`;
  await rm(copy, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  await cp(`${sources}tokio`, copy, { recursive: true });
  await rm(`${copy}/Cargo.lock`);
  const registry = [
    'source.crates-io.replace-with="debian"',
    `source.debian.directory="${debianRegistry}"`,
  ];
  await build([...cargo, "--offline", ...registry.flatMap((line) => ["--config", line])], copy);
  return true;
}

async function build(argv: readonly string[], cwd: string): Promise<void> {
  const program = Program.start(argv, { timeoutMs: buildTimeoutMs, cwd });
  program.endInput();
  await program.finish();
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? text;
}
