//! Signals of simulated processes.

import { SIGNAL_KILL } from "../../abi.gen.ts";
import { type SignalName, signalName } from "../../signals.ts";

/** A signal that a program can handle. */
export type SimSignal = SignalName;

/** As Linux numbers them. */
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
  return kind === SIGNAL_KILL ? "SIGKILL" : signalName(kind);
}
