//! The demo in Chromium: built once for a test file, served from a path of its own.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { buildBrowserDemo } from "../../scripts/browser-demo.ts";
import { type StaticServer, serveStatic } from "../../scripts/static-server.ts";

/** Not the root of its server: links that are not relative lead nowhere. */
const PATH = "/some/where/demo/";

export interface OpenedDemo {
  readonly page: Page;
  /** Errors, warnings, and requests to anywhere else. */
  readonly problems: string[];
}

export class DemoBrowser {
  readonly directory: string;
  readonly #browser: Browser;
  readonly #server: StaticServer;

  static async start(executablePath: string): Promise<DemoBrowser> {
    const directory = await mkdtemp(join(tmpdir(), "stackful-demo-"));
    await buildBrowserDemo(directory);
    const server = await serveStatic(directory, PATH);
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    return new DemoBrowser(directory, browser, server);
  }

  private constructor(directory: string, browser: Browser, server: StaticServer) {
    this.directory = directory;
    this.#browser = browser;
    this.#server = server;
  }

  /** A page of its own, once it shows coroutines. */
  async open(
    options: BrowserContextOptions = {},
    prepare: (page: Page) => Promise<void> = async () => {},
  ): Promise<OpenedDemo> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", ({ message }) => void problems.push(message));
    page.on("console", (line) => {
      if (line.type() === "error" || line.type() === "warning") problems.push(line.text());
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!/^(data|blob):/.test(url) && !url.startsWith(this.#server.url)) problems.push(url);
    });
    await prepare(page);
    await page.goto(this.#server.url);
    await page.waitForFunction(() => window.stackfulDemo?.picture() !== undefined);
    return { page, problems };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#server[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** What the page shows, as plain values. */
export function look(page: Page) {
  return page.evaluate(() => {
    const picture = window.stackfulDemo!.picture()!;
    const { hosts, totals, errors, failure, world, seed, task } = picture;
    return {
      hosts,
      totals,
      failure,
      world,
      seed,
      task,
      tasks: hosts.reduce((sum, host) => sum + host.tasks, 0),
      errors: Array.from(errors),
    };
  });
}

/** Waits until so many coroutines, or some more, are there. */
export async function waitForTasks(page: Page, least: number, most = 1.1 * least): Promise<void> {
  await page.waitForFunction(
    ([min, max]) => {
      const hosts = window.stackfulDemo!.picture()?.hosts ?? [];
      const tasks = hosts.reduce((sum, host) => sum + host.tasks, 0);
      return tasks >= min! && tasks <= max!;
    },
    [least, most],
  );
}

/** Waits until `count` errors of that number more have been seen. */
export async function waitForErrors(page: Page, errno: number, count = 1): Promise<void> {
  const before = (await look(page)).errors[errno]!;
  await page.waitForFunction(
    ([index, least]) => window.stackfulDemo!.picture()!.errors[index!]! >= least!,
    [errno, before + count],
  );
}

/** Waits until so many more messages have arrived. */
export async function waitForMessages(page: Page, count: number): Promise<void> {
  const before = (await look(page)).totals.messages;
  await page.waitForFunction(
    (least) => window.stackfulDemo!.picture()!.totals.messages >= least,
    before + count,
  );
}

/** Moves a slider by its input, to the place nearest to a value. */
export async function slide(page: Page, name: string, value: number): Promise<void> {
  await page.evaluate(([slider, to]) => window.stackfulDemo!.set(slider as "tasks", to as number), [
    name,
    value,
  ] as const);
}
