//! The package as it is published: packed, and installed into an empty project without a network.

import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packAddons } from "../../scripts/pack-addons.ts";
import { packageRoot } from "../../ts/package-files.ts";

export interface PackedFile {
  /** Inside the package. */
  readonly path: string;
  readonly size: number;
  readonly mode: number;
}

export interface Packed {
  readonly tarball: string;
  /** Bytes of the tarball. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly PackedFile[];
}

/** A temporary directory, which is gone after `dispose`. */
export class Project implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "stackful-package-"));

  constructor() {
    this.write("package.json", JSON.stringify({ name: "project", private: true, type: "module" }));
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(this.path(name), content);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Ended {
    return ended(
      spawnSync(command, args, {
        cwd: this.root,
        encoding: "utf8",
        env: {
          ...cleanEnvironment(),
          STACKFUL_BACKEND: "",
          STACKFUL_CACHE: this.path(".stackful-cache"),
          WASI_SDK_PATH: "",
          ...env,
        },
      }),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm pack` of the checkout as it is built. */
export function pack(directory: string): Packed {
  packAddons();
  const { stdout } = npm(packageRoot(), [
    "pack",
    "--ignore-scripts",
    "--json",
    "--pack-destination",
    directory,
  ]);
  const [packed] = JSON.parse(stdout) as [Omit<Packed, "tarball"> & { filename: string }];
  return { ...packed, tarball: join(directory, packed.filename) };
}

/** Installs as for production. There is no network, and nothing in npm's cache. */
export function install(project: Project, { tarball }: Packed): void {
  npm(project.root, [
    "install",
    tarball,
    "--offline",
    "--cache",
    project.path(".npm-cache"),
    "--omit=dev",
    "--omit=optional",
    "--omit=peer",
    "--no-audit",
    "--no-fund",
  ]);
}

/** @throws {Error} with what npm printed, when it fails. */
export function npm(directory: string, args: readonly string[]): Ended {
  const script = process.env.npm_execpath;
  const [command, first] = script?.endsWith(".js") ? [process.execPath, [script]] : ["npm", []];
  const result = ended(
    spawnSync(command, [...first, ...args], {
      cwd: directory,
      encoding: "utf8",
      env: cleanEnvironment(),
    }),
  );
  if (result.status === 0) return result;
  throw new Error(`npm ${args.join(" ")} ended with ${result.status}: ${result.stderr}`);
}

/** Without what a surrounding `npm test` passes on, which would steer npm. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  return Object.fromEntries(own);
}

function ended({ error, status, stdout, stderr }: SpawnSyncReturns<string>): Ended {
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
