//! Once before all tests: the coroutine core is built when its sources changed.

import { buildCore } from "../../scripts/build-core.ts";

export async function setup(): Promise<void> {
  await buildCore();
}
