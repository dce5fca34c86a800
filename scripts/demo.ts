//! The demo: an echo server and a load generator, both guests, in two processes.
//!
//!   node dist/scripts/demo.js [--backend auto|uring|node] [--connections N]
//!                             [--messages M | --seconds S] [--json]
//!
//! The load generator checks every byte; the figures count only when all were right, which is also
//! the exit code. Progress goes to stderr, the result to stdout: a table, with --json one object.

import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { grouped } from "../ts/cli/stats.ts";
import { DEFAULT_LIMITS } from "../ts/runtime/options.ts";
import type { RuntimeStats } from "../ts/runtime/stats.ts";
import { table } from "../ts/table.ts";
import { buildExamples } from "./build-examples.ts";
import {
  type GuestProcess,
  guestStats,
  killGuestsAtExit,
  residentBytes,
  startGuest,
} from "./guest-process.ts";

/** The server has nothing to wait for any more when it is told to end. */
const SERVER_EXIT_MS = 10_000;

interface DemoOptions {
  readonly backend: string;
  readonly connections: number;
  /** What ends the load: `--messages M` of each connection, or `--seconds S`. */
  readonly length: readonly [string, string];
  readonly json: boolean;
}

/** The lines of the load generator. */
type LoadLine =
  | {
      readonly type: "progress" | "open";
      readonly elapsedNs: number;
      readonly messages?: number;
      readonly connectionsOpen: number;
    }
  | LoadResult;

interface LoadResult {
  readonly type: "result";
  readonly connections: number;
  readonly messages: number;
  readonly bytes: number;
  readonly verified: boolean;
  readonly errors: number;
  readonly elapsedNs: number;
  readonly messagesPerSecond: number;
  readonly p50Ns: number;
  readonly p90Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
}

class DemoError extends Error {}

async function runDemo(options: DemoOptions) {
  const { backend, connections, length } = options;
  say("building the guests, unless they are up to date");
  for (const { name, status, linkedBytes } of await buildExamples([
    "echo-server",
    "load-generator",
  ])) {
    if (status === "built") say(`built ${name}: ${grouped(linkedBytes)} bytes`);
  }

  const server = startGuest(
    "echo-server",
    ["--backend", backend, "--allow-listen", "127.0.0.1:*", ...tasksMax(connections)],
    [],
  );
  const { value: listening } = await server.lines.next();
  const port = (listening as { port?: number } | undefined)?.port;
  if (port === undefined) {
    throw new DemoError(
      `the server ended (${await server.ended}) and never listened\n${server.stderr()}`,
    );
  }
  const rssListening = residentBytes(server);
  say(`the server listens on 127.0.0.1:${port}; opening ${grouped(connections)} connections`);

  const load = startGuest(
    "load-generator",
    ["--backend", backend, "--allow-connect", "127.0.0.1:*", ...tasksMax(connections)],
    ["--port", `${port}`, "--connections", `${connections}`, ...length],
  );
  let rssOpen: number | undefined;
  let result: LoadResult | undefined;
  for await (const line of load.lines as AsyncGenerator<LoadLine>) {
    if (line.type === "result") result = line;
    else sayProgress(line);
    // Not at "open" yet: the server has to accept what the system has connected.
    if (line.type === "progress" && line.connectionsOpen === connections)
      rssOpen ??= residentBytes(server);
  }
  const loadEnded = await load.ended;
  if (loadEnded !== "0" || result?.verified !== true) {
    const texts = [load, server].map((guest) => `--- ${guest.name}:\n${guest.stderr()}`).join("");
    throw new DemoError(`the load generator failed, exit code ${loadEnded}\n${texts}`);
  }

  const served = await endServer(server);
  if (served.bytes !== result.bytes || served.failed !== 0 || served.refused !== 0) {
    throw new DemoError(`the server counted otherwise: ${JSON.stringify({ served, result })}`);
  }
  const rssGrowth =
    rssOpen === undefined || rssListening === undefined ? null : rssOpen - rssListening;
  return summarize(result, statsOf(server), rssGrowth);
}

interface ServerTotals {
  readonly bytes: number;
  readonly refused: number;
  readonly failed: number;
}

/** Ctrl-C for the server: it must end by itself and in order. */
async function endServer(server: GuestProcess): Promise<ServerTotals> {
  server.child.kill("SIGINT");
  const late = setTimeout(() => server.child.kill("SIGKILL"), SERVER_EXIT_MS);
  const { value: totals } = await server.lines.next();
  const ended = await server.ended;
  clearTimeout(late);
  if (ended !== "0" || totals === undefined) {
    throw new DemoError(
      `the server ended with ${ended} after SIGINT, not with 0\n${server.stderr()}`,
    );
  }
  return totals as ServerTotals;
}

function statsOf(guest: GuestProcess): RuntimeStats {
  const stats = guestStats(guest);
  if (stats === undefined) throw new DemoError(`${guest.name} gave no figures\n${guest.stderr()}`);
  return stats;
}

function summarize(result: LoadResult, stats: RuntimeStats, rssGrowthBytes: number | null) {
  const { connections, elapsedNs } = result;
  // The regions are those of the connections, all open at once, and main's, which is large.
  const stacksBytes = stats.regionsBytes - DEFAULT_LIMITS.mainStackBytes;
  const { type: _, ...load } = result;
  return {
    backend: stats.backend,
    reasons: stats.reasons,
    ...load,
    server: {
      switchesPerSecond: Math.round(stats.switches / (elapsedNs / 1e9)),
      bytesPerCoroutine: Math.round(stacksBytes / connections),
      rssBytesPerConnection:
        rssGrowthBytes === null ? null : Math.round(rssGrowthBytes / connections),
      operationsPerTurn: stats.turns === 0 ? 0 : stats.submissions / stats.turns,
      stats,
    },
    host: { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? "unknown" },
  };
}

function formatSummary(summary: ReturnType<typeof summarize>): string {
  const { server } = summary;
  const { stats } = server;
  return table([
    ["backend", summary.backend],
    ...summary.reasons.map(({ name, reason }): [string, string] => [`  not ${name}`, reason]),
    ["connections", grouped(summary.connections)],
    ["messages", `${grouped(summary.messages)}, every byte verified`],
    ["messages/s", grouped(summary.messagesPerSecond)],
    ["latency", `p50 ${ms(summary.p50Ns)}, p99 ${ms(summary.p99Ns)}, max ${ms(summary.maxNs)}`],
    ["server switches/s", grouped(server.switchesPerSecond)],
    ["stack per coroutine", `${grouped(server.bytesPerCoroutine)} bytes, control block included`],
    ["RSS per connection", rssText(server.rssBytesPerConnection)],
    [
      "backend turns",
      `${grouped(stats.turns)}, ${server.operationsPerTurn.toFixed(1)} operations each`,
    ],
    ["native calls", grouped(stats.nativeCalls)],
    ["host", `Node ${summary.host.node}, ${summary.host.cpus} x ${summary.host.cpu}`],
  ]);
}

function rssText(bytes: number | null): string {
  if (bytes === null) return "not measured (the load was shorter than a second, or no /proc)";
  return `${grouped(bytes)} bytes: the server's growth since it listens, under load, heap included`;
}

/** Connections, main, and a few that print and wait. */
function tasksMax(connections: number): string[] {
  return connections < DEFAULT_LIMITS.tasksMax - 8 ? [] : ["--tasks-max", `${connections + 8}`];
}

function sayProgress(line: Exclude<LoadLine, LoadResult>): void {
  const { elapsedNs, connectionsOpen, messages = 0 } = line;
  const seconds = (elapsedNs / 1e9).toFixed(1).padStart(5);
  say(`${seconds} s: ${grouped(connectionsOpen)} open, ${grouped(messages)} messages verified`);
}

function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(2)} ms`;
}

function say(text: string): void {
  process.stderr.write(`demo: ${text}\n`);
}

/** What the user can do something about is a message; everything else is a bug, with its stack. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = "" } = error as { code?: string };
  const expected =
    error instanceof DemoError || error instanceof RangeError || /^(SF_|ERR_PARSE_ARGS)/.test(code);
  return expected ? error.message : `${error.stack}`;
}

function parseOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      backend: { type: "string", default: "auto" },
      connections: { type: "string", default: "1000" },
      messages: { type: "string" },
      seconds: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const { backend, json, messages, seconds } = values;
  if (messages !== undefined && seconds !== undefined) {
    throw new RangeError("--messages and --seconds: give one of them");
  }
  const connections = positive("--connections", values.connections);
  if (messages !== undefined) positive("--messages", messages);
  const length: [string, string] =
    messages === undefined
      ? ["--seconds", `${positive("--seconds", seconds ?? "5")}`]
      : ["--messages", messages];
  return { backend, connections, length, json };
}

function positive(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new RangeError(`${name} must be a whole number from 1 on, not "${text}"`);
}

killGuestsAtExit();
try {
  const options = parseOptions(process.argv.slice(2));
  const summary = await runDemo(options);
  process.stdout.write(
    options.json ? `${JSON.stringify(summary)}\n` : `\n${formatSummary(summary)}`,
  );
} catch (error) {
  say(describe(error));
  // Children may still run: exit kills them, and waiting for them is what must not happen.
  process.exit(1);
}
