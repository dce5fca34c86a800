//! A guest as a server on several executors, which share a port; the protocol is in bench/server-run.ts.
//!
//! Usage: pool-server.js GUEST BACKEND EXECUTORS [ARGUMENT...]; the guest gets the port as one more argument.

import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { packageVersion } from "../../ts/cli/version.ts";
import { type BackendName, ExecutorPool } from "../../ts/index.ts";

const [guest, backend, count, ...args] = process.argv.slice(2) as [
  string,
  BackendName,
  string,
  ...string[],
];
const executors = Number(count);
const port = await freePort();
let listening = 0;
let announce: () => void = () => {};
const announced = new Promise<void>((resolve) => {
  announce = resolve;
});
await using pool = await ExecutorPool.create(guest, {
  executors,
  backend,
  grants: { listen: [`127.0.0.1:${port}`] },
  args: [...args, String(port)],
  onOutput: (stream, line) => {
    if (stream === "stderr") process.stderr.write(`${line}\n`);
    else if (++listening === executors) announce();
  },
});
const run = pool.run();
await Promise.race([announced, run]);

let before = process.cpuUsage();
let threadsBefore = threadTimes();
let busyMicroseconds: readonly number[] = [];
process.stdin.on("data", () => {
  before = process.cpuUsage();
  threadsBefore = threadTimes();
  process.stdout.write('{"warm":true}\n');
});
process.stdin.on("end", () => void endWhenIdle());
process.stdout.write(`{"port":${port}}\n`);
await run;

const { user, system } = process.cpuUsage(before);
process.stdout.write(
  `${JSON.stringify({
    cpuMicroseconds: user + system,
    userMicroseconds: user,
    busiestMicroseconds: busyMicroseconds[0],
    version: `stackful ${packageVersion()}, node ${process.version}, ${backend}`,
    notes: { busyMicroseconds },
  })}\n`,
);

/** A port that was free just now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Ends the mains once only they are left: every connection is gone then. */
async function endWhenIdle(): Promise<void> {
  while ((await pool.tasks()).length > executors)
    await new Promise((resolve) => setTimeout(resolve, 10));
  busyMicroseconds = busyThreads();
  pool.cancel();
}

/** The processor time of every thread of this process, in nanoseconds: Linux alone tells. */
function threadTimes(): Map<string, number> {
  const times = new Map<string, number>();
  for (const thread of readdirSync("/proc/self/task")) {
    const [onProcessor] = readFileSync(`/proc/self/task/${thread}/schedstat`, "utf8").split(" ");
    times.set(thread, Number(onProcessor));
  }
  return times;
}

/** Of the executors, the busiest first, since it was warm: no other thread does as much. */
function busyThreads(): number[] {
  const used = [...threadTimes()].map(([thread, ns]) => ns - (threadsBefore.get(thread) ?? 0));
  return used
    .sort((a, b) => b - a)
    .slice(0, executors)
    .map((ns) => Math.round(ns / 1e3));
}
