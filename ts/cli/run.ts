//! `stackful run`: a guest as a program. The loop is owned: it waits in the kernel.

import type { BackendName, DirectoryGrant } from "../host/backend.ts";
import { DEFAULT_LIMITS } from "../runtime/options.ts";
import { Runtime } from "../runtime/runtime.ts";
import { parseCommand, parseCount, splitAtOperand, UsageError } from "./arguments.ts";
import { formatStats } from "./stats.ts";

const USAGE = `usage: stackful run [options] app.wasm [args]

  --dir HOST::GUEST     let the guest see a directory (HOST alone: under the same name)
  --env K=V             set a variable of the guest's environment (K alone: copy it)
  --allow-connect E     let it connect to host:port, host:*, or *
  --allow-listen E      let it listen on host:port, host:*, or *
  --backend B           auto, uring or node
  --tasks-max N         tasks alive at once (${DEFAULT_LIMITS.tasksMax})
  --stack-bytes N       stack of a task that names no size (${DEFAULT_LIMITS.stackBytes})
  --memory-bytes N      how large the guest's own memory can grow (${DEFAULT_LIMITS.guestMemoryBytes})
  --strict              a task that fails ends the program
  --stats[=json]        print figures to stderr at the end

A module that has not been linked is linked first, with a cache. The exit code is the guest's;
Ctrl-C cancels its tasks and waits for them, a second one ends it at once.
`;

const OPTIONS = {
  dir: { type: "string", multiple: true },
  env: { type: "string", multiple: true },
  "allow-connect": { type: "string", multiple: true },
  "allow-listen": { type: "string", multiple: true },
  backend: { type: "string" },
  "tasks-max": { type: "string" },
  "stack-bytes": { type: "string" },
  "memory-bytes": { type: "string" },
  strict: { type: "boolean" },
  stats: { type: "string" },
} as const;

const INTERRUPTED = 130;

export async function runCommand(args: readonly string[]): Promise<number> {
  const { own, operand, rest } = splitAtOperand(args.map(bareStats), {
    ...OPTIONS,
    help: { type: "boolean", short: "h" },
  });
  const parsed = parseCommand(own, USAGE, OPTIONS);
  if (parsed === undefined) return 0;
  if (operand === undefined) throw new UsageError(`which guest?\n${USAGE}`);
  const { values } = parsed;
  const runtime = await Runtime.create(operand, {
    args: rest,
    env: Object.fromEntries((values.env ?? []).map(parseVariable)),
    grants: {
      directories: (values.dir ?? []).map(parseDirectory),
      connect: values["allow-connect"] ?? [],
      listen: values["allow-listen"] ?? [],
    },
    limits: {
      ...count("tasksMax", "tasks-max", values["tasks-max"]),
      ...count("stackBytes", "stack-bytes", values["stack-bytes"]),
      ...count("guestMemoryBytes", "memory-bytes", values["memory-bytes"]),
    },
    backend: parseBackend(values.backend),
    strict: values.strict ?? false,
    loop: "owned",
    onTaskFailed: (error) => {
      process.stderr.write(`stackful: ${error.message}\n`);
      const { cause } = error;
      if (cause instanceof Error) process.stderr.write(`${cause.stack}\n`);
    },
  });
  const release = cancelOnInterrupt(runtime);
  try {
    return await runtime.run();
  } finally {
    release();
    if (values.stats !== undefined) {
      process.stderr.write(
        values.stats === "json" ? `${JSON.stringify(runtime.stats)}\n` : formatStats(runtime.stats),
      );
    }
    await runtime[Symbol.asyncDispose]();
  }
}

/** --stats may stand alone. */
function bareStats(arg: string): string {
  return arg === "--stats" ? "--stats=text" : arg;
}

function cancelOnInterrupt(runtime: Runtime): () => void {
  let asked = false;
  const onSignal = (): void => {
    if (asked) process.exit(INTERRUPTED);
    asked = true;
    runtime.cancel();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return () => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
}

function count(limit: string, option: string, text: string | undefined): Record<string, number> {
  return text === undefined ? {} : { [limit]: parseCount(option, text, 1) };
}

function parseBackend(name = "auto"): "auto" | BackendName {
  if (name === "auto" || name === "uring" || name === "node") return name;
  throw new UsageError(`--backend ${name}: expected auto, uring or node`);
}

function parseDirectory(text: string): DirectoryGrant {
  const [host, guest = host] = text.split("::");
  return { host: host!, guest: guest! };
}

function parseVariable(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, process.env[text] ?? ""] : [text.slice(0, at), text.slice(at + 1)];
}
