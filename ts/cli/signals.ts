//! What signals do to a guest that runs: those it watches are its own, one may ask for a dump, the
//! others do what they do to every program, but the first that ends it cancels its tasks instead.

import inspector from "node:inspector";
import { constants } from "node:os";
import { type DumpedTask, formatDump } from "../runtime/dump-format.ts";
import { SIGNAL_NAMES, type SignalName } from "../signals.ts";
import { UsageError } from "./arguments.ts";

const FIRST_SIGNAL_EXIT = 128;

/** A runtime, or a pool of executors. */
interface Program {
  raise(name: SignalName): boolean | Promise<boolean>;
  dump(): readonly DumpedTask[] | Promise<readonly DumpedTask[]>;
  cancel(): void;
}

/** @returns what to call when the guest has ended. */
export function handleSignals(program: Program, dumpOn: NodeJS.Signals | undefined): () => void {
  const handlers = new Map<NodeJS.Signals, () => void>();
  const on = (name: NodeJS.Signals, handler: () => void): void => {
    handlers.set(name, handler);
    process.on(name, handler);
  };
  const end = ender(program);
  const unwatched = (name: SignalName): void => {
    if (name === "SIGINT" || name === "SIGTERM") end(name);
    else if (name === "SIGUSR1") openInspector();
    else if (name !== "SIGWINCH") {
      process.off(name, handlers.get(name)!);
      process.kill(process.pid, name);
    }
  };
  if (dumpOn !== undefined) {
    on(dumpOn, async () => void process.stderr.write(formatDump(await program.dump())));
  }
  for (const name of SIGNAL_NAMES) {
    if (name === dumpOn || !(name in constants.signals)) continue;
    on(name, async () => {
      if (!(await program.raise(name))) unwatched(name);
    });
  }
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}

/** The first cancels the guest's tasks, the second ends the process. */
function ender(program: Program): (name: SignalName) => void {
  let asked = false;
  return (name) => {
    if (asked) process.exit(FIRST_SIGNAL_EXIT + constants.signals[name]);
    asked = true;
    program.cancel();
  };
}

/** What Node does on SIGUSR1 by itself, as long as nobody listens for it. */
function openInspector(): void {
  if (inspector.url() === undefined) inspector.open();
}

/** @throws {UsageError} no signal, or one that cannot be caught. */
export function parseSignal(option: string, name: string): NodeJS.Signals {
  if (name in constants.signals && name !== "SIGKILL" && name !== "SIGSTOP") {
    return name as NodeJS.Signals;
  }
  throw new UsageError(
    `--${option}=${name}: expected a signal that can be caught, such as SIGUSR2`,
  );
}
