//! The browser demo, examples/browser: built into dist/browser as static files that run from any path, or
//! served while it is being changed.
//!
//!   node dist/scripts/browser-demo.js build
//!   node dist/scripts/browser-demo.js serve [--port N]

import { existsSync, statSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { InlineConfig } from "vite";
import { packageRoot } from "../ts/package-files.ts";
import { buildExamples } from "./build-examples.ts";

const GUESTS = ["echo-server", "echo-client", "chat-server", "chat-client", "race"] as const;

function viteConfig(): InlineConfig {
  return {
    configFile: false,
    root: packageRoot("examples/browser"),
    base: "./",
    logLevel: "warn",
    cacheDir: packageRoot("dist/.vite"),
    resolve: {
      alias: [
        { find: /^stackful$/, replacement: packageRoot("dist/ts/index.js") },
        { find: /^stackful\/sim$/, replacement: packageRoot("dist/ts/sim.js") },
      ],
    },
    worker: { format: "es" },
    server: { host: "127.0.0.1", fs: { allow: [packageRoot()] } },
    build: {
      target: "es2022",
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  };
}

/** Builds the guests that are not up to date, and then the page, into `directory`. */
export async function buildBrowserDemo(directory = packageRoot("dist/browser")): Promise<void> {
  await buildGuests();
  const { build } = await import("vite");
  const config = viteConfig();
  await build({ ...config, build: { ...config.build, outDir: directory, emptyOutDir: true } });
}

async function serve(port: number): Promise<void> {
  await buildGuests();
  const { createServer } = await import("vite");
  const server = await createServer({ ...viteConfig(), server: { ...viteConfig().server, port } });
  await server.listen();
  for (const url of server.resolvedUrls?.local ?? []) process.stdout.write(`${url}\n`);
}

async function buildGuests(): Promise<void> {
  await buildExamples(GUESTS.map((name) => `browser/${name}`));
  await buildJspiGuest();
}

/** Not linked: it shows what the engine does by itself. */
async function buildJspiGuest(): Promise<void> {
  const source = packageRoot("examples/browser/guests/jspi.c");
  const file = packageRoot("dist/examples/browser/jspi.wasm");
  if (existsSync(file) && statSync(file).mtimeMs > statSync(source).mtimeMs) return;
  const { compile } = await import("../ts/link/toolchain.ts");
  const flags = ["--target=wasm32", "-nostdlib", "-Wl,--no-entry", "-O2"];
  writeFileSync(file, await compile({ sources: [source], includes: [], flags }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { port: { type: "string", default: "5173" } },
  });
  if (positionals[0] === "build") await buildBrowserDemo();
  else await serve(Number(values.port));
}
