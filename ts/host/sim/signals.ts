//! Signals of simulated processes.

import { SIGNAL, SIGNAL_KILL } from "../../abi.gen.ts";

/** A signal that a program can handle. */
export type SimSignal =
  | "SIGINT"
  | "SIGTERM"
  | "SIGHUP"
  | "SIGQUIT"
  | "SIGUSR1"
  | "SIGUSR2"
  | "SIGWINCH";

/** By SIGNAL, with the numbers that Linux gives them. */
const NAMES: ReadonlyMap<number, SimSignal> = new Map([
  [SIGNAL.INTERRUPT, "SIGINT"],
  [SIGNAL.TERMINATE, "SIGTERM"],
  [SIGNAL.HANGUP, "SIGHUP"],
  [SIGNAL.QUIT, "SIGQUIT"],
  [SIGNAL.USER1, "SIGUSR1"],
  [SIGNAL.USER2, "SIGUSR2"],
  [SIGNAL.WINDOW, "SIGWINCH"],
]);

export const SIGNAL_NUMBERS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGTERM: 15,
  SIGWINCH: 28,
} as const;

/** @param kind - One of SIGNAL, or SIGNAL_KILL. */
export function signalOf(kind: number): SimSignal | "SIGKILL" {
  return kind === SIGNAL_KILL ? "SIGKILL" : NAMES.get(kind)!;
}
