/**
 * The loads of the TCP scenarios, for any server of server-run.ts.
 *
 * The generators are those of peers/go, on one thread. Where Go is missing, echoes come from
 * peers/node/tcp-echo-load.mjs, which sends the same bytes but is slower; peers/c/tcp-echo-load.c, for several
 * executors, is faster. Figures of different ones are not comparable, so the notes and the version of each sample
 * name the one that ran.
 */
import { crc32 } from "node:zlib";
import { runForLine, toFlags } from "./command.ts";
import { peerProgram, root } from "./peers.ts";
import { type Params, param, type Sample } from "./scenario.ts";
import { type Load, type LoadResult, parseLine, timeoutMs } from "./server-run.ts";

/** What a server does with each connection: `--service` of the peers' servers. */
export const SERVICE = { echo: 0, sink: 1, source: 2 } as const;

/** What the generator does: the parameter `load`. */
const LOADS = [
  { name: "echo", service: SERVICE.echo },
  { name: "sink", service: SERVICE.sink },
  { name: "source", service: SERVICE.source },
  { name: "connect", service: SERVICE.echo },
] as const;

export const LOAD = { echo: 0, sink: 1, source: 2, connect: 3 } as const;

function loadOf(params: Params): (typeof LOADS)[number] {
  return LOADS[params.load ?? LOAD.echo]!;
}

/** The service that the server must offer for these parameters. */
export function serviceOf(params: Params): number {
  return loadOf(params).service;
}

/** The shapes of the tcp-echo scenario, which tells what each is for. */
export const shapes = {
  smoke: [
    { connections: 1, inFlight: 1, bytes: 64, messages: 50 },
    { connections: 20, inFlight: 1, bytes: 64, messages: 5 },
    { connections: 4, inFlight: 16, bytes: 64, messages: 50 },
  ],
  full: [
    { connections: 1, inFlight: 1, bytes: 64, messages: 100_000 }, // lat
    { connections: 1000, inFlight: 1, bytes: 64, messages: 500 }, // many
    { connections: 64, inFlight: 16, bytes: 64, messages: 50_000 }, // pipe
  ],
} satisfies Record<string, readonly Params[]>;

/**
 * What the generator must have received: see message() in peers/go/echo_load.go. A sink sends nothing back
 * but the number of bytes.
 */
export function tcpChecksum(params: Params): string {
  const [connections, bytes] = [param(params, "connections"), param(params, "bytes")];
  const messages = param(params, "messages");
  const total = connections * messages * bytes;
  if (loadOf(params).name === "sink") return `${total}:00000000`;
  const pattern = Buffer.from(Array.from({ length: 256 + bytes }, (_, i) => (i * 7 + 3) & 255));
  let sum = 0;
  for (let connection = 0; connection < connections; connection++) {
    let crc = 0;
    for (let message = 0; message < messages; message++) {
      const start = (connection * 131 + message * 31) & 255;
      crc = crc32(pattern.subarray(start, start + bytes), crc);
    }
    sum = (sum + crc) >>> 0;
  }
  return `${total}:${sum.toString(16).padStart(8, "0")}`;
}

/** What a server that is measured has done before: compiled code, grown memory. */
const WARM_UP_SHARE = 0.1;

interface Generator {
  readonly name: string;
  /** Takes the parameters as flags, and prints one line. */
  readonly argv: readonly string[];
}

/** The load of the generator that is there for these parameters. */
function loadBy(generatorOf: (params: Params) => Promise<Generator>): Load {
  async function run(port: number, params: Params): Promise<LoadResult> {
    const generator = await generatorOf(params);
    const { load: _, ...sizes } = params;
    const flags = toFlags({ port, ...sizes });
    const sample = parseLine<Sample & { version: string }>(
      await runForLine([...generator.argv, ...flags], timeoutMs),
      "metrics",
    );
    return {
      ...sample,
      version: `${generator.name} (${sample.version})`,
      handled: param(params, "connections") * param(params, "messages"),
    };
  }
  return {
    warmUp(port, params) {
      const messages = Math.ceil(param(params, "messages") * WARM_UP_SHARE);
      return run(port, { ...params, messages });
    },
    run,
    cost: ({ cpuMicroseconds, userMicroseconds }, { handled }) => ({
      "us-cpu/message": cpuMicroseconds / handled,
      "us-user-cpu/message": userMicroseconds / handled,
    }),
  };
}

export const tcpLoad: Load = loadBy((params) => loadGenerator(loadOf(params).name));

/** Echoes from peers/c, which does nothing but what the kernel needs: for servers of more than one thread. */
export const batchedEchoLoad: Load = {
  ...loadBy(async () => {
    const c = await peerProgram("c");
    if ("missing" in c) throw new Error(c.missing);
    return { name: "c", argv: [c.path, "tcp-echo-load"] };
  }),
  async missing() {
    const c = await peerProgram("c");
    return "missing" in c ? c.missing : undefined;
  },
};

async function loadGenerator(load: (typeof LOADS)[number]["name"]): Promise<Generator> {
  const go = await peerProgram("go");
  if ("path" in go) return { name: "go", argv: [go.path, `tcp-${load}-load`] };
  if (load !== "echo") throw new Error(`the ${load} load needs go: ${go.missing}`);
  const script = `${root}bench/peers/node/tcp-echo-load.mjs`;
  return { name: `node, as go is missing (${go.missing})`, argv: [process.execPath, script] };
}
