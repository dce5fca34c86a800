/**
 * A short answer of an HTTP/1.1 server over 100 connections that stay, asked by wrk: of the example
 * http-server, of node:http and of Go's net/http.
 *
 * For: requests a server answers in a second of its own processor time, which holds on a busy machine
 * too. Not for: requests per second of a real network; wrk shares the machine with the server. A
 * second of the same load comes before the count.
 */
import { buildExamples } from "../../scripts/build-examples.ts";
import type { BackendName } from "../../ts/index.ts";
import { httpChecksum, httpLoad } from "../http.ts";
import { peerProgram } from "../peers.ts";
import type { Scenario, ServerCommand } from "../scenario.ts";

function stackfulServer(backend: BackendName): ServerCommand {
  return async ({ nodePath, root }) => {
    const [guest] = await buildExamples(["http-server"]);
    return { argv: [nodePath, `${root}dist/bench/stackful/tcp-server.js`, guest!.file, backend] };
  };
}

const goServer: ServerCommand = async () => {
  const program = await peerProgram("go");
  if ("missing" in program) throw new Error(program.missing);
  return { argv: [program.path, "http-server"] };
};

export const scenario: Scenario = {
  name: "http",
  summary: "requests per processor second of HTTP servers, 100 connections of wrk",
  metrics: [
    "requests/cpu-s",
    "us-cpu/request",
    "us-user-cpu/request",
    "requests/s",
    "us-p50",
    "us-p99",
  ],
  metricsOf: { stackful: ["turns", "native-calls/turn", "operations/turn"] },
  params: {
    smoke: [{ connections: 10, seconds: 1 }],
    full: [{ connections: 100, seconds: 4 }],
  },
  checksum: () => httpChecksum(),
  implementations: {},
  servers: {
    stackful: stackfulServer("uring"),
    "stackful-node": stackfulServer("node"),
    go: goServer,
    node: ({ nodePath, root }) => ({ argv: [nodePath, `${root}bench/peers/node/http-server.mjs`] }),
  },
  load: httpLoad,
  against: ["node", "go"],
};
