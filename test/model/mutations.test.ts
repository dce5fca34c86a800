// Goal: the laws can fail: for each primitive there is a fault of the core that they find.
// Method: faults are put into a copy of the core's sources; the same guest is linked with it.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compileCore } from "../../scripts/build-core.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { buildModel, cached } from "./build.ts";
import { Explorer, type Violation } from "./explore.ts";
import { batches, type Mutation } from "./mutations.ts";
import { primitives } from "./primitives/index.ts";

const CORE = packageRoot("wasm/core");
const ORDERS_MAX = 200_000;

for (const [name, mutations] of Object.entries(batches)) {
  describe(name, () => {
    let explorer: Explorer;
    beforeAll(async () => {
      const wasm = await buildModel(await faultyCore(name, mutations));
      explorer = new Explorer(new WebAssembly.Module(wasm));
    });
    for (const mutation of mutations) {
      test(`${mutation.primitive.name}: found when ${mutation.fault}`, () => {
        expect(firstViolation(explorer, mutation)?.law).toBe(mutation.breaks);
      });
    }
  });
}

test("every primitive has a fault that is found", () => {
  const mutated = Object.values(batches).flatMap((each) => each.map(({ primitive }) => primitive));
  expect(new Set(mutated)).toEqual(new Set(primitives));
});

function firstViolation(explorer: Explorer, { primitive }: Mutation): Violation | undefined {
  for (const given of primitive.cases()) {
    const { violation } = explorer.every(given, ORDERS_MAX);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

function faultyCore(name: string, mutations: readonly Mutation[]): Promise<Uint8Array> {
  const directory = packageRoot(
    `dist/test-guests/core-${name.replaceAll(" ", "-")}-${process.pid}`,
  );
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  cpSync(CORE, directory, { recursive: true });
  const texts = new Map<string, string>();
  for (const { file, find, replace } of mutations) {
    const original = readFileSync(join(CORE, file), "utf8");
    if (original.split(find).length !== 2) {
      throw new Error(`wasm/core/${file} must hold this once: ${find}`);
    }
    texts.set(
      file,
      (texts.get(file) ?? original).replace(find, () => replace),
    );
  }
  for (const [file, text] of texts) writeFileSync(join(directory, file), text);
  const inputs = [...texts.values(), readFileSync(packageRoot("dist/core.wasm"))];
  return cached("faulty-core", inputs, () =>
    compileCore(directory, ["-O1", "-Wno-unused"]),
  ).finally(() => rmSync(directory, { recursive: true, force: true }));
}
