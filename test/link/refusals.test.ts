import { expect, test } from "vitest";
import { link } from "../../ts/link/link.ts";
import { prepare } from "../../ts/link/prepare.ts";
import { buildGuest } from "../support/build-guest.ts";
import { assemble } from "./assemble.ts";

const YIELD = '(import "stackful" "sf_yield" (func $yield (result i32)))';

const refused = (message: RegExp): object => ({
  code: "SF_LINK",
  message: expect.stringMatching(message),
});

test("a tail call is refused, with the function's name", async () => {
  const wasm = assemble(`(module ${YIELD} (memory 1)
    (func $jumps (export "jumps") (result i32) (return_call $yield)))`);
  await expect(link(wasm)).rejects.toMatchObject(refused(/jumps has a tail call/));
});

test("an indirect tail call is refused, with the function's name", async () => {
  const wasm = assemble(`(module (memory 1) (table 1 funcref) (type $t (func (result i32)))
    (func $jumps (export "jumps") (result i32) (return_call_indirect (type $t) (i32.const 0))))`);
  await expect(link(wasm)).rejects.toMatchObject(refused(/jumps has a tail call/));
});

test("call_ref is refused, with the function's name", async () => {
  const wasm = assemble(`(module (memory 1) (type $t (func (result i32)))
    (func $refers (export "refers") (param (ref $t)) (result i32) (call_ref $t (local.get 0))))`);
  await expect(link(wasm)).rejects.toMatchObject(refused(/refers has a call_ref/));
});

const TRY_TABLE = (name: string, callee: string): string => `
  (func $${name} (export "${name}") (result i32)
    (block $caught (try_table (catch_all $caught) (drop (call ${callee}))))
    (i32.const 1))`;

test("try_table on a path that may park is refused, with the function's name", async () => {
  const wasm = assemble(`(module ${YIELD} (memory 1) (tag $e)
    (func $below (result i32) (call $yield))
    ${TRY_TABLE("catches", "$below")})`);
  await expect(link(wasm)).rejects.toMatchObject(refused(/catches has a try_table/));
});

test("try_table elsewhere is accepted by the analysis", () => {
  const wasm = assemble(`(module ${YIELD} (memory 1) (tag $e)
    (func $pure (result i32) (i32.const 2))
    (func $parks (export "parks") (result i32) (call $yield))
    ${TRY_TABLE("catches", "$pure")})`);
  expect(() => prepare(wasm, [])).not.toThrow();
});

test("a GC instruction is refused, with the function's name", async () => {
  const wasm = assemble(`(module (memory 1)
    (func $boxes (export "boxes") (param i32) (result i32)
      (i31.get_s (ref.i31 (local.get 0)))))`);
  await expect(link(wasm)).rejects.toMatchObject(refused(/boxes has a GC instruction/));
});

test("a GC type is refused", async () => {
  const wasm = assemble(`(module (memory 1) (type $s (struct (field i32)))
    (func (export "f") (param (ref null $s)) (result i32) (struct.get $s 0 (local.get 0))))`);
  await expect(link(wasm)).rejects.toMatchObject(refused(/GC/));
});

test("a reference-typed local is refused on a path that may park, and accepted elsewhere", async () => {
  const body = (callee: string): string => `(module ${YIELD} (memory 1)
    (func $pure (result i32) (i32.const 1))
    (func $holds (export "holds") (param externref) (result externref) (local externref)
      (local.set 1 (local.get 0)) (drop (call ${callee})) (local.get 1)))`;
  await expect(link(assemble(body("$yield")))).rejects.toMatchObject(
    refused(/holds has a reference/),
  );
  expect(() => prepare(assemble(body("$pure")), [])).not.toThrow();
});

test("a reference-typed parameter is refused on a path that may park", async () => {
  const wasm = assemble(`(module ${YIELD} (memory 1)
    (func $holds (export "holds") (param externref) (result externref)
      (drop (call $yield)) (local.get 0)))`);
  await expect(link(wasm)).rejects.toMatchObject(refused(/holds has a reference/));
});

test.each([
  ["memory", '(import "env" "memory" (memory 1))', /imports the memory "env\.memory"/],
  ["table", '(import "env" "t" (table 1 funcref)) (memory 1)', /imports the table "env\.t"/],
  ["global", '(import "env" "g" (global i32)) (memory 1)', /imports the global "env\.g"/],
])("an imported %s is refused by its name", async (_kind, imports, message) => {
  const wasm = assemble(`(module ${imports} (func (export "f")))`);
  await expect(link(wasm)).rejects.toMatchObject(refused(message));
});

test("a module without a memory is refused", async () => {
  await expect(link(assemble('(module (func (export "f")))'))).rejects.toMatchObject(
    refused(/0 memories/),
  );
});

test("a 64-bit memory is refused", async () => {
  await expect(link(assemble("(module (memory i64 1))"))).rejects.toMatchObject(refused(/64-bit/));
});

test("a linked module is not linked again", async () => {
  const { wasm } = await buildGuest("tasks");
  await expect(link(wasm)).rejects.toMatchObject(refused(/linked before/));
});

test.each([
  ["an empty file", new Uint8Array()],
  ["text", new TextEncoder().encode("int main(void) { return 0; }")],
  ["seven bytes of a module", Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0)],
  ["a component", Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0)],
  ["a module of version 2", Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0)],
])("%s is SF_MODULE", async (_what, bytes) => {
  await expect(link(bytes)).rejects.toMatchObject({ code: "SF_MODULE" });
});

test("a component is told apart from a broken file", async () => {
  const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);
  await expect(link(component)).rejects.toThrow(/components are not supported/);
});

test("a truncated module is a named error, wherever it ends", async () => {
  const { raw } = await buildGuest("tasks");
  const step = Math.ceil(raw.length / 300);
  for (let length = 0; length < raw.length; length += step) {
    try {
      prepare(raw.subarray(0, length), []);
    } catch (error) {
      expect(error, `cut at ${length}`).toMatchObject({ name: "StackfulError" });
    }
  }
  // In the middle of the code section, which is most of the file.
  expect(() => prepare(raw.subarray(0, raw.length >> 1), [])).toThrow(
    expect.objectContaining({ code: "SF_MODULE" }),
  );
});

test("an async import that the module does not have is refused by its name", async () => {
  const wasm = assemble('(module (import "env" "there" (func)) (memory 1) (func (export "f")))');
  await expect(link(wasm, { asyncImports: ["env.elsewhere"] })).rejects.toMatchObject(
    refused(/no import is named "env\.elsewhere"/),
  );
});

test("a function that the core does not have is refused by its name", async () => {
  const wasm = assemble('(module (import "stackful" "sf_frobnicate" (func)) (memory 1))');
  await expect(link(wasm)).rejects.toMatchObject(refused(/no function "sf_frobnicate"/));
});

test("a function of the core with another type is a named error", async () => {
  const wasm = assemble(`(module (import "stackful" "sf_yield" (func $y (param i64))) (memory 1)
    (func (export "f") (call $y (i64.const 1))))`);
  await expect(link(wasm)).rejects.toMatchObject({ name: "StackfulError" });
});

test("an optimisation level out of range is a RangeError", async () => {
  const wasm = assemble("(module (memory 1))");
  for (const optimize of [-1, 5, 1.5])
    await expect(link(wasm, { optimize })).rejects.toThrow(RangeError);
});
