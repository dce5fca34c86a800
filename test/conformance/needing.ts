//! Laws of operations that not every backend has.

import type { OperationName } from "../../ts/host/capability.ts";
import type { Law } from "./backend-conformance.ts";

/** Adds laws that are skipped where the backend has not all of these operations, unless they name others. */
export function needing(law: Law, ...needs: readonly OperationName[]): Law {
  return (title, body, options) => law(title, body, { needs, ...options });
}
