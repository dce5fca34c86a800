//! The installed package in a page that Vite bundles, and in a browser where there is one.

import { gzipSync } from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import { build, createLogger, createServer, type LogErrorOptions, preview } from "vite";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { findChromium, NO_CHROMIUM } from "../support/programs.ts";
import { install, Project, pack } from "./packed.ts";

/** Minified and compressed: both have the runtime and the simulated world. */
const SCRIPT_BYTES_MAX = { index: 68_000, worker: 68_000 };

const FILES: Readonly<Record<string, string>> = {
  "index.html": `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`,
  "page.js": `
import { Runtime } from "stackful";
import guest from "./guest.wasm?url";
import raw from "./raw.wasm?url";

const square = async (value) => value * value;
const lines = [];
const options = { imports: { env: { square } }, onOutput: (stream, line) => lines.push(line) };

async function inPage() {
  const runtime = await Runtime.create(guest, options);
  const sum = await runtime.spawn("sum_of_squares", [100]);
  const channel = runtime.channel({ item: "i32", capacity: 2 });
  await channel.send(41);
  const received = await channel.receive();
  const echo = await runtime.spawn("echo");
  await runtime.spawn("lose_a_task");
  const code = await runtime.run();
  const { backend, tasksLive } = runtime.stats;
  await runtime[Symbol.asyncDispose]();
  return { sum, received, echo, code, lines, backend, tasksLive };
}

function inWorker() {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
  });
}

const unlinked = () => Runtime.create(raw).then(() => "runs", (error) => error.code + error.message);

globalThis.found = Promise.all([inPage(), inWorker(), unlinked()]);
`,
  "worker.js": `
import { Runtime } from "stackful";
import { World } from "stackful/sim";

async function inWorld() {
  const world = new World({ seed: 7 });
  const runtime = await Runtime.create(new URL("./guest.wasm", import.meta.url), {
    backend: world.host("page"),
    imports: { env: { square: async (value) => value * value } },
    grants: { listen: ["*"], connect: ["*"] },
    onOutput: () => {},
  });
  const sum = await runtime.spawn("sum_of_squares", [10]);
  const echo = await runtime.spawn("echo");
  const code = await runtime.run();
  const { backend } = runtime.stats;
  await world[Symbol.asyncDispose]();
  return { sum, echo, code, backend };
}

inWorld().then(postMessage, (error) => postMessage(String(error)));
`,
};

const guest = guestOfFile("packed", { command: true, asyncImports: ["env.square"] });
const said: string[] = [];
const logger = createLogger("silent");
logger.warn = logger.warnOnce = (text: string) => void said.push(text);
logger.error = (text: string, _options?: LogErrorOptions) => void said.push(text);

let project: Project;
let scripts: { readonly name: string; readonly code: string }[];
beforeAll(async () => {
  project = new Project();
  install(project, pack(project.root));
  const { wasm, raw } = await guest();
  for (const [name, content] of Object.entries(FILES)) project.write(name, content);
  project.write("guest.wasm", wasm);
  project.write("raw.wasm", raw);
  // Vite takes vitest's own "test" for a development build, of which it says less.
  vi.stubEnv("NODE_ENV", "production");
  const built = await build(inProject());
  vi.unstubAllEnvs();
  if (!("output" in built)) throw new Error("Vite made several bundles, or none");
  scripts = built.output.flatMap((file) =>
    file.fileName.endsWith(".js")
      ? [{ name: file.fileName, code: "code" in file ? file.code : String(file.source) }]
      : [],
  );
});
afterAll(() => project[Symbol.dispose]());

function inProject() {
  // No warning for a machine that is busy with something else.
  const rolldownOptions = { checks: { bundlerTimings: false } };
  return {
    root: project.root,
    configFile: false,
    logLevel: "warn",
    customLogger: logger,
    build: { target: "es2022", rolldownOptions },
    worker: { rolldownOptions },
  } as const;
}

describe("a bundle for browsers", () => {
  test("is made without a warning", () => {
    expect(said).toEqual([]);
  });

  test("is one script for the page and one for its worker: nothing is loaded later", () => {
    const names = scripts.map(({ name }) => name.replace(/-[\w-]+\.js$/, ""));
    expect(names.sort()).toEqual(["assets/index", "assets/worker"]);
  });

  test("has nothing of Node and nothing of the linker", () => {
    for (const { code } of scripts) {
      expect(code).not.toMatch(/["'`]node:|__vite-browser-external|binaryen|yowasp|stackful\.node/);
    }
  });

  test("is small", () => {
    for (const [name, bytesMax] of Object.entries(SCRIPT_BYTES_MAX)) {
      const script = scripts.find((file) => file.name.includes(name))!;
      const bytes = gzipSync(script.code, { level: 9 }).length;
      expect(bytes).toBeGreaterThan(10_000); // The runtime is in it.
      expect(bytes, name).toBeLessThan(bytesMax);
    }
  });
});

const program = findChromium();

describe("in Chromium", () => {
  if (program === undefined) {
    test.skip(`runs a guest [skipped: ${NO_CHROMIUM}]`);
    return;
  }
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
  });
  afterAll(() => browser.close());

  const servers = {
    "as it was bundled": () => preview({ ...inProject(), preview: { host: "127.0.0.1", port: 0 } }),
    "as Vite's development server gives it": async () => {
      const server = await createServer({
        ...inProject(),
        server: { host: "127.0.0.1", port: 0 },
        // What it only finds in the worker would have it load the page again.
        optimizeDeps: { include: ["stackful", "stackful/sim"] },
      });
      return server.listen();
    },
  };

  test.each(Object.entries(servers))(
    "a page %s runs a guest, and so does its worker",
    async (_how, serve) => {
      const server = await serve();
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on("pageerror", ({ message }) => void problems.push(message));
      page.on("console", (line) => {
        if (line.type() === "error" || line.type() === "warning") problems.push(line.text());
      });
      try {
        await page.goto(server.resolvedUrls!.local[0]!);
        await page.waitForFunction("globalThis.found");
        const [inPage, inWorker, unlinked] = (await page.evaluate("globalThis.found")) as unknown[];
        expect(inPage).toEqual({
          sum: 328_350,
          received: 41,
          echo: -ERRNO.ENOTCAPABLE,
          code: 0,
          lines: [expect.stringMatching(/^guest.*\.wasm says 1$/)],
          backend: "sim",
          tasksLive: 0,
        });
        expect(inWorker).toEqual({ sum: 285, echo: 43, code: 0, backend: "sim" });
        expect(unlinked).toMatch(/^SF_MODULE.*raw.*has not been linked.*stackful link/);
        expect(problems).toEqual([expect.stringMatching(/^StackfulError: .*"lost"/)]);
        expect(said).toEqual([]);
      } finally {
        await page.close();
        await server.close();
      }
    },
  );
});
