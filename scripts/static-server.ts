//! Serves a directory below a path, as any static host would: for tests of the page, and its picture.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

export interface StaticServer extends AsyncDisposable {
  /** With the path. */
  readonly url: string;
}

/** @param path - begins and ends with a slash: nothing is served outside of it. */
export async function serveStatic(directory: string, path: string): Promise<StaticServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://localhost");
    const name = normalize(pathname.slice(path.length) || "index.html");
    const inside = pathname.startsWith(path) && !name.startsWith(`..${sep}`);
    (inside ? readFile(join(directory, name)) : Promise.reject(new Error("outside"))).then(
      (content) => {
        const type = TYPES[extname(name)] ?? "application/octet-stream";
        response.writeHead(200, { "content-type": type }).end(content);
      },
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
