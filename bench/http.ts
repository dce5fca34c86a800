/** The load of the HTTP scenario: wrk. It keeps its connections, and asks again once it is answered. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { root } from "./peers.ts";
import { type Params, param } from "./scenario.ts";
import { type Load, parseLine, timeoutMs } from "./server-run.ts";

const PATH = "/hello";

/** What wrk-report.lua prints. Times are microseconds. */
interface WrkReport {
  readonly requests: number;
  /** Answers other than 2xx and 3xx, and what failed at the sockets. */
  readonly errors: number;
  readonly microseconds: number;
  readonly p50: number;
  readonly p99: number;
}

/** What every server must answer. */
export function httpChecksum(status = 200, content = "Hello, world!\n"): string {
  return `${status}:${crc32(content).toString(16)}`;
}

/** Of one answer: wrk looks at no content. */
async function checksumOf(port: number): Promise<string> {
  const asking = request({ host: "127.0.0.1", port, path: PATH, agent: false });
  asking.end();
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  let content = "";
  for await (const chunk of answer.setEncoding("latin1")) content += chunk;
  return httpChecksum(answer.statusCode, content);
}

async function wrk(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("wrk", [...args], { timeout: timeoutMs });
  return stdout.trim().split("\n").at(-1)!;
}

async function load(port: number, params: Params, seconds: number): Promise<WrkReport> {
  const script = `${root}bench/peers/wrk-report.lua`;
  const sizes = [`-c${param(params, "connections")}`, `-d${seconds}s`];
  const line = await wrk(["-t1", ...sizes, "-s", script, `http://127.0.0.1:${port}${PATH}`]);
  return parseLine<WrkReport>(line, "requests");
}

export const httpLoad: Load = {
  async missing() {
    try {
      await wrk(["-v"]);
    } catch (error) {
      // It says its version, and ends with 1.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "wrk is not installed";
    }
    return undefined;
  },
  warmUp: (port, params) => load(port, params, 1),
  async run(port, params) {
    const checksum = await checksumOf(port);
    const seconds = param(params, "seconds");
    const { requests, errors, microseconds, p50, p99 } = await load(port, params, seconds);
    if (errors > 0) throw new Error(`${errors} of ${requests} requests failed`);
    return {
      metrics: { "requests/s": (requests / microseconds) * 1e6, "us-p50": p50, "us-p99": p99 },
      checksum,
      version: "wrk",
      handled: requests,
    };
  },
  cost: ({ cpuMicroseconds, userMicroseconds }, { handled }) => ({
    "requests/cpu-s": (handled / cpuMicroseconds) * 1e6,
    "us-cpu/request": cpuMicroseconds / handled,
    "us-user-cpu/request": userMicroseconds / handled,
  }),
};
