//! `stackful run`: a guest as a program. The loop is owned: it waits in the kernel.

import type { StackfulError } from "../errors.ts";
import type { BackendName, BackendProvider, DirectoryGrant } from "../host/backend.ts";
import { BACKENDS } from "../host/open-backend.ts";
import { PRESETS, type Preset } from "../host/sim/options.ts";
import { openPrivateWorld } from "../host/sim/private-world.ts";
import { freshSeed } from "../host/sim/random.ts";
import { DEFAULT_LIMITS } from "../runtime/options.ts";
import { Runtime } from "../runtime/runtime.ts";
import { ANY, parseProcesses } from "./allow-run.ts";
import { parseCommand, parseCount, splitAtOperand, UsageError } from "./arguments.ts";
import { runPool } from "./run-pool.ts";
import { handleSignals, parseSignal } from "./signals.ts";
import { formatStackMarks } from "./stack-marks.ts";
import { formatStats } from "./stats.ts";

const USAGE = `usage: stackful run [options] app.wasm [args]

  --dir HOST::GUEST     let the guest see a directory (HOST alone: under the same name)
  --env K=V             set a variable of the guest's environment (K alone: copy it)
  --allow-connect E     let it connect or send datagrams to host:port, host:*, or *
  --allow-listen E      let it listen or bind UDP on host:port, host:*, or *
  --allow-dns           let it ask the host's name servers, and its resolver
  --allow-run[=P,...]   let it start programs, by path or by name in PATH; alone: any program.
                        What it starts can do all that you can
  --allow-run-env N,... variables that it may give them; *: any
  --backend B           ${BACKENDS.join(", ")},
                        or auto: the best that this machine has (auto)
  --seed S              with --backend sim: what its world does follows from the seed
  --preset P            with --backend sim: ${Object.keys(PRESETS).join(", ")}
  --executors N         run it on N threads, main on each, with a memory and a backend of its own
  --tasks-max N         tasks alive at once (${DEFAULT_LIMITS.tasksMax})
  --stack-bytes N       stack of a task that names no size (${DEFAULT_LIMITS.stackBytes})
  --memory-bytes N      how large the guest's own memory can grow (${DEFAULT_LIMITS.guestMemoryBytes})
  --strict              a task that fails ends the program
  --stats[=json]        print figures to stderr at the end
  --paint-stacks        print to stderr at the end how much stack tasks have used, by entry,
                        and of how much, where the linker could tell what they need at most
  --dump-on-signal[=S]  on SIGUSR2, or S, print to stderr what every task does, and go on

The guest has the standard input, output and error of this process, its terminal too.
A module that has not been linked is linked first, with a cache. The exit code is the guest's; of several
executors the first that is not 0, and then the others are canceled. It gets the signals that it
watches; of others, Ctrl-C and SIGTERM cancel its tasks and wait for them, and a second one ends it at
once.
`;

const OPTIONS = {
  dir: { type: "string", multiple: true },
  env: { type: "string", multiple: true },
  "allow-connect": { type: "string", multiple: true },
  "allow-listen": { type: "string", multiple: true },
  "allow-dns": { type: "boolean" },
  "allow-run": { type: "string", multiple: true },
  "allow-run-env": { type: "string", multiple: true },
  backend: { type: "string" },
  seed: { type: "string" },
  preset: { type: "string" },
  executors: { type: "string" },
  "tasks-max": { type: "string" },
  "stack-bytes": { type: "string" },
  "memory-bytes": { type: "string" },
  strict: { type: "boolean" },
  stats: { type: "string" },
  "paint-stacks": { type: "boolean" },
  "dump-on-signal": { type: "string" },
} as const;

/** Options that may stand alone, and what they then say. */
const BARE: Readonly<Record<string, string>> = {
  "--allow-run": `--allow-run=${ANY}`,
  "--stats": "--stats=text",
  "--dump-on-signal": "--dump-on-signal=SIGUSR2",
};

export async function runCommand(args: readonly string[]): Promise<number> {
  const { own, operand, rest } = splitAtOperand(
    args.map((arg) => BARE[arg] ?? arg),
    { ...OPTIONS, help: { type: "boolean", short: "h" } },
  );
  const parsed = parseCommand(own, USAGE, OPTIONS);
  if (parsed === undefined) return 0;
  if (operand === undefined) throw new UsageError("which guest?", USAGE);
  const { values } = parsed;
  const dumpSignal = values["dump-on-signal"];
  const dumpOn = dumpSignal === undefined ? undefined : parseSignal("dump-on-signal", dumpSignal);
  const backend = chooseBackend(values);
  const { stats, executors } = values;
  if (stats !== undefined && stats !== "text" && stats !== "json") {
    throw new UsageError(`--stats=${stats}: expected json, or nothing`);
  }
  const paintStacks = values["paint-stacks"] ?? false;
  const options = {
    args: args.slice(args.length - rest.length), // The guest's --stats is no business of ours.
    env: Object.fromEntries((values.env ?? []).map(parseVariable)),
    grants: {
      directories: (values.dir ?? []).map(parseDirectory),
      connect: values["allow-connect"] ?? [],
      listen: values["allow-listen"] ?? [],
      ...(values["allow-dns"] ? { dns: true as const } : {}),
      // As WASI gives them to it anyway.
      stdio: true as const,
      ...parseProcesses(values["allow-run"], values["allow-run-env"]),
    },
    limits: {
      ...count("tasksMax", "tasks-max", values["tasks-max"]),
      ...count("stackBytes", "stack-bytes", values["stack-bytes"]),
      ...count("guestMemoryBytes", "memory-bytes", values["memory-bytes"]),
    },
    strict: values.strict ?? false,
    raisesSignals: true,
    onTaskFailed: (error: StackfulError) => {
      process.stderr.write(`stackful: ${error.message}\n`);
      const { cause } = error;
      if (cause instanceof Error) process.stderr.write(`${cause.stack}\n`);
    },
  };
  if (executors !== undefined) {
    if (typeof backend === "object") throw new UsageError("--executors: not in a simulated world");
    if (paintStacks) throw new UsageError("--executors: --paint-stacks is for one alone");
    const pooled = { ...options, backend, executors: parseCount("executors", executors, 1) };
    return await runPool(operand, pooled, { dumpOn, stats });
  }
  const runtime = await Runtime.create(operand, {
    ...options,
    backend,
    loop: "owned",
    paintStacks,
  });
  const release = handleSignals(runtime, dumpOn);
  try {
    return await runtime.run();
  } finally {
    release();
    if (paintStacks) process.stderr.write(formatStackMarks(runtime));
    if (stats !== undefined) {
      process.stderr.write(
        stats === "json" ? `${JSON.stringify(runtime.stats)}\n` : formatStats(runtime.stats),
      );
    }
    await runtime[Symbol.asyncDispose]();
  }
}

function count(limit: string, option: string, text: string | undefined): Record<string, number> {
  return text === undefined ? {} : { [limit]: parseCount(option, text, 1) };
}

interface BackendChoice {
  readonly backend?: string | undefined;
  readonly seed?: string | undefined;
  readonly preset?: string | undefined;
}

/** A seed or a preset is of a simulated world; without a seed, the one that it got is told. */
function chooseBackend({
  backend,
  seed,
  preset = "ideal",
}: BackendChoice): "auto" | BackendName | BackendProvider {
  const name = parseBackend(backend);
  if (seed === undefined && preset === "ideal" && name !== "sim") return name;
  if (name !== "sim") throw new UsageError("--seed and --preset need --backend sim");
  if (!Object.hasOwn(PRESETS, preset)) {
    throw new UsageError(`--preset ${preset}: expected one of ${Object.keys(PRESETS).join(", ")}`);
  }
  const fresh = seed ?? process.env.STACKFUL_SEED ?? freshSeed();
  if (fresh !== seed) process.stderr.write(`stackful: --seed ${fresh}\n`);
  const options = { seed: fresh, preset: preset as Preset };
  return { open: (backendOptions) => openPrivateWorld(backendOptions, options) };
}

function parseBackend(name = "auto"): "auto" | BackendName {
  const found = name === "auto" ? name : BACKENDS.find((backend) => backend === name);
  if (found !== undefined) return found;
  throw new UsageError(`--backend ${name}: expected one of auto, ${BACKENDS.join(", ")}`);
}

function parseDirectory(text: string): DirectoryGrant {
  const [host = "", guest = host, more] = text.split("::");
  if (host === "" || guest === "" || more !== undefined) {
    throw new UsageError(`--dir ${text}: write HOST::GUEST, or HOST alone`);
  }
  if (guest.split("/").includes("..")) {
    throw new UsageError(
      `--dir ${text}: what the guest calls it must not contain "..": write HOST::GUEST`,
    );
  }
  return { host, guest };
}

function parseVariable(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at === 0 || text === "")
    throw new UsageError(`--env ${text}: write NAME=VALUE, or NAME alone`);
  return at < 0 ? [text, process.env[text] ?? ""] : [text.slice(0, at), text.slice(at + 1)];
}
