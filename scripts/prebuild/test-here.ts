//! Tries addons of other machines as far as this one can.

import { emulatedNode, runEmulated } from "./emulated.ts";
import { loadInMusl, muslLoader } from "./musl.ts";
import { type Target, targetFile } from "./targets.ts";

export interface Tried {
  readonly line: string;
  readonly failed: boolean;
}

/** The mechanisms that qemu has: not io_uring. */
const EMULATED = ["epoll", "poll"];

/** What this machine's own musl loads. */
const MUSL = { "linux-x64": "x86_64", "linux-arm64": "aarch64" } as const;

export async function* testHere(targets: readonly Target[], zig: string): AsyncGenerator<Tried> {
  for (const target of targets) {
    const { name } = target;
    if (name === "linux-x64" || name === "linux-arm64") yield inMusl(target, zig, MUSL[name]);
    if (name === "linux-arm64") yield* emulated(name);
  }
}

function inMusl(target: Target, zig: string, arch: string): Tried {
  const what = `${target.name}  in a program of musl's`;
  if (muslLoader(arch) === undefined) {
    return { line: `${what}: skipped: there is no /lib/ld-musl-${arch}.so.1`, failed: false };
  }
  const failure = loadInMusl(targetFile(target), zig, arch);
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
