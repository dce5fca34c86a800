//! What every host must do for a guest, on every backend that it has. One body: nothing here is of one
//! JavaScript runtime, or of a test runner; it runs in a page too.

import type { BackendName } from "../../ts/index.ts";
import { Bench, type HostCase, type Place, same } from "./bench.ts";
import { hostCases } from "./host-cases.ts";
import { ioCases } from "./io-cases.ts";

export const CASES: readonly HostCase[] = [...hostCases, ...ioCases];

/** What each backend lacks, and why. */
const LACKS: Readonly<Partial<Record<BackendName, string>>> = {
  none: "backend none has no sockets and no files",
};

/** Why this backend cannot show a case; undefined when it can. */
export function skipReason({ needs }: HostCase, backend: BackendName): string | undefined {
  return needs === undefined ? undefined : LACKS[backend];
}

/** Runs one case; what it opened is gone when it ends, and it must have left nothing behind. */
export async function runCase(hostCase: HostCase, place: Place): Promise<void> {
  await using bench = new Bench(place);
  await hostCase.run(bench);
  for (const { stats } of bench.opened) {
    same({ tasks: stats.tasksLive, handles: stats.handlesOpen }, { tasks: 0, handles: 0 });
    same(stats.backend, place.backend);
  }
}
