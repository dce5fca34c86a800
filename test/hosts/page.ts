//! The shared suite in a page. Who drives the page calls `runHosts`.

import { type BackendName, Runtime } from "../../ts/index.ts";
import { CASES, runCase, skipReason } from "./shared-suite.ts";

/** How one case ended. */
export interface CaseResult {
  readonly title: string;
  readonly skipped?: string;
  readonly failure?: string;
}

async function runHosts(backend: BackendName): Promise<CaseResult[]> {
  const place = {
    backend,
    guests: { hosts: new URL("hosts.wasm", location.href), io: new URL("io.wasm", location.href) },
    directory: "/data",
    Runtime,
  };
  const results: CaseResult[] = [];
  for (const hostCase of CASES) {
    const { title } = hostCase;
    const skipped = skipReason(hostCase, backend);
    if (skipped !== undefined) {
      results.push({ title, skipped });
      continue;
    }
    const failure = await runCase(hostCase, place).then(() => undefined, String);
    results.push(failure === undefined ? { title } : { title, failure });
  }
  return results;
}

Object.assign(globalThis, { runHosts });
