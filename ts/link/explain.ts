//! Why functions are instrumented: the way from each to what may park.

import { link } from "./link.ts";
import { withNet } from "./net.ts";
import { prepare } from "./prepare.ts";
import { functionName, parseModule, type WasmModule } from "./wasm/module.ts";

export interface Explained {
  readonly name: string;
  /** The function, what it calls, and so on to what may park; ends with "indirect call" or an import. */
  readonly path: readonly string[];
  /** Code size as the compiler wrote it, in bytes. */
  readonly bytes: number;
  /** Code size after linking; undefined when it was inlined away. */
  readonly linkedBytes: number | undefined;
}

export interface Explanation {
  readonly functionsAll: number;
  readonly plainBytes: number;
  readonly linkedBytes: number;
  readonly functions: readonly Explained[];
}

/** @throws {StackfulError} as `link` does. */
export async function explain(
  guest: Uint8Array,
  asyncImports: readonly string[],
): Promise<Explanation> {
  const { module, suspending } = prepare(await withNet(guest), asyncImports);
  const { wasm, figures } = await link(guest, { asyncImports });
  const linkedBytes = codeSizes(parseModule(wasm));
  const functions = [...suspending.keys()].map((index): Explained => {
    const name = functionName(module, index);
    const path = [name];
    for (let at = suspending.get(index); at !== undefined; ) {
      if (at === "indirect call") {
        path.push(at);
        break;
      }
      path.push(functionName(module, at.calls));
      at = suspending.get(at.calls);
    }
    const body = module.bodies[index - module.functionImports.length]!;
    return { name, path, bytes: body.end - body.start, linkedBytes: linkedBytes.get(name) };
  });
  functions.sort((a, b) => (b.linkedBytes ?? 0) - (a.linkedBytes ?? 0));
  return {
    functionsAll: module.bodies.length,
    plainBytes: figures.plainBytes,
    linkedBytes: figures.linkedBytes,
    functions,
  };
}

function codeSizes(module: WasmModule): Map<string, number> {
  const sizes = new Map<string, number>();
  module.bodies.forEach((body, offset) => {
    const name = functionName(module, module.functionImports.length + offset);
    sizes.set(name, body.end - body.start);
  });
  return sizes;
}
