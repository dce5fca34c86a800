//! A guest as a server; the protocol is in bench/server-run.ts.
//!
//! Usage: tcp-server.js GUEST BACKEND [ARGUMENT...]

import { packageVersion } from "../../ts/cli/version.ts";
import { type BackendName, Runtime } from "../../ts/index.ts";

const [guest, backend, ...args] = process.argv.slice(2) as [string, BackendName, ...string[]];
const runtime = await Runtime.create(guest, {
  backend,
  grants: { listen: ["127.0.0.1:*"] },
  loop: "owned",
  args,
});
let before = process.cpuUsage();
process.stdin.on("data", () => {
  before = process.cpuUsage();
  process.stdout.write('{"warm":true}\n');
});
process.stdin.on("end", () => endWhenIdle());
await runtime.run();
const { user, system } = process.cpuUsage(before);
const { turns, nativeCalls, systemCalls, submissions, switches, longestTurnMs } = runtime.stats;
process.stdout.write(
  `${JSON.stringify({
    cpuMicroseconds: user + system,
    userMicroseconds: user,
    version: `stackful ${packageVersion()}, node ${process.version}, ${runtime.stats.backend}`,
    metrics: {
      turns,
      "native-calls/turn": nativeCalls / turns,
      "operations/turn": submissions / turns,
    },
    notes: { turns, nativeCalls, systemCalls, operations: submissions, switches, longestTurnMs },
  })}\n`,
);

/** Ends main once only it is left: every connection is gone then. */
function endWhenIdle(): void {
  if (runtime.tasks().length <= 1) runtime.cancel();
  else setTimeout(endWhenIdle, 10);
}
