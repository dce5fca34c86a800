//! A TypeScript program with a guest inside: it compiles embed.c, gives it an async `fetch`, starts
//! many tasks that all wait in it at once, and reads their results from a channel.
//!
//! Nothing leaves the machine: the server that the pages come from is the program's own.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type HostImports, Runtime } from "stackful";
import { build } from "stackful/link";

const PAGES = 200;
/** One page that the server does not have. */
const MISSING_PAGE = 42;
const RESPONSE_DELAY_MS = 200;
/** sizeof(struct page) in embed.c. */
const PAGE_BYTES = 16;

interface PageServer {
  readonly origin: string;
  /** The most requests that waited for their answer at the same time. */
  waitingMax(): number;
  close(): void;
}

async function openPageServer(): Promise<PageServer> {
  let waiting = 0;
  let waitingMax = 0;
  const server: Server = createServer((request, response) => {
    waitingMax = Math.max(waitingMax, ++waiting);
    setTimeout(() => {
      waiting--;
      const missing = request.url === `/page/${MISSING_PAGE}`;
      response.writeHead(missing ? 404 : 200).end(`body of ${request.url}`);
    }, RESPONSE_DELAY_MS);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    waitingMax: () => waitingMax,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The import. Guest memory may grow while a promise is pending: views are taken anew after it. */
function fetchImport(origin: string, memory: () => WebAssembly.Memory): HostImports {
  const bytesAt = (address: number, length: number): Uint8Array =>
    new Uint8Array(memory().buffer, address >>> 0, length >>> 0);
  return {
    example: {
      async fetch(path: number, pathBytes: number, body: number, bytesMax: number) {
        const url = new TextDecoder().decode(bytesAt(path, pathBytes));
        const response = await fetch(origin + url);
        const content = new Uint8Array(await response.arrayBuffer());
        if (!response.ok) return -response.status;
        const taken = content.subarray(0, bytesMax >>> 0);
        bytesAt(body, taken.length).set(taken);
        return taken.length;
      },
    },
  };
}

/** What embed.c has summed up in a page's body. */
function expectedSum(number: number): bigint {
  const body = new TextEncoder().encode(`body of /page/${number}`);
  return BigInt(body.reduce((sum, byte) => sum + byte, 0));
}

async function main(): Promise<void> {
  // This file runs as dist/examples/embed/embed.js; the C source stays where it is.
  const source = fileURLToPath(new URL("../../../examples/embed/embed.c", import.meta.url));
  console.log("compiling and linking embed.c");
  const { wasm } = await build({
    sources: [source],
    reactor: true,
    asyncImports: ["example.fetch"],
  });
  const server = await openPageServer();

  const runtime: Runtime = await Runtime.create(wasm, {
    imports: fetchImport(server.origin, () => runtime.memory),
  });
  try {
    const pages = runtime.channel({ capacity: 16, item: PAGE_BYTES });
    const startMs = performance.now();
    const tasks = Array.from({ length: PAGES }, (_, number) =>
      runtime.spawn("fetch_page", [pages.address, number], { name: `page-${number}` }),
    );
    // A channel does not know who sends on it: whoever does, closes it.
    void Promise.allSettled(tasks).then(() => pages.close());

    let found = 0;
    let wrong = 0;
    for await (const item of pages) {
      const view = new DataView((item as Uint8Array).buffer);
      const number = view.getUint32(0, true);
      const result = view.getInt32(4, true);
      if (result < 0) console.log(`page ${number}: status ${-result}`);
      else found++;
      if (result >= 0 && view.getBigUint64(8, true) !== expectedSum(number)) wrong++;
    }
    await Promise.all(tasks);

    const tookMs = Math.round(performance.now() - startMs);
    console.log(`${found} of ${PAGES} pages in ${tookMs} ms, ${wrong} of them wrong`);
    console.log(`${server.waitingMax()} tasks waited in fetch at once`);
    console.log(`one after the other: ${PAGES * RESPONSE_DELAY_MS} ms at least`);
    if (found !== PAGES - 1 || wrong !== 0) process.exitCode = 1;
  } finally {
    await runtime[Symbol.asyncDispose]();
    server.close();
  }
}

await main();
