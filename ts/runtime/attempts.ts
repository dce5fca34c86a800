//! Transfers that the backend makes at once, while a task runs (docs/decisions/011).

import { ERRNO } from "../abi.gen.ts";
import type { Backend } from "../host/backend.ts";

/** Of a task, between two switches; then others have their turn. Tokio's budget is the same. */
const ATTEMPTS_MAX = 128;

export interface Attempts {
  /** The core's import. */
  attempt(): number;
  readonly attemptsMax: number;
}

export function attemptsOf(backend: Backend): Attempts {
  if (backend.attempt === undefined) return { attempt: () => -ERRNO.EAGAIN, attemptsMax: 0 };
  return { attempt: () => backend.attempt!(), attemptsMax: ATTEMPTS_MAX };
}
