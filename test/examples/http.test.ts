import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import { pattern } from "../conformance/guest.ts";
import { BACKENDS, type ExampleServer, received, withServer } from "./in-process.ts";

beforeAll(() => buildExamples(["http-server"]), 240_000);

const HOST = "Host: localhost\r\n";
const HELLO = `GET /hello HTTP/1.1\r\n${HOST}\r\n`;

/** The statuses of all answers; no content of this server looks like a status line. */
function statuses(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

function digestOf(body: string | Buffer): string {
  const bytes = Buffer.from(body);
  return `${bytes.length} ${crc32(bytes).toString(16).padStart(8, "0")}\n`;
}

function post(body: string, fields = `Content-Length: ${body.length}\r\n`): string {
  return `POST /digest HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
}

function chunked(text: string): string {
  return post(text, "Transfer-Encoding: chunked\r\n");
}

/** What a client of Node's gets. */
async function ask(
  server: ExampleServer,
  options: { path: string; method?: string; agent?: Agent; headers?: Record<string, string> },
  pieces: readonly (string | Buffer)[] = [],
): Promise<{ answer: IncomingMessage; content: Buffer }> {
  const asking = request({ host: "127.0.0.1", port: server.port, agent: false, ...options });
  for (const piece of pieces) asking.write(piece);
  asking.end();
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { answer, content: Buffer.concat(chunks) };
}

const SERVED: readonly { what: string; sent: string; answers: number[]; holds?: string[] }[] = [
  { what: "a request", sent: HELLO, answers: [200], holds: ["Hello, world!\n"] },
  {
    what: "pipelined requests, in order",
    sent: `${HELLO}${post("abc")}${HELLO}${chunked("3\r\nxyz\r\n0\r\n\r\n")}`.repeat(40),
    answers: Array<number>(160).fill(200),
    holds: [digestOf("abc"), digestOf("xyz")],
  },
  { what: "an empty line before a request", sent: `\r\n${HELLO}\r\n${HELLO}`, answers: [200, 200] },
  { what: "HTTP/1.0, once", sent: `GET /hello HTTP/1.0\r\n\r\n${HELLO}`, answers: [200] },
  {
    what: "HTTP/1.0 that is to stay",
    sent: `GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n${HELLO}`,
    answers: [200, 200],
    holds: ["Connection: keep-alive\r\n"],
  },
  {
    what: "nothing behind Connection: close",
    sent: `GET /hello HTTP/1.1\r\n${HOST}Connection: foo, close\r\n\r\n${HELLO}`,
    answers: [200],
    holds: ["Connection: close\r\n"],
  },
  { what: "an absolute target", sent: HELLO.replace("/hello", "http://a.b/hello"), answers: [200] },
  { what: "a query", sent: HELLO.replace("/hello", "/hello?a=/b"), answers: [200] },
  { what: "no such path", sent: HELLO.replace("/hello", "/helloo") + HELLO, answers: [404, 200] },
  {
    what: "the wrong method",
    sent: `${post("").replace("/digest", "/hello")}${HELLO.replace("/hello", "/digest")}`,
    answers: [405, 405],
    holds: ["Allow: GET, HEAD\r\n", "Allow: POST\r\n"],
  },
  { what: "no known method", sent: HELLO.replace("GET", "BREW") + HELLO, answers: [501, 200] },
  {
    what: "a body that no route reads",
    sent: post("x".repeat(9000)).replace("/digest", "/hello") + HELLO,
    answers: [405, 200],
  },
  {
    what: "an empty body",
    sent: post("") + chunked("0\r\n\r\n"),
    answers: [200, 200],
    holds: [digestOf("")],
  },
  {
    what: "chunks with extensions and trailers",
    sent: `${chunked("A ;a=b;c\r\n0123456789\r\n0002\r\nab\r\n000\r\nX-Sum: 1\r\nY: 2\r\n\r\n")}${HELLO}`,
    answers: [200, 200],
    holds: [digestOf("0123456789ab")],
  },
  {
    what: "no body behind a 417",
    sent: HELLO.replace(HOST, `${HOST}Expect: tea\r\n`) + HELLO,
    answers: [417],
  },
];

const fieldsOf = (count: number): string => "X: y\r\n".repeat(count);

const REFUSED: readonly { what: string; sent: string; status: number }[] = [
  { what: "no request at all", sent: "hello\r\n\r\n", status: 400 },
  { what: "binary rubbish", sent: "\x16\x03\x01\x02\x00\x01\n\n\n", status: 400 },
  { what: "a line that ends in LF alone", sent: "GET /hello HTTP/1.1\nHost: a\n\n", status: 400 },
  { what: "a stream that ends in the head", sent: "GET /hello HTTP/1.1\r\nHo", status: 400 },
  { what: "a stream that ends in the body", sent: post("abc").slice(0, -1), status: 400 },
  { what: "a stream that ends in a chunk", sent: chunked("5\r\nabc"), status: 400 },
  { what: "another protocol", sent: HELLO.replace("HTTP/1.1", "HTTQ/1.1"), status: 400 },
  { what: "a version that there is not", sent: HELLO.replace("HTTP/1.1", "HTTP/2.0"), status: 505 },
  { what: "no version", sent: "GET /hello\r\n\r\n", status: 400 },
  { what: "two spaces", sent: HELLO.replace("GET ", "GET  "), status: 400 },
  { what: "a space in the target", sent: HELLO.replace("/hello", "/he llo"), status: 400 },
  {
    what: "a control character in the target",
    sent: HELLO.replace("/hello", "/he\x01"),
    status: 400,
  },
  { what: "a target that is no path", sent: HELLO.replace("/hello", "hello"), status: 400 },
  { what: "a method that is no token", sent: HELLO.replace("GET", "G(T"), status: 400 },
  { what: "no host", sent: HELLO.replace(HOST, ""), status: 400 },
  { what: "two hosts", sent: HELLO.replace(HOST, HOST + HOST), status: 400 },
  { what: "a field without a colon", sent: HELLO.replace(HOST, `${HOST}Foo\r\n`), status: 400 },
  { what: "a space before the colon", sent: HELLO.replace("Host:", "Host :"), status: 400 },
  {
    what: "a field over two lines",
    sent: HELLO.replace(HOST, `${HOST}X: a\r\n b\r\n`),
    status: 400,
  },
  { what: "a zero byte in a field", sent: HELLO.replace(HOST, `${HOST}X: a\0b\r\n`), status: 400 },
  { what: "CR alone in a field", sent: HELLO.replace(HOST, `${HOST}X: a\rb\r\n`), status: 400 },
  {
    what: "two lengths",
    sent: post("abc", "Content-Length: 3\r\nContent-Length: 3\r\n"),
    status: 400,
  },
  { what: "a list of lengths", sent: post("abc", "Content-Length: 3, 3\r\n"), status: 400 },
  { what: "a negative length", sent: post("abc", "Content-Length: -3\r\n"), status: 400 },
  { what: "a length with a sign", sent: post("abc", "Content-Length: +3\r\n"), status: 400 },
  { what: "a hexadecimal length", sent: post("abc", "Content-Length: 0x3\r\n"), status: 400 },
  { what: "an empty length", sent: post("abc", "Content-Length:\r\n"), status: 400 },
  {
    what: "a length of 2 ** 64 and more",
    sent: post("", "Content-Length: 18446744073709551617\r\n"),
    status: 413,
  },
  { what: "a body over the limit", sent: post("", "Content-Length: 16777217\r\n"), status: 413 },
  {
    what: "a length and chunks",
    sent: post("0\r\n\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    status: 400,
  },
  {
    what: "chunks twice",
    sent: post("0\r\n\r\n", "Transfer-Encoding: chunked, chunked\r\n"),
    status: 400,
  },
  {
    what: "chunks named twice",
    sent: post("0\r\n\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    status: 400,
  },
  {
    what: "an encoding nobody knows",
    sent: post("0\r\n\r\n", "Transfer-Encoding: gzip, chunked\r\n"),
    status: 501,
  },
  { what: "no encoding", sent: post("0\r\n\r\n", "Transfer-Encoding: \r\n"), status: 400 },
  {
    what: "chunks in HTTP/1.0",
    sent: chunked("0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0"),
    status: 400,
  },
  { what: "a chunk without a size", sent: chunked("\r\nabc\r\n0\r\n\r\n"), status: 400 },
  { what: "a chunk size that is no number", sent: chunked("3x\r\nabc\r\n0\r\n\r\n"), status: 400 },
  { what: "a negative chunk size", sent: chunked("-3\r\nabc\r\n0\r\n\r\n"), status: 400 },
  {
    what: "a chunk size of 16 digits",
    sent: chunked("8000000000000003\r\nabc\r\n0\r\n\r\n"),
    status: 413,
  },
  { what: "a chunk size over the limit", sent: chunked("1000001\r\n"), status: 413 },
  {
    what: "a chunk that is longer than its size",
    sent: chunked("3\r\nabcd\r\n0\r\n\r\n"),
    status: 400,
  },
  { what: "a chunk line that ends in LF alone", sent: chunked("3\nabc\r\n0\r\n\r\n"), status: 400 },
  { what: "a chunk line without an end", sent: chunked(`3;${"x".repeat(3000)}`), status: 400 },
  { what: "a trailer that is no field", sent: chunked("0\r\nnonsense\r\n\r\n"), status: 400 },
  { what: "endless trailers", sent: chunked(`0\r\n${fieldsOf(101)}\r\n`), status: 431 },
  { what: "too many fields", sent: HELLO.replace(HOST, HOST + fieldsOf(100)), status: 431 },
  {
    what: "fields that are too large",
    sent: HELLO.replace(HOST, `${HOST}X: ${"y".repeat(9000)}\r\n`),
    status: 431,
  },
  {
    what: "a target that is too long",
    sent: HELLO.replace("/hello", `/${"x".repeat(9000)}`),
    status: 414,
  },
];

describe.each(BACKENDS)("the http-server example on %s", (backend) => {
  test("answers what it should, whatever comes before and after", async () => {
    const totals = await withServer("http-server", { backend }, async ({ exchange }) => {
      for (const { what, sent, answers, holds = [] } of SERVED) {
        const got = await exchange(Buffer.from(sent, "latin1"));
        expect(statuses(got), what).toEqual(answers);
        for (const text of holds) expect(got, what).toContain(text);
      }
    });
    expect(totals.connections).toBe(SERVED.length);
  });

  test("refuses what HTTP does not allow, says nothing more to it, and serves on", async () => {
    const totals = await withServer("http-server", { backend }, async ({ exchange }) => {
      for (const { what, sent, status } of REFUSED) {
        const got = await exchange(Buffer.from(HELLO + sent, "latin1"));
        expect(statuses(got), what).toEqual([200, status]);
        expect(got, what).toContain("Connection: close\r\n");
      }
      expect(statuses(await exchange(HELLO))).toEqual([200]);
    });
    expect(totals.refused).toBe(REFUSED.length);
  });

  test("reads the same in whatever pieces it comes", async () => {
    await withServer("http-server", { backend }, async ({ connect }) => {
      const sent = Buffer.from(
        `${post("a body")}${chunked("4;x\r\nchun\r\n3\r\nked\r\n0\r\nT: x\r\n\r\n")}${HELLO}`,
      );
      for (const size of [1, 7, 64]) {
        const socket = await connect();
        const answers = received(socket);
        for (let at = 0; at < sent.length; at += size) {
          socket.write(sent.subarray(at, at + size));
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket.end();
        expect(statuses(await answers)).toEqual([200, 200, 200]);
        expect(await answers).toContain(digestOf("chunked"));
      }
    });
  });

  test("answers rubbish with a refusal or not at all, and serves on", async () => {
    const valid = `${HELLO}${post("abc")}${chunked("3\r\nxyz\r\n0\r\n\r\n")}${HELLO}`;
    const known = new Set([200, 400, 404, 405, 413, 414, 417, 431, 501, 505]);
    const change = fc.record({
      at: fc.nat(valid.length - 1),
      remove: fc.nat(8),
      insert: fc.oneof(
        fc.string({ unit: "binary-ascii", maxLength: 8 }),
        fc.constantFrom("\r\n", "\n", "\0", ":", " "),
      ),
    });
    await withServer("http-server", { backend }, async ({ exchange }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          let sent = valid;
          for (const { at, remove, insert } of changes)
            sent = sent.slice(0, at) + insert + sent.slice(at + remove);
          const got = statuses(await exchange(Buffer.from(sent, "latin1")));
          expect(got.filter((status) => !known.has(status))).toEqual([]);
        }),
        { numRuns: 150 },
      );
      expect(statuses(await exchange(HELLO))).toEqual([200]);
    });
  });

  test("keeps a client's connection, and takes bodies of megabytes", async () => {
    await withServer("http-server", { backend }, async (server) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const body = Buffer.from(pattern(3_000_001));
      const path = "/digest";
      const pieces = [body.subarray(0, 10), body.subarray(10, 2_000_000), body.subarray(2_000_000)];
      const inChunks = await ask(server, { path, method: "POST", agent }, pieces);
      expect(inChunks.content.toString()).toBe(digestOf(body));
      const headers = { "Content-Length": `${body.length}` };
      const whole = await ask(server, { path, method: "POST", agent, headers }, [body]);
      expect(whole.content.toString()).toBe(digestOf(body));
      const head = await ask(server, { path: "/hello", method: "HEAD", agent });
      expect(head.answer.headers["content-length"]).toBe("14");
      expect(head.content.length).toBe(0);
      expect(Math.abs(Date.parse(head.answer.headers.date!) - Date.now())).toBeLessThan(600_000);
      agent.destroy();
    }).then(({ connections }) => expect(connections).toBe(1));
  });

  test("asks for a body that waits to be asked for, if a route wants it", async () => {
    await withServer("http-server", { backend }, async (server) => {
      const socket = await server.connect();
      const waiting = post("", "Content-Length: 3\r\nExpect: 100-continue\r\n");
      socket.write(waiting);
      const [go] = (await once(socket, "data")) as [Buffer];
      expect(go.toString()).toBe("HTTP/1.1 100 Continue\r\n\r\n");
      socket.end("abc");
      expect(await received(socket)).toContain(digestOf("abc"));
      const unwanted = await server.exchange(waiting.replace("/digest", "/nowhere"));
      expect(statuses(unwanted)).toEqual([404]);
      expect(unwanted).toContain("Connection: close\r\n");
    });
  });

  test("ends a connection that is silent: in a head and in a body with 408, idle without a word", async () => {
    const short = "40";
    const partial = post("abc").slice(0, -1);
    const cases = [
      { option: "--head-ms", sent: `${HELLO}GET /hel`, answers: [[200, 408]] },
      { option: "--silence-ms", sent: partial, answers: [[408]] },
      // It may have been idle for as long before the request came.
      { option: "--idle-ms", sent: HELLO, answers: [[200], []] },
    ];
    for (const { option, sent, answers } of cases) {
      await withServer("http-server", { backend, args: [option, short] }, async ({ connect }) => {
        const socket = await connect();
        socket.write(sent);
        expect(answers, option).toContainEqual(statuses(await received(socket)));
      });
    }
  });
});

describe.each(BACKENDS)("files of the http-server example on %s", (backend) => {
  async function withFiles(
    args: readonly string[],
    body: (server: ExampleServer, content: Buffer) => Promise<void>,
  ): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), "stackful-http-"));
    const content = Buffer.from(pattern(5_000_003));
    try {
      await mkdir(join(directory, "public/sub"), { recursive: true });
      await writeFile(join(directory, "secret"), "hidden");
      await writeFile(join(directory, "public/big.bin"), content);
      await writeFile(join(directory, "public/sub/a b.txt"), "text");
      await writeFile(join(directory, "public/empty.html"), "");
      await symlink("../secret", join(directory, "public/link"));
      const directories = [{ host: join(directory, "public"), guest: "/www", readOnly: true }];
      const options = { backend, args: ["--root", "/www", ...args], grants: { directories } };
      await withServer("http-server", options, (server) => body(server, content));
    } finally {
      await rm(directory, { recursive: true });
    }
  }

  test("come whole, with their type and length, one after the other", () =>
    withFiles([], async (server, content) => {
      const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let turn = 0; turn < 3; turn++) {
        const big = await ask(server, { path: "/files/big.bin", agent });
        expect(big.answer.headers["content-type"]).toBe("application/octet-stream");
        expect(hash(big.content)).toBe(hash(content));
        const small = await ask(server, { path: "/files/sub/a%20b.txt?x", agent });
        expect(small.answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
        expect(small.content.toString()).toBe("text");
        const empty = await ask(server, { path: "/files/empty.html", agent });
        expect([empty.answer.statusCode, empty.content.length]).toEqual([200, 0]);
        const head = await ask(server, { path: "/files/big.bin", method: "HEAD", agent });
        expect(head.answer.headers["content-length"]).toBe(`${content.length}`);
      }
      agent.destroy();
    }));

  test("come from their directory alone", () =>
    withFiles([], async ({ exchange }) => {
      const paths = [
        "../secret",
        "%2e%2e/secret",
        "sub/../../secret",
        "link",
        "/etc/passwd",
        "%2fetc/passwd",
      ];
      for (const path of paths) {
        const got = await exchange(HELLO.replace("/hello", `/files/${path}`) + HELLO);
        expect(got, path).toMatch(/^HTTP\/1\.1 40[34] /);
        expect(got, path).not.toContain("hidden");
        expect(statuses(got)[1], path).toBe(200);
      }
      const others = {
        "": 404,
        sub: 404,
        "sub/": 404,
        none: 404,
        "%00": 400,
        "a%4": 400,
        "%zz": 400,
      };
      for (const [path, status] of Object.entries(others))
        expect(statuses(await exchange(HELLO.replace("/hello", `/files/${path}`))), path).toEqual([
          status,
        ]);
    }));

  test("are not sent for ever to a peer that does not read, and others get theirs meanwhile", () =>
    withFiles(["--silence-ms", "40"], async (server) => {
      const deaf = await server.connect();
      deaf.pause();
      deaf.write(HELLO.replace("/hello", "/files/big.bin").repeat(20));
      expect((await ask(server, { path: "/hello" })).answer.statusCode).toBe(200);
      // The server lets go of the deaf one: withServer waits for that.
      deaf.on("error", () => {});
      await expect.poll(() => server.runtime.tasks().length, { timeout: 20_000 }).toBe(1);
      deaf.destroy();
    }));
});
