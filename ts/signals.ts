//! Signals that guests know, by the names the operating system gives them.

import { SIGNAL_TEXT } from "./abi.gen.ts";

export type SignalName =
  | "SIGINT"
  | "SIGTERM"
  | "SIGHUP"
  | "SIGQUIT"
  | "SIGUSR1"
  | "SIGUSR2"
  | "SIGWINCH";

const KINDS = new Map(Object.entries(SIGNAL_TEXT).map(([kind, name]) => [name, Number(kind)]));

/** In the order of their kinds. */
export const SIGNAL_NAMES = [...KINDS.keys()] as readonly SignalName[];

/** @throws {TypeError} no guest can watch it. */
export function signalKind(name: SignalName): number {
  const kind = KINDS.get(name);
  if (kind !== undefined) return kind;
  throw new TypeError(`raise ${name}: a guest can watch ${SIGNAL_NAMES.join(", ")}`);
}

/** @param kind - One of SIGNAL. */
export function signalName(kind: number): SignalName {
  return SIGNAL_TEXT[kind] as SignalName;
}
