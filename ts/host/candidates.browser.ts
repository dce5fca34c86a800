//! The backends of a browser, in place of candidates.ts.

import type { Candidate } from "./candidates.ts";
import { openNone } from "./none/none-backend.ts";

export const CANDIDATES: readonly Candidate[] = [{ name: "none", open: openNone }];
