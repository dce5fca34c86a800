//! How the resolver (wasm/net/) gets into guests that use it, and into no others.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { explain } from "../../ts/link/explain.ts";
import { link } from "../../ts/link/link.ts";
import { parseModule, SECTION } from "../../ts/link/wasm/module.ts";
import { packageRoot } from "../../ts/package-files.ts";
import { buildGuest } from "../support/build-guest.ts";
import { assemble } from "./assemble.ts";

/** Has no table, and keeps no stack in memory. */
const GUEST = `(module
  (import "stackful_net" "sf_resolve_address"
    (func $resolve (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "go") (result i32) (call $resolve (i32.const 64) (i32.const 0) (i32.const 0))))`;

const functionsOf = (wasm: Uint8Array): string[] => [...parseModule(wasm).functionNames.values()];

test("the resolver has no data, no table and no start of its own", () => {
  const net = parseModule(new Uint8Array(readFileSync(packageRoot("dist/net.wasm"))));
  for (const section of [SECTION.data, SECTION.table, SECTION.element, SECTION.start]) {
    expect(net.sections.has(section)).toBe(false);
  }
  const foreign = net.imports.filter(
    ({ module }) => !/^(stackful|guest|stackful_host)$/.test(module),
  );
  expect(foreign).toEqual([]);
});

test("a guest that does not ask for names has nothing of the resolver", async () => {
  const { wasm } = await buildGuest("tasks");
  const names = functionsOf(wasm);
  expect(names).not.toContain("sf_resolve");
  expect(parseModule(wasm).imports.map(({ name }) => name)).not.toContain("random_u64");
});

test("a guest that does has it as code of its own: no task can be started of it, and its stack is bounded", async () => {
  const { wasm, stacks } = await link(assemble(GUEST), { optimize: 0 });
  expect(parseModule(wasm).exports.map(({ name }) => name)).not.toContain("sf_resolve_address");
  expect(stacks.find(({ name }) => name === "go")?.stack).toMatchObject({ kind: "bound" });
  const { functions } = await explain(assemble(GUEST), []);
  const resolve = functions.find(({ name }) => /^sf_resolve_address(_\d+)?$/.test(name));
  expect(resolve?.path.length).toBeGreaterThan(1);
});

test("what a guest does not call of it is left out, also in one without table and stack", async () => {
  const { wasm } = await link(assemble(GUEST));
  const names = functionsOf(wasm);
  expect(names).toContain("sf_resolve_address");
  expect(names).not.toContain("sf_connect_host");
});

test("a function that the resolver does not have is refused by its name", async () => {
  const wasm = assemble(`(module (import "stackful_net" "sf_guess" (func)) (memory 1))`);
  await expect(link(wasm)).rejects.toMatchObject({
    code: "SF_LINK",
    message: expect.stringMatching(/the resolver has no function "sf_guess"/),
  });
});
