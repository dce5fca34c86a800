//! The backends of a browser, in place of candidates.ts: files and sockets are simulated, time is not.

import type { Candidate } from "./candidates.ts";
import { openNone } from "./none/none-backend.ts";
import { openPrivateWorld } from "./sim/private-world.ts";

export const CANDIDATES: readonly Candidate[] = [
  {
    name: "sim",
    open: (options) => openPrivateWorld(options, { speed: 1, wallStartMs: Date.now() }),
  },
  { name: "none", open: openNone },
];
