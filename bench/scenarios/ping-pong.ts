/**
 * Two tasks pass a number to and fro over two channels with one slot, each adding 1.
 *
 * For: the price of a wait that another task ends, the common case in programs of many tasks: two
 * sends, two receives and two switches a round. Not for: the throughput of channels, as the slots
 * are never both full.
 */
import { pingPongInJs } from "../js/ping-pong.ts";
import { param, type Scenario } from "../scenario.ts";
import { pingPong } from "../stackful/scenarios.ts";

export const scenario: Scenario = {
  name: "ping-pong",
  summary: "two tasks exchange a number over two one-slot channels",
  metrics: ["ns/round"],
  params: { smoke: [{ rounds: 100 }], full: [{ rounds: 1_000_000 }] },
  /** The last number that came back. */
  checksum: (params) => String(2 * param(params, "rounds")),
  implementations: { stackful: pingPong, js: pingPongInJs },
  peers: ["go", "tokio"],
};
