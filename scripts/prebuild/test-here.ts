//! Tries addons of other machines as far as this one can.

import { emulatedNode, runEmulated } from "./emulated.ts";
import { findMusl, loadInMusl } from "./musl.ts";
import { type Target, targetFile } from "./targets.ts";

export interface Tried {
  readonly line: string;
  readonly failed: boolean;
}

/** The mechanisms that qemu has: not io_uring. */
const EMULATED = ["epoll", "poll"];

export async function* testHere(targets: readonly Target[]): AsyncGenerator<Tried> {
  for (const target of targets) {
    const { name, system } = target;
    if (system === "linux" && name.endsWith(`-${process.arch}`)) yield inMusl(target);
    if (name === "linux-arm64") yield* emulated(name);
  }
}

function inMusl(target: Target): Tried {
  const what = `${target.name}  in a program of musl's`;
  const compiler = findMusl();
  if (compiler === undefined) {
    return { line: `${what}: skipped: no musl-gcc in PATH`, failed: false };
  }
  const failure = loadInMusl(targetFile(target), compiler);
  return { line: `${what}: ${failure ?? "loads"}`, failed: failure !== undefined };
}

async function* emulated(name: string): AsyncGenerator<Tried> {
  const node = emulatedNode();
  for (const mechanism of EMULATED) {
    const what = `${name}  laws of ${mechanism} in emulated Node`;
    if ("reason" in node) {
      yield { line: `${what}: skipped: ${node.reason}`, failed: false };
      continue;
    }
    const file = `test/conformance/${mechanism}.test.ts`;
    const { passed, failed, skipped, failures } = await runEmulated(node.command, file);
    const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    // Where the addon does not load, all are.
    const line = [`${what}: ${counts}`, ...failures].join("\n  ");
    yield { line, failed: failed > 0 || passed === 0 };
  }
}
