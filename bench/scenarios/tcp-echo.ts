/**
 * An echo server on the loopback device, loaded by one generator for all servers (see tcp.ts).
 *
 * Three shapes: one connection with one message at a time (lat: the time of a round trip), 1000
 * connections with one message each (many: what a server of many clients pays per message), and 64
 * connections with 16 messages in flight (pipe: how well reads and writes are batched). The
 * generator sends when something came back, so the 16 of a connection tend to travel together.
 *
 * For: the processor time a server needs per message, which holds on a busy machine too, and for
 * comparing servers on one machine. Not for: messages per second of a real network. The generator
 * shares the machine with the server; where its share of a processor (`loadCpuShare` in the notes)
 * comes near 1, it is the limit. The servers have had a tenth of the load before that, which is
 * not counted: compiling costs once, not for each message. Accepting is counted. How that time splits into user and system is
 * sampled by many kernels at their clock tick: trust the sum, and the user part of long runs only.
 */
import { buildExamples } from "../../scripts/build-examples.ts";
import type { BackendName } from "../../ts/index.ts";
import type { Scenario, ServerCommand } from "../scenario.ts";
import { shapes, tcpChecksum } from "../tcp.ts";
import { nodeServer, peerServer } from "../tcp-servers.ts";

function stackfulServer(backend: BackendName): ServerCommand {
  return async ({ nodePath, root }) => {
    const [guest] = await buildExamples(["echo-server"]);
    return {
      argv: [nodePath, `${root}dist/bench/stackful/tcp-server.js`, guest!.file, backend],
    };
  };
}

export const scenario: Scenario = {
  name: "tcp-echo",
  summary: "processor time and throughput of an echo server in three shapes of load",
  metrics: ["us-cpu/message", "us-user-cpu/message", "messages/s", "us-p50", "us-p99"],
  metricsOf: { stackful: ["turns", "native-calls/turn", "operations/turn"] },
  params: shapes,
  checksum: tcpChecksum,
  implementations: {},
  servers: {
    stackful: stackfulServer("uring"),
    "stackful-node": stackfulServer("node"),
    go: peerServer("go"),
    tokio: peerServer("tokio"),
    node: nodeServer,
  },
};
