import { isIPv4, isIPv6 } from "node:net";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ERRNO } from "../../ts/abi.gen.ts";
import type { Runtime } from "../../ts/runtime/runtime.ts";
import { lawsOf, withRuntime } from "../support/runtime.ts";

const { load } = lawsOf("memory");

interface Parsed {
  readonly result: number;
  readonly family: number;
  readonly port: number;
  readonly bytes: readonly number[];
}

function parser(runtime: Runtime): (text: string, port?: number) => Parsed {
  const exports = runtime.exports as Record<string, (...args: number[]) => number>;
  const textAt = exports.text_address!();
  const parsedAt = exports.parsed_address!();
  return (text, port = 80) => {
    const encoded = new TextEncoder().encode(text);
    new Uint8Array(runtime.memory.buffer).set(encoded, textAt);
    const result = exports.parse!(encoded.length, port);
    const view = new DataView(runtime.memory.buffer, parsedAt, 24);
    const bytes = [...new Uint8Array(runtime.memory.buffer, parsedAt + 8, 16)];
    return { result, family: view.getUint16(0, true), port: view.getUint16(2, true), bytes };
  };
}

test("addresses of both families are parsed to network order", async () => {
  await withRuntime(await load(), {}, async (runtime) => {
    const parse = parser(runtime);
    const v6 = (...groups: number[]): number[] =>
      groups.flatMap((group) => [group >> 8, group & 255]);
    const zeros = new Array<number>(12).fill(0);
    const cases: [string, number, number[]][] = [
      ["192.0.2.1", 4, [192, 0, 2, 1, ...zeros]],
      ["255.255.255.255", 4, [255, 255, 255, 255, ...zeros]],
      ["0.0.0.0", 4, [0, 0, 0, 0, ...zeros]],
      ["::", 6, v6(0, 0, 0, 0, 0, 0, 0, 0)],
      ["::1", 6, v6(0, 0, 0, 0, 0, 0, 0, 1)],
      ["1::", 6, v6(1, 0, 0, 0, 0, 0, 0, 0)],
      ["2001:DB8::ff00:42:8329", 6, v6(0x2001, 0xdb8, 0, 0, 0, 0xff00, 0x42, 0x8329)],
      ["1:2:3:4:5:6:7:8", 6, v6(1, 2, 3, 4, 5, 6, 7, 8)],
      ["1:2:3:4:5:6:7::", 6, v6(1, 2, 3, 4, 5, 6, 7, 0)],
      ["::ffff:192.0.2.1", 6, v6(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201)],
      ["64:ff9b::1.2.3.4", 6, v6(0x64, 0xff9b, 0, 0, 0, 0, 0x0102, 0x0304)],
    ];
    for (const [text, family, bytes] of cases) {
      expect({ text, ...parse(text) }).toEqual({ text, result: 0, family, port: 80, bytes });
    }
  });
});

test("a port over 65535 is EINVAL", async () => {
  await withRuntime(await load(), {}, async (runtime) => {
    const parse = parser(runtime);
    expect(parse("::1", 65_535)).toMatchObject({ result: 0, port: 65_535 });
    expect(parse("::1", 65_536).result).toBe(-ERRNO.EINVAL);
    expect(parse("::1", -1).result).toBe(-ERRNO.EINVAL);
  });
});

// Goal: exactly the texts that are addresses are accepted, and the result is untouched for others.
// Method: random texts from the letters of addresses, and random mutations of addresses, against
// node:net. Zones and IPv4 parts with leading zeros are left out: node:net has its own rules there.
test("exactly what node:net calls an address is one", async () => {
  await withRuntime(await load(), {}, async (runtime) => {
    const parse = parser(runtime);
    const letters = fc.string({
      unit: fc.constantFrom(..."0123456789abcdefF:::...g"),
      maxLength: 24,
    });
    const group = fc.integer({ min: 0, max: 0x1_2000 }).map((value) => value.toString(16));
    const part = fc.integer({ min: 0, max: 300 }).map(String);
    const v4 = fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join("."));
    const groups = fc.array(group, { maxLength: 8 });
    const v6 = fc
      .tuple(groups, groups, fc.constantFrom("::", ":", ""), fc.option(v4))
      .map(([left, right, gap, tail]) =>
        [left.join(":"), gap, right.join(":"), ...(tail === null ? [] : [":", tail])].join(""),
      );
    const check = (text: string): void => {
      fc.pre(!/(^|[.:])0\d/.test(text) || !text.includes("."));
      const { result, family, bytes } = parse(text);
      if (isIPv4(text)) expect({ text, result, family }).toEqual({ text, result: 0, family: 4 });
      else if (isIPv6(text))
        expect({ text, result, family }).toEqual({ text, result: 0, family: 6 });
      else {
        expect({ text, result }).toEqual({ text, result: -ERRNO.EINVAL });
        expect([family, ...bytes]).toEqual([0xcccc, ...new Array(16).fill(0xcc)]);
      }
    };
    fc.assert(fc.property(fc.oneof(letters, v4, v6), check), { numRuns: 20_000 });
  });
});
