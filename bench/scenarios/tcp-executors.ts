/**
 * The shape `many` of the tcp scenario, 1,000 connections with one message of 64 bytes each, with one executor
 * and with two that share the port.
 *
 * For: how far a second executor takes a server. The generator is one of io_uring, whose time is the kernel's, for
 * sends and receives: a message costs it nearly what it costs a server. On a machine of few processors it has
 * its share of them, so `messages/s` is what all three can do together, in what the machine leaves: on two processors,
 * at most two by what a message costs generator and server together, which is hardly more than one executor alone.
 * `loadCpuShare` in the notes is the generator's part. `messages/executor-s` is free of it: all
 * messages by the processor time of the executor that had the most. So many a second the server handles
 * when every executor has a processor for itself and there is always something to do: what an executor
 * waits for the generator or for a processor is not in it; what executors cost each other on processors they
 * share the caches of, and an uneven share of the connections, is. Not for: what a batch would
 * save; two executors that are not the limit find less at a time than one that is, and pay more for each.
 */
import type { Scenario, ServerCommand } from "../scenario.ts";
import type { Load } from "../server-run.ts";
import { benchGuest } from "../stackful/guest.ts";
import { batchedEchoLoad, serviceOf, tcpChecksum } from "../tcp.ts";

function executors(count: number): ServerCommand {
  return async ({ nodePath, root, params }) => {
    const guest = await benchGuest("tcp", { reactor: false });
    const program = `${root}dist/bench/stackful/pool-server.js`;
    const args = ["uring", String(count), String(serviceOf(params))];
    return { argv: [nodePath, program, guest, ...args] };
  };
}

const load: Load = {
  ...batchedEchoLoad,
  async missing() {
    if (process.platform !== "linux") return "only Linux tells a thread's processor time";
    return batchedEchoLoad.missing?.();
  },
  cost: (report, result) => ({
    ...batchedEchoLoad.cost(report, result),
    "messages/executor-s": (result.handled / report.busiestMicroseconds!) * 1e6,
  }),
};

export const scenario: Scenario = {
  name: "tcp-executors",
  summary: "an echo server of 1,000 connections on one executor and on two",
  metrics: ["messages/executor-s", "messages/s", "us-cpu/message"],
  params: {
    smoke: [{ connections: 20, inFlight: 1, bytes: 64, messages: 5 }],
    full: [{ connections: 1000, inFlight: 1, bytes: 64, messages: 500 }],
  },
  checksum: tcpChecksum,
  implementations: {},
  servers: { "stackful-1": executors(1), "stackful-2": executors(2) },
  load,
  against: [],
};
