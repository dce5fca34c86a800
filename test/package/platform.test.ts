//! A file X.browser.ts stands in for X.ts in browsers: `imports` in package.json chooses.

import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import * as startThread from "../../ts/executors/start-thread.browser.ts";
import * as candidates from "../../ts/host/candidates.browser.ts";
import { packageRoot } from "../../ts/package-files.ts";
import * as blockingThread from "../../ts/runtime/blocking-thread.browser.ts";
import * as loadSource from "../../ts/runtime/load-source.browser.ts";
import { programName } from "../../ts/runtime/module-source.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import * as nodeWasi from "../../ts/wasi/node-wasi.browser.ts";

/** The compiler takes each for the file that it replaces. */
const TWINS: {
  "executors/start-thread": typeof import("../../ts/executors/start-thread.ts");
  "host/candidates": typeof import("../../ts/host/candidates.ts");
  "runtime/blocking-thread": typeof import("../../ts/runtime/blocking-thread.ts");
  "runtime/load-source": typeof import("../../ts/runtime/load-source.ts");
  "wasi/node-wasi": typeof import("../../ts/wasi/node-wasi.ts");
} = {
  "executors/start-thread": startThread,
  "host/candidates": candidates,
  "runtime/blocking-thread": blockingThread,
  "runtime/load-source": loadSource,
  "wasi/node-wasi": nodeWasi,
};

const sources = readdirSync(packageRoot("ts"), { recursive: true, encoding: "utf8" });
const text = (file: string): string => readFileSync(packageRoot(join("ts", file)), "utf8");

describe("files for browsers", () => {
  test("each has the interface of the file that it replaces", () => {
    const files = sources.filter((file) => file.endsWith(".browser.ts"));
    expect(files.map((file) => file.slice(0, -".browser.ts".length)).sort()).toEqual(
      Object.keys(TWINS).sort(),
    );
  });

  test("who needs a file that is replaced asks for it by its #platform name", () => {
    for (const file of sources.filter((name) => name.endsWith(".ts"))) {
      for (const [, from] of text(file).matchAll(/^import (?!type)[^;]*?from "([^"]+)";/gm)) {
        for (const twin of Object.keys(TWINS)) {
          const direct = from!.startsWith(".") && join(file, "..", from!) === `${twin}.ts`;
          expect(direct, `ts/${file} imports ${from}`).toBe(false);
        }
      }
    }
  });
});

const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** What the server has. */
const FILES: Readonly<Record<string, readonly [type: string, content: string | Uint8Array]>> = {
  "/guest.wasm": ["application/wasm", EMPTY_MODULE],
  "/guest.bin": ["application/octet-stream", EMPTY_MODULE],
  "/page.wasm": ["application/wasm", "<!doctype html>"],
  "/page": ["text/html", "<!doctype html>"],
};

describe("a module in a browser", () => {
  const { loadSource: load } = loadSource;
  const server = createServer(({ url }, response) => {
    const [type, content] = FILES[url!] ?? [];
    if (type === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": type }).end(content);
  });
  let origin: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test.each([
    ["while it arrives where the server says that it is one", "/guest.wasm", 1],
    ["as a whole where the server calls it something else", "/guest.bin", 0],
  ])("is compiled %s", async (_title, path, streamed) => {
    const streaming = vi.spyOn(WebAssembly, "compileStreaming");
    expect(await load(origin + path, [])).toBeInstanceOf(WebAssembly.Module);
    expect(await load(new URL(path, origin), [])).toBeInstanceOf(WebAssembly.Module);
    expect(streaming).toHaveBeenCalledTimes(2 * streamed);
  });

  test("is compiled from its bytes without the network", async () => {
    const fetching = vi.spyOn(globalThis, "fetch");
    expect(await load(EMPTY_MODULE, [])).toBeInstanceOf(WebAssembly.Module);
    expect(await load(EMPTY_MODULE.buffer, [])).toBeInstanceOf(WebAssembly.Module);
    expect(fetching).not.toHaveBeenCalled();
  });

  test("that the server does not have is SF_MODULE with its status", async () => {
    await expect(load(`${origin}/gone.wasm`, [])).rejects.toMatchObject({
      code: "SF_MODULE",
      message: `loading ${origin}/gone.wasm: the server answered 404 Not Found`,
    });
  });

  test("that nobody serves is SF_MODULE with its URL", async () => {
    await expect(load("http://127.0.0.1:0/guest.wasm", [])).rejects.toMatchObject({
      code: "SF_MODULE",
      message: expect.stringContaining("loading http://127.0.0.1:0/guest.wasm: "),
    });
  });

  test.each(["/page.wasm", "/page"])("that is none is SF_MODULE (%s)", async (path) => {
    await expect(load(origin + path, [])).rejects.toMatchObject({ code: "SF_MODULE" });
  });

  test("that has not been linked is SF_MODULE, and says to link it when building", async () => {
    const module = await load(`${origin}/guest.wasm`, []);
    await expect(Runtime.create(module)).rejects.toMatchObject({
      code: "SF_MODULE",
      message: expect.stringMatching(/has not been linked.*stackful link/),
    });
  });
});

test("a guest is called after its file, without what else stands in a URL", () => {
  expect(programName("/srv/server.wasm")).toBe("server.wasm");
  expect(programName(new URL("https://example.org/a/server.wasm?v=2#top"))).toBe("server.wasm");
  expect(programName("data:application/wasm;base64,AGFz/bQ")).toBe("guest");
  expect(programName(new URL("blob:https://example.org/1-2"))).toBe("guest");
  expect(programName(new Uint8Array())).toBe("guest");
});
