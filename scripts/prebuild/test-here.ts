//! Tries addons of other machines as far as this one can.

import { EMULATED } from "../../test/conformance/emulated.ts";
import { PREBUILT } from "../../test/native/tested-addon.ts";
import { runInWine } from "../../test/support/wine.ts";
import type { SuiteResult } from "../matrix/results.ts";
import { countResults } from "../matrix/run-tests.ts";
import { installWindowsNode } from "../windows.ts";
import { emulatedNode } from "./emulated.ts";
import { findMusl, loadInMusl } from "./musl.ts";
import { muslNode } from "./musl-node.ts";
import { type OtherNode, runInOtherNode } from "./other-node.ts";
import { type Target, targetFile } from "./targets.ts";

export interface Tried {
  readonly line: string;
  readonly failed: boolean;
}

/** Something to try. */
interface Trial {
  readonly what: string;
  run(): Promise<Outcome>;
}

/** `failure` undefined: none. */
type Outcome = { readonly told: string; readonly failure?: boolean };

const WINE_LIMIT_MS = 3_600_000;

/** `begin` is told of each that takes minutes. */
export async function* testHere(
  targets: readonly Target[],
  begin: (what: string) => void,
): AsyncGenerator<Tried> {
  for (const target of targets) {
    for (const { what, run } of trialsOf(target)) {
      const title = `${target.name}  ${what}`;
      begin(title);
      const { told, failure = false } = await run().catch(brokenBy);
      yield { line: `${title}: ${told}`, failed: failure };
    }
  }
}

function trialsOf(target: Target): Trial[] {
  const { name, platform, arch } = target;
  if (platform === "linux" && arch === process.arch) {
    const laws = ["uring", "epoll", "poll"].map((mechanism) => inNode(muslNode, "musl", mechanism));
    return [inMusl(target), ...laws];
  }
  if (name === "linux-arm64") {
    const env = { [EMULATED]: "1" };
    // qemu has no io_uring.
    return ["epoll", "poll"].map((mechanism) => inNode(emulatedNode, "emulated", mechanism, env));
  }
  if (name === "win32-x64") return [inWindows()];
  return [{ what: "laws", run: async () => skipped("nothing here runs programs for it") }];
}

const brokenBy = (error: Error): Outcome => ({ told: error.message, failure: true });
const skipped = (reason: string): Outcome => ({ told: `skipped: ${reason}` });

function inMusl(target: Target): Trial {
  const run = async (): Promise<Outcome> => {
    const compiler = findMusl();
    if (compiler === undefined) return skipped("no musl-gcc in PATH");
    const failure = loadInMusl(targetFile(target), compiler);
    return { told: failure ?? "loads", failure: failure !== undefined };
  };
  return { what: "in a program of musl's", run };
}

function inNode(
  find: () => OtherNode,
  which: string,
  mechanism: string,
  env?: Readonly<Record<string, string>>,
): Trial {
  const run = async (): Promise<Outcome> => {
    const node = find();
    if ("reason" in node) return skipped(node.reason);
    return outcomeOf(
      await runInOtherNode(node.command, `test/conformance/${mechanism}.test.ts`, env),
    );
  };
  return { what: `laws of ${mechanism} in ${which} Node`, run };
}

function inWindows(): Trial {
  const run = async (): Promise<Outcome> => {
    const windows = installWindowsNode();
    if (typeof windows === "string") return skipped(windows);
    const env = { [PREBUILT]: "1" };
    const { results, broken } = await runInWine(windows, { limitMs: WINE_LIMIT_MS, env });
    const counted = countResults(results);
    if (broken === undefined) return outcomeOf(counted);
    const failures = [...counted.failures, broken];
    return outcomeOf({ ...counted, failed: failures.length, failures });
  };
  return { what: "laws of iocp in Windows Node under Wine", run };
}

function outcomeOf({ passed, failed, skipped, reasons, failures }: SuiteResult): Outcome {
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  const why = Object.entries(reasons).map(([reason, times]) => `skipped: ${times}: ${reason}`);
  // Where the addon does not load, all are skipped.
  return { told: [counts, ...failures, ...why].join("\n  "), failure: failed > 0 || passed === 0 };
}
