import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { pattern } from "../conformance/guest.ts";
import { BACKENDS, type ExampleServer, received, withServer } from "./in-process.ts";

beforeAll(() => buildExamples(["tcp-proxy"]), 240_000);

type Backend = (typeof BACKENDS)[number];

/** Runs `body` with the proxy in front of a server that does `serve` with each connection. */
async function withProxy(
  backend: Backend,
  args: readonly string[],
  serve: (socket: Socket) => void,
  body: (proxy: ExampleServer, upstream: Server) => Promise<void>,
): Promise<Record<string, number>> {
  const upstream = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const to = String((upstream.address() as AddressInfo).port);
  const options = {
    backend,
    args: ["--to", to, ...args],
    grants: { connect: [`127.0.0.1:${to}`] },
  };
  try {
    return await withServer("tcp-proxy", options, (proxy) => body(proxy, upstream));
  } finally {
    upstream.close();
  }
}

/** Of a connection that was reset before its client knew of it. */
function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}

/** How the server ended the connection. */
async function ending(socket: Socket): Promise<string> {
  socket.resume();
  return new Promise((resolve) => {
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(codeOf(error)));
    socket.once("end", () => resolve("end"));
  });
}

const CONTENT = Buffer.from(pattern(1_500_001));

describe.each(BACKENDS)("the tcp-proxy example on %s", (backend) => {
  test("passes every byte both ways, and the end of one way without that of the other", async () => {
    // It answers when the client has ended, as much as came.
    const answer = (socket: Socket): void => {
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("end", () => socket.end(Buffer.concat(chunks)));
    };
    const totals = await withProxy(backend, [], answer, async ({ exchange }) => {
      const answers = await Promise.all(
        [CONTENT, CONTENT.subarray(7), Buffer.from("x")].map(exchange),
      );
      expect(answers.map((got) => got.length)).toEqual([CONTENT.length, CONTENT.length - 7, 1]);
      expect(answers[0] === CONTENT.toString("latin1")).toBe(true);
    });
    expect(totals).toEqual({ connections: 3, failed: 0, bytes: 2 * (2 * CONTENT.length - 6) });
  });

  test("goes on to take from the client what the server that has ended still reads", async () => {
    let took: Promise<string> = Promise.resolve("");
    const greet = (socket: Socket): void => {
      took = received(socket);
      socket.end("no more from me");
    };
    await withProxy(backend, [], greet, async ({ connect }) => {
      const client = await connect();
      expect(await received(client, { keep: true })).toBe("no more from me");
      client.end(CONTENT);
      expect((await took) === CONTENT.toString("latin1")).toBe(true);
      client.destroy();
    });
  });

  test("tells either side that the other broke off, not that it ended", async () => {
    const cut = (socket: Socket): void => {
      socket.once("data", () => socket.resetAndDestroy());
    };
    await withProxy(backend, [], cut, async ({ connect }) => {
      const client = await connect();
      client.write("something");
      expect(await ending(client)).toBe("ECONNRESET");
    });
    let upstreamEnding: Promise<string> = Promise.resolve("");
    const watch = (socket: Socket): void => {
      upstreamEnding = ending(socket);
      socket.write("hello");
    };
    await withProxy(backend, [], watch, async ({ connect }) => {
      const client = await connect();
      await once(client, "data");
      client.resetAndDestroy();
      expect(await upstreamEnding).toBe("ECONNRESET");
    });
  });

  test("resets a client whose server is not there", async () => {
    const totals = await withProxy(
      backend,
      [],
      () => {},
      async ({ connect }, upstream) => {
        upstream.close();
        await once(upstream, "close");
        expect(await connect().then(ending, codeOf)).toBe("ECONNRESET");
      },
    );
    expect(totals).toMatchObject({ connections: 1, failed: 1 });
  });

  test("lets go of a link on which nothing moves", async () => {
    const totals = await withProxy(
      backend,
      ["--idle-ms", "40"],
      () => {},
      async ({ connect }) => {
        expect(await ending(await connect())).toBe("ECONNRESET");
      },
    );
    expect(totals).toMatchObject({ connections: 1, failed: 1 });
  });
});
