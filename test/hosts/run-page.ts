//! Bundles the shared suite for browsers, and runs it in Chromium.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { build } from "vite";
import { type StaticServer, serveStatic } from "../../scripts/static-server.ts";
import type { BackendName } from "../../ts/host/backend.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { buildHostGuests } from "./guests.ts";
import type { CaseResult } from "./page.ts";

/** The backends of a page. */
export const PAGE_BACKENDS: readonly BackendName[] = ["sim", "none"];

const INDEX = `<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>`;

export class HostsPage implements AsyncDisposable {
  readonly #directory: string;
  readonly #server: StaticServer;
  readonly #browser: Browser;

  private constructor(directory: string, server: StaticServer, browser: Browser) {
    this.#directory = directory;
    this.#server = server;
    this.#browser = browser;
  }

  /** @param executablePath - of Chromium. */
  static async open(executablePath: string): Promise<HostsPage> {
    const directory = await mkdtemp(join(tmpdir(), "stackful-page-"));
    await bundle(directory);
    const { hosts, io } = await buildHostGuests();
    await writeFile(join(directory, "hosts.wasm"), hosts.wasm);
    await writeFile(join(directory, "io.wasm"), io.wasm);
    await writeFile(join(directory, "index.html"), INDEX);
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    return new HostsPage(directory, await serveStatic(directory, "/"), browser);
  }

  get version(): string {
    return this.#browser.version();
  }

  /** The whole suite on one backend, in a page of its own. */
  async run(backend: BackendName): Promise<CaseResult[]> {
    const page = await this.#browser.newPage();
    try {
      await page.goto(this.#server.url);
      await page.waitForFunction("globalThis.runHosts");
      return (await page.evaluate(`globalThis.runHosts("${backend}")`)) as CaseResult[];
    } finally {
      await page.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#server[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** The sources themselves, with what package.json gives to browsers. */
async function bundle(directory: string): Promise<void> {
  await build({
    configFile: false,
    root: packageRoot("test/hosts"),
    logLevel: "error",
    publicDir: false,
    resolve: {
      alias: [{ find: /^#platform\/(.*)$/, replacement: packageRoot("ts/$1.browser.ts") }],
    },
    build: {
      target: "es2022",
      outDir: directory,
      lib: { entry: packageRoot("test/hosts/page.ts"), formats: ["es"], fileName: () => "page.js" },
    },
  });
}
