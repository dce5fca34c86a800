//! The resolver over the loopback interface, on every backend of this machine: real sockets, and a name
//! server of the test's own. What needs time or losses is in test/sim/dns.test.ts.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import type { BackendName } from "../../ts/host/backend.ts";
import { openBackend } from "../../ts/host/open-backend.ts";
import type { RuntimeDnsGrant } from "../../ts/runtime/options.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";
import { guestOfFile } from "../support/guest-of-file.ts";
import { unavailable } from "../support/unavailable.ts";
import { answerTo, QTYPE, type Query, Responder, wireName } from "./responder.ts";

const load = guestOfFile("names", { command: true });
let module: WebAssembly.Module;
beforeAll(async () => {
  module = await WebAssembly.compile((await load()).wasm);
});

const LOOPBACK = [127, 0, 0, 1];

/** Of both families, unless the name says something else. */
function respond(query: Query): Uint8Array[] {
  const { name, type, transport } = query;
  const address = { type: QTYPE.A, data: LOOPBACK };
  const records = type === QTYPE.A ? [address] : [];
  switch (name) {
    case "web.test":
      return [answerTo(query, records)];
    case "both.test":
      if (type === QTYPE.A) return [answerTo(query, records)];
      return [answerTo(query, [{ type: QTYPE.AAAA, data: [...Array(15).fill(0), 1] }])];
    case "alias.test": {
      const alias = { type: QTYPE.CNAME, data: wireName("web.test") };
      const target = records.map((record) => ({ ...record, owner: "WEB.test" }));
      return [answerTo(query, [alias, ...target])];
    }
    case "large.test": {
      const many = Array.from({ length: 40 }, (_, index) => ({ type, data: [10, 0, 0, index] }));
      if (transport === "datagram") return [answerTo(query, [], { truncated: true })];
      return [answerTo(query, type === QTYPE.A ? many : [])];
    }
    case "spoofed.test": {
      const evil = [{ type, data: type === QTYPE.A ? [6, 6, 6, 6] : Array(16).fill(6) }];
      const id = ((query.bytes[0]! * 256 + query.bytes[1]!) ^ 1) & 0xffff;
      return [
        answerTo(query, evil, { id }),
        answerTo({ ...query, name: "other.test" }, evil),
        answerTo({ ...query, type: QTYPE.PTR }, evil),
        query.bytes,
        new Uint8Array(0),
        answerTo(query, records),
      ];
    }
    case "failing.test":
      return [answerTo(query, [], { rcode: 2 })];
    case "1.0.0.127.in-addr.arpa":
      return [answerTo(query, [{ type: QTYPE.PTR, data: wireName("web.test") }])];
    default:
      return [answerTo(query, [], { rcode: 3 })];
  }
}

async function run(
  backend: BackendName,
  commands: readonly string[],
  dns: RuntimeDnsGrant,
): Promise<string[]> {
  const lines: string[] = [];
  const runtime = await Runtime.create(module, {
    backend,
    args: commands,
    grants: { dns: { configuration: "", hosts: "", ...dns }, connect: ["localhost:*"] },
    onOutput: (_stream, line) => lines.push(line),
  });
  try {
    await runtime.run();
    return lines;
  } finally {
    await runtime[Symbol.asyncDispose]();
  }
}

const BACKENDS: readonly BackendName[] = ["uring", "epoll", "poll", "node"];

for (const backend of BACKENDS) {
  const reason = await unavailable(
    async (options) => (await openBackend(backend, options)).backend,
  );
  describe(`${backend} backend${reason === undefined ? "" : ` [skipped: ${reason}]`}`, () => {
    const law = reason === undefined ? test : test.skip;

    law("resolves names, aliases, addresses, and what there is none of", async () => {
      await using server = await Responder.start(respond);
      const commands = ["web.test", "alias.test/4", "web.test/6", "nobody.test", "web.test"];
      const lines = await run(
        backend,
        [...commands.flatMap((name) => ["resolve", name]), "reverse", "127.0.0.1"],
        { servers: [`127.0.0.1:${server.port}`] },
      );
      expect(lines).toEqual([
        "web.test: 127.0.0.1",
        "alias.test: 127.0.0.1",
        `web.test: error ${ERRNO.ENOENT}`,
        `nobody.test: error ${ERRNO.ENOENT}`,
        "web.test: 127.0.0.1",
        "127.0.0.1: web.test",
      ]);
      // What was asked once is known.
      expect(server.queries.filter(({ name }) => name === "web.test")).toHaveLength(3);
    });

    law("asks over a connection what does not fit a datagram", async () => {
      await using server = await Responder.start(respond);
      const lines = await run(backend, ["resolve", "large.test/4"], {
        servers: [`127.0.0.1:${server.port}`],
      });
      const kept = Array.from({ length: 16 }, (_, index) => `10.0.0.${index}`);
      expect(lines).toEqual([`large.test: ${kept.join(" ")}`]);
      expect(server.queries.map(({ transport }) => transport)).toEqual(["datagram", "connection"]);
    });

    law("believes no answer but that of its server to its question", async () => {
      const stranger = createSocket("udp4");
      await using server = await Responder.start(async (query) => {
        const evil = answerTo(query, [{ type: query.type, data: [6, 6, 6, 6] }]);
        // It has left before the right answer does.
        await new Promise((sent) => stranger.send(evil, query.source, "127.0.0.1", sent));
        return respond(query);
      });
      const lines = await run(backend, ["resolve", "spoofed.test/4"], {
        servers: [`127.0.0.1:${server.port}`],
      });
      stranger.close();
      expect(lines).toEqual(["spoofed.test: 127.0.0.1"]);
    });

    law(
      "asks the next server when one cannot tell, and takes another id and port each time",
      async () => {
        await using broken = await Responder.start((query) => [answerTo(query, [], { rcode: 2 })]);
        await using server = await Responder.start(respond);
        const servers = [broken, server].map(({ port }) => `127.0.0.1:${port}`);
        const names = Array.from({ length: 8 }, (_, index) => [
          "resolve",
          `n${index}.test/4`,
        ]).flat();
        const lines = await run(
          backend,
          ["resolve", "web.test/4", "resolve", "failing.test/4", ...names],
          {
            servers,
          },
        );
        expect(lines[0]).toBe("web.test: 127.0.0.1");
        expect(lines[1]).toBe(`failing.test: error ${ERRNO.EIO}`);
        const asked = [...broken.queries, ...server.queries];
        expect(new Set(asked.map(({ source }) => source)).size).toBeGreaterThan(asked.length / 2);
        const ids = asked.map(({ bytes }) => bytes[0]! * 256 + bytes[1]!);
        expect(new Set(ids).size).toBeGreaterThan(asked.length / 2);
      },
    );

    law(
      "connects to a name by the address that answers, and asks the host's resolver",
      async () => {
        await using server = await Responder.start(respond);
        const listener = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
        await once(listener, "listening");
        const { port } = listener.address() as AddressInfo;
        const lines = await run(
          backend,
          [
            "connect",
            `both.test/${port}`,
            "connect",
            `nobody.test/${port}`,
            "lookup",
            "localhost/4",
          ],
          { servers: [`127.0.0.1:${server.port}`] },
        );
        listener.close();
        expect(lines[0]).toMatch(new RegExp(`^connect both\\.test: 127\\.0\\.0\\.1/${port} `));
        expect(lines[1]).toMatch(new RegExp(`^connect nobody\\.test: error ${ERRNO.ENOENT} `));
        expect(lines[2]).toMatch(/^lookup localhost: 127\.0\.0\.1/);
      },
    );
  });
}
