/**
 * TCP servers on the loopback device in six shapes of load, from one generator for all (see tcp.ts).
 *
 *   lat            one connection, one message of 4 KiB at a time: the time of a round trip
 *   many           1000 connections with one message of 64 bytes each
 *   pipe           64 connections with 16 messages of 64 bytes in flight
 *   send           4 connections, the server sends chunks of 64 KiB
 *   recv           4 connections, the server receives chunks of 64 KiB
 *   connect-close  16 at a time connect, have 64 bytes echoed, and close
 *
 * For: the processor time a server needs per message, chunk or connection, which holds on a busy machine
 * too. Not for: messages per second of a real network; where the generator's share of a processor
 * (`loadCpuShare` in the notes) comes near 1, it is the limit. The servers have had a tenth
 * of the load before that, which is not counted: compiling costs once, not for each message. Accepting is counted.
 */
import type { BackendName } from "../../ts/index.ts";
import type { Params, Scenario, ServerCommand } from "../scenario.ts";
import { benchGuest } from "../stackful/guest.ts";
import { LOAD, serviceOf, tcpChecksum } from "../tcp.ts";
import { nodeServer, peerServer } from "../tcp-servers.ts";

function stackfulServer(backend: BackendName): ServerCommand {
  return async ({ nodePath, root, params }) => {
    const guest = await benchGuest("tcp", { reactor: false });
    const program = `${root}dist/bench/stackful/tcp-server.js`;
    return { argv: [nodePath, program, guest, backend, String(serviceOf(params))] };
  };
}

function shapes(scale: number): readonly Params[] {
  const count = (messages: number): number => Math.max(1, Math.round(messages * scale));
  const chunk = 64 * 1024;
  return [
    { connections: 1, inFlight: 1, bytes: 4096, messages: count(100_000) },
    { connections: scale < 1 ? 20 : 1000, inFlight: 1, bytes: 64, messages: count(500) },
    { connections: scale < 1 ? 4 : 64, inFlight: 16, bytes: 64, messages: count(50_000) },
    { load: LOAD.source, connections: 4, bytes: chunk, messages: count(20_000) },
    { load: LOAD.sink, connections: 4, bytes: chunk, messages: count(20_000) },
    { load: LOAD.connect, connections: 16, bytes: 64, messages: count(2000) },
  ];
}

export const scenario: Scenario = {
  name: "tcp",
  summary: "processor time and throughput of TCP servers in six shapes of load",
  metrics: ["us-cpu/message", "us-user-cpu/message", "messages/s"],
  metricsOf: { stackful: ["turns", "native-calls/turn", "operations/turn"] },
  params: { smoke: shapes(0.005), full: shapes(1) },
  checksum: tcpChecksum,
  implementations: {},
  servers: {
    "stackful-uring": stackfulServer("uring"),
    "stackful-node": stackfulServer("node"),
    go: peerServer("go"),
    tokio: peerServer("tokio"),
    node: nodeServer,
  },
};
