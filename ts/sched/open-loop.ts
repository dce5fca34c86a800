//! Chooses the loop: the one that the backend's driver drives, or the one on the host's own time.

import type { Guest } from "../guest/guest.ts";
import type { Backend } from "../host/backend.ts";
import { DrivenLoop } from "./driven-loop.ts";
import type { Loop, LoopOptions } from "./loop.ts";
import { TurnLoop } from "./turn-loop.ts";

export function openLoop(guest: Guest, backend: Backend, options: LoopOptions): Loop {
  const { driver } = backend;
  if (driver !== undefined) return new DrivenLoop(guest, backend, driver, options);
  return new TurnLoop(guest, backend, options);
}
