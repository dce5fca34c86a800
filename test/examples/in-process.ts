//! Examples in this process: a program to its end, or a server and raw connections to it.

import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { expect, vi } from "vitest";
import { buildExamples } from "../../scripts/build-examples.ts";
import type { BackendName } from "../../ts/host/backend.ts";
import type { RuntimeGrants } from "../../ts/runtime/options.ts";
import { Runtime } from "../../ts/runtime/runtime.ts";

type BackendChoice = BackendName | "auto";

export const BACKENDS: readonly BackendChoice[] = ["node", "auto"];

export interface ExampleServer {
  readonly port: number;
  readonly runtime: Runtime;
  /** Lines of standard output behind the first. */
  readonly lines: readonly string[];
  /** Sends the bytes and the end of the stream; what came until the server ended it, as latin1. */
  exchange(bytes: string | Buffer): Promise<string>;
  connect(): Promise<Socket>;
}

interface ExampleOptions {
  readonly backend: BackendChoice;
  readonly args?: readonly string[];
  readonly grants?: RuntimeGrants;
}

/** Runs examples/NAME to its end. */
export async function runExample(
  name: string,
  { backend, args = [], grants = {} }: ExampleOptions,
): Promise<{ readonly code: number; readonly stdout: string[]; readonly stderr: string[] }> {
  const [example] = await buildExamples([name]);
  const output = { stdout: [] as string[], stderr: [] as string[] };
  await using runtime = await Runtime.create(example!.file, {
    backend,
    args,
    grants,
    onOutput: (stream, line) => output[stream].push(line),
  });
  return { code: await runtime.run(), ...output };
}

/**
 * Starts examples/NAME, and runs `body` with it; then no connection may be left, and a cancel ends it well.
 * Resolves to its last line of output.
 */
export async function withServer(
  name: string,
  { backend, args = [], grants = {} }: ExampleOptions,
  body: (server: ExampleServer) => Promise<void>,
): Promise<Record<string, number>> {
  const [example] = await buildExamples([name]);
  const lines: string[] = [];
  let announce: (line: string) => void = () => {};
  const first = new Promise<string>((resolve) => {
    announce = resolve;
  });
  await using runtime = await Runtime.create(example!.file, {
    backend,
    args,
    grants: { listen: ["127.0.0.1:*"], ...grants },
    onOutput: (stream, line) => {
      if (stream === "stdout") lines.push(line);
      if (lines.length === 1) announce(line);
    },
  });
  const ended = runtime.run();
  const { port } = JSON.parse(
    await Promise.race([first, ended.then((code) => `{"port":"exit code ${code}"}`)]),
  ) as { port: number };
  const { handlesOpen } = runtime.stats;
  const connect = async (): Promise<Socket> => {
    const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    return socket;
  };
  const exchange = async (bytes: string | Buffer): Promise<string> => {
    const socket = await connect();
    socket.end(bytes);
    return received(socket);
  };
  await body({ port, runtime, lines, exchange, connect });
  // At "auto" the wait of a connection's last reader may end a little after its peer's.
  await vi.waitFor(() => expect(runtime.stats.handlesOpen).toBe(handlesOpen), 20_000);
  runtime.cancel();
  expect(await ended).toBe(0);
  return lines.length > 1 ? JSON.parse(lines.at(-1)!) : {};
}

/** Everything that comes until the server ends the stream, as latin1; `keep`: one can go on to write. */
export async function received(socket: Socket, { keep = false } = {}): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  await new Promise<void>((resolve) => {
    socket.once("end", resolve);
    socket.once("close", () => resolve());
  });
  if (!keep) socket.destroy();
  return Buffer.concat(chunks).toString("latin1");
}
