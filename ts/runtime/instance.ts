//! From a compiled module to an instance, with everything that it imports.

import { EXECUTOR_MODULE, GuestExecutor } from "../channels/guest-executor.ts";
import { StackfulError } from "../errors.ts";
import type { Environment } from "../guest/environment.ts";
import { Guest } from "../guest/guest.ts";
import type { Backend } from "../host/backend.ts";
import { openWasi } from "../wasi/open-wasi.ts";
import { PREVIEW1 } from "../wasi/provider.ts";
import { attemptsOf } from "./attempts.ts";
import { GuestExit } from "./failure.ts";
import { FunctionNames } from "./function-names.ts";
import { bindImports, HostAwaits } from "./imports.ts";
import type { LoadedGuest } from "./load.ts";
import type { Limits, RuntimeGrants, RuntimeOptions } from "./options.ts";
import { StackTraces } from "./stack-traces.ts";

export interface OpenedInstance {
  readonly guest: Guest;
  /** Undefined for a guest that uses none. */
  readonly executor: GuestExecutor | undefined;
  readonly awaits: HostAwaits;
  readonly names: FunctionNames;
  readonly traces: StackTraces;
  /** Nothing runs any more: what is held back of its output comes out. */
  flushOutput(): void;
}

export interface InstanceOptions {
  /** argv[0]. */
  readonly program: string;
  readonly backend: Backend;
  readonly limits: Limits;
  /** Of an executor of a pool; else the guest gets its own. */
  readonly executor: GuestExecutor | undefined;
  /** A promise that a task waits for has settled: asks for a turn. */
  onSettled(): void;
}

/** @throws {StackfulError} SF_IMPORT when nobody gives an import; SF_TRAP when its start function fails; SF_LIMIT. */
export async function openInstance(
  { module, info }: LoadedGuest,
  { grants, imports = {}, args = [], env = {}, onOutput }: RuntimeOptions,
  { program, backend, limits, executor: given, onSettled }: InstanceOptions,
): Promise<OpenedInstance> {
  const { environment } = backend;
  const { attempt, attemptsMax } = attemptsOf(backend);
  const names = new FunctionNames(module, info);
  const traces = new StackTraces(names);
  const awaits = new HostAwaits(traces, onSettled);
  const executor = importsFrom(module, EXECUTOR_MODULE)
    ? (given ?? GuestExecutor.alone())
    : undefined;
  const wasi = importsFrom(module, PREVIEW1)
    ? await openWasi({
        args: [program, ...args],
        env,
        environment,
        directories: writableDirectories(grants),
        exit: (code) => {
          throw new GuestExit(code);
        },
        ...(onOutput === undefined ? {} : { onOutput: awaits.counted(onOutput) }),
      })
    : undefined;
  const own = {
    ...wasi?.imports,
    ...executor?.imports,
    stackful_host: {
      monotonic_ns: (): bigint => BigInt(environment.monotonicNs()),
      wall_ns: () => environment.wallNs(),
      random_u64: () => randomU64(environment),
    },
  };
  const core = { stackful_host: { probe: traces.record, attempt } };
  const bound = bindImports(module, info, imports, own, core, awaits);
  const guest = new Guest(await instantiate(module, bound), environment);
  awaits.guest = traces.guest = guest;
  if (given !== undefined) given.host = { guest, backend, awaits, wake: onSettled };
  wasi?.attach(guest.memory);
  executor?.attach(guest, onSettled);
  guest.start({ ...limits, attemptsMax });
  return { guest, executor, awaits, names, traces, flushOutput: () => wasi?.flush() };
}

function importsFrom(module: WebAssembly.Module, name: string): boolean {
  return WebAssembly.Module.imports(module).some((item) => item.module === name);
}

function randomU64(environment: Environment): bigint {
  const bytes = new Uint8Array(8);
  environment.fillRandom(bytes);
  return new DataView(bytes.buffer).getBigUint64(0);
}

/** The host's WASI opens a directory for everything, or not at all. */
function writableDirectories(grants: RuntimeGrants | undefined): Record<string, string> {
  const writable = (grants?.directories ?? []).filter(({ readOnly }) => readOnly !== true);
  return Object.fromEntries(writable.map(({ guest, host }) => [guest, host]));
}

async function instantiate(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
): Promise<WebAssembly.Instance> {
  try {
    return await WebAssembly.instantiate(module, imports);
  } catch (cause) {
    if (cause instanceof StackfulError) throw cause;
    const message = `starting the guest: its start function failed: ${(cause as Error).message}`;
    throw new StackfulError("SF_TRAP", message, { cause });
  }
}
