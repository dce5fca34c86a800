//! What linking needs of Deno. Binaryen's tools are processes of their own, which read and write files,
//! and Deno gives a process every permission or none.

import { StackfulError } from "../errors.ts";
import { flagOf, permitted } from "../permissions.ts";

const NEEDED = (["read", "write", "env", "run"] as const).map((name) => ({ name }));

/** @throws {StackfulError} SF_TOOLCHAIN that names the flags that are missing. */
export function checkLinkPermissions(): void {
  const missing = NEEDED.filter((permission) => !permitted(permission));
  if (missing.length === 0) return;
  const flags = missing.map(flagOf).join(" ");
  throw new StackfulError("SF_TOOLCHAIN", `linking: in Deno it needs ${flags}`, {
    hint: "or ship modules that are linked already",
  });
}
