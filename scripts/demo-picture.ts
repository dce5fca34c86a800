//! Makes docs/demo.png anew: the browser demo as it looks with ten thousand coroutines.
//!
//!   node dist/scripts/demo-picture.js [FILE]

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { findChromium, NO_CHROMIUM } from "../test/support/programs.ts";
import { packageRoot } from "../ts/package-files.ts";
import { buildBrowserDemo } from "./browser-demo.ts";
import { serveStatic } from "./static-server.ts";

const file = process.argv[2] ?? packageRoot("docs/demo.png");

const program = findChromium();
if (program === undefined) {
  throw new Error(NO_CHROMIUM);
}
const directory = await mkdtemp(join(tmpdir(), "stackful-demo-"));
await buildBrowserDemo(directory);
const server = await serveStatic(directory, "/");
const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
try {
  const viewport = { width: 1440, height: 940 };
  const page = await browser.newPage({ viewport, colorScheme: "dark" });
  await page.goto(server.url);
  await page.evaluate(() => window.stackfulDemo?.set("tasks", 10_000));
  await page.waitForFunction(() => {
    const hosts = window.stackfulDemo?.picture()?.hosts ?? [];
    return hosts.reduce((sum, { tasks }) => sum + tasks, 0) > 10_000;
  });
  const host = await page.locator(".host.server").first().boundingBox();
  if (host !== null) await page.mouse.click(host.x + host.width / 2, host.y + 90);
  await page.waitForSelector("#task h2");
  await page.mouse.move(0, 0);
  await page.evaluate(async () => {
    (document.activeElement as HTMLElement | null)?.blur();
    window.stackfulDemo?.work.clear();
    for (let frame = 0; frame < 150; frame++) await new Promise(requestAnimationFrame);
  });
  await page.screenshot({ path: file });
  process.stdout.write(`${file}: ${(await stat(file)).size} bytes\n`);
} finally {
  await browser.close();
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
}
