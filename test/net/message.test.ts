//! The resolver's reader of DNS messages (wasm/net/message.h) against whatever somebody may send: it ends,
//! never traps, and looks at nothing outside of the message, which lies at the end of the memory.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../ts/link/toolchain.ts";
import { packageRoot } from "../../ts/package-files.ts";

const SOURCE = `
#include "message.h"
static struct reading reading;
static struct found found;
static uint8_t query[QUERY_BYTES_MAX];
static char name[NAME_TEXT_MAX + 1];
static struct wire wire;
#define EXPORT(name) __attribute__((export_name(#name)))
EXPORT(name_room) char *name_room(void) { return name; }
EXPORT(ask) uint32_t ask(uint32_t name_bytes, uint32_t type, uint32_t id) {
  const struct text text = {name, name + name_bytes};
  return wire_from_text(text, &wire) ? write_query(query, id, &wire, type) : 0;
}
EXPORT(query_at) uint8_t *query_at(void) { return query; }
EXPORT(read) uint32_t read(const uint8_t *at, uint32_t bytes, uint32_t query_bytes, uint32_t type) {
  const struct message message = {at, bytes}, asked = {query, query_bytes};
  found = (struct found){.ttl_s = 60};
  return read_answer(message, asked, type, &reading, &found);
}
EXPORT(found_ttl) uint32_t found_ttl(void) { return found.ttl_s; }
EXPORT(found_ipv4) uint32_t found_ipv4(void) { return found.ipv4_count; }
EXPORT(found_ipv6) uint32_t found_ipv6(void) { return found.ipv6_count; }
EXPORT(found_name) uint32_t found_name(void) { return found.name_bytes; }
`;

interface Reader {
  readonly memory: WebAssembly.Memory;
  name_room(): number;
  ask(nameBytes: number, type: number, id: number): number;
  query_at(): number;
  read(at: number, bytes: number, queryBytes: number, type: number): number;
  found_ttl(): number;
  found_ipv4(): number;
  found_ipv6(): number;
  found_name(): number;
}

const A = 1;
const CNAME = 5;
const PTR = 12;
const AAAA = 28;
const VERDICT = { OTHER: 0, FOUND: 1, NO_NAME: 2, TRUNCATED: 3, FAILED: 4 } as const;
const FAMILY_MAX = 16;
const ID = 0x1234;

let reader: Reader;
const directory = mkdtempSync(join(tmpdir(), "stackful-message-"));
afterAll(() => rmSync(directory, { recursive: true }));

beforeAll(async () => {
  const source = join(directory, "reader.c");
  writeFileSync(source, SOURCE);
  const wasm = await compile({
    sources: [source],
    includes: [packageRoot("wasm/net"), packageRoot("wasm/include")],
    flags: [
      ...["--target=wasm32-unknown-unknown", "-O2", "-ffreestanding", "-nostdlib", "-mbulk-memory"],
      ...["-Xlinker", "--no-entry"],
    ],
  });
  const { instance } = await WebAssembly.instantiate(wasm as Uint8Array<ArrayBuffer>, {});
  reader = instance.exports as unknown as Reader;
});

function query(name: string, type: number): Uint8Array {
  const text = new TextEncoder().encode(name);
  new Uint8Array(reader.memory.buffer).set(text, reader.name_room());
  const bytes = reader.ask(text.length, type, ID);
  return new Uint8Array(reader.memory.buffer).slice(reader.query_at(), reader.query_at() + bytes);
}

/** The verdict on `message`, whose last byte is the memory's last. */
function read(message: Uint8Array, name: string, type: number): number {
  const { length } = query(name, type);
  const memory = new Uint8Array(reader.memory.buffer);
  const at = memory.length - message.length;
  memory.set(message, at);
  return reader.read(at, message.length, length, type);
}

const wire = (name: string): number[] =>
  name === "" ? [0] : [...name.split(".").flatMap((l) => [l.length, ...Buffer.from(l)]), 0];
const u16 = (value: number): number[] => [value >> 8, value & 255];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];

interface Record {
  readonly owner: readonly number[];
  readonly type: number;
  readonly ttl?: number;
  readonly data: readonly number[];
}

function answer(
  name: string,
  type: number,
  records: readonly Record[],
  { flags = 0x8180, questions = 1, count = records.length } = {},
): Uint8Array {
  return Uint8Array.from([
    ...[...u16(ID), ...u16(flags), ...u16(questions), ...u16(count), 0, 0, 0, 0],
    ...(questions > 0 ? [...wire(name), ...u16(type), 0, 1] : []),
    ...records.flatMap(({ owner, type: of, ttl = 30, data }) => [
      ...[...owner, ...u16(of), 0, 1, ...u32(ttl), ...u16(data.length), ...data],
    ]),
  ]);
}

/** A pointer to the name that was asked for. */
const SAME = [0xc0, 12];

describe("an answer", () => {
  test("gives the addresses of the name, and the shortest time to live", () => {
    const records = [1, 2, 3].map((last) => ({
      ...{ owner: SAME, type: A, ttl: 10 * last, data: [10, 0, 0, last] },
    }));
    expect(read(answer("web.example", A, records), "WEB.example", A)).toBe(VERDICT.FOUND);
    expect([reader.found_ipv4(), reader.found_ttl()]).toEqual([3, 10]);
  });

  test("is followed through aliases in any order, and no others' records are taken", () => {
    const records = [
      { owner: wire("c.example"), type: AAAA, data: Array(16).fill(7) },
      { owner: wire("evil.example"), type: AAAA, data: Array(16).fill(6) },
      { owner: wire("B.example"), type: CNAME, data: wire("c.example") },
      { owner: SAME, type: CNAME, data: wire("b.EXAMPLE") },
    ];
    expect(read(answer("a.example", AAAA, records), "a.example", AAAA)).toBe(VERDICT.FOUND);
    expect(reader.found_ipv6()).toBe(1);
  });

  test("is of this question alone: id, name, type, direction", () => {
    const records = [{ owner: SAME, type: A, data: [1, 2, 3, 4] }];
    const good = answer("web", A, records);
    const other = (change: (bytes: Uint8Array) => void): number => {
      const bytes = good.slice();
      change(bytes);
      return read(bytes, "web", A);
    };
    expect(other(() => {})).toBe(VERDICT.FOUND);
    expect(other((bytes) => bytes.set([0x12, 0x35]))).toBe(VERDICT.OTHER);
    expect(other((bytes) => bytes.set([0x01], 2))).toBe(VERDICT.OTHER);
    expect(other((bytes) => bytes.set([0xa1], 2))).toBe(VERDICT.OTHER);
    expect(read(answer("wex", A, records), "web", A)).toBe(VERDICT.OTHER);
    expect(read(answer("web", AAAA, records), "web", A)).toBe(VERDICT.OTHER);
    expect(read(answer("web", A, records, { questions: 2 }), "web", A)).toBe(VERDICT.OTHER);
    expect(reader.found_ipv4()).toBe(0);
  });

  test("says that it is too long, that there is no such name, or that the server cannot tell", () => {
    const verdict = (flags: number, questions = 1): number =>
      read(answer("web", A, [], { flags, questions }), "web", A);
    expect(verdict(0x8380)).toBe(VERDICT.TRUNCATED);
    expect(verdict(0x8183)).toBe(VERDICT.NO_NAME);
    for (const rcode of [1, 2, 4, 5]) expect(verdict(0x8180 | rcode)).toBe(VERDICT.FAILED);
    expect(verdict(0x8181, 0)).toBe(VERDICT.FAILED);
    expect(verdict(0x8180)).toBe(VERDICT.FOUND);
    expect(reader.found_ipv4()).toBe(0);
  });

  test("of which a part makes no sense gives nothing", () => {
    const good = { owner: SAME, type: A, data: [1, 2, 3, 4] };
    for (const bad of [
      { owner: [0xc0, 0xff], type: A, data: [1] },
      { owner: [64, 1], type: A, data: [1] },
      { owner: SAME, type: CNAME, data: [0xc0, 200] },
    ]) {
      const message = answer("web", A, [good, bad]);
      expect(read(message, "web", A)).toBe(VERDICT.FAILED);
      expect(reader.found_ipv4()).toBe(0);
    }
    expect(read(answer("web", A, [good], { count: 2 }), "web", A)).toBe(VERDICT.FAILED);
    expect(reader.found_ipv4()).toBe(0);
  });

  test("with names that point at themselves, forward, or in circles ends", () => {
    for (const owner of [
      [0xc0, 21], // itself: the first record of the answer for "web"
      [0xc0, 23],
      [0xc0, 22, 0],
      [1, 0x61, 0xc0, 21],
      [0xff, 0xff],
      [0xc0],
    ]) {
      const message = answer("web", A, [{ owner, type: A, data: [1, 2, 3, 4] }]);
      expect(read(message, "web", A)).toBe(VERDICT.FAILED);
    }
  });

  test("keeps 16 addresses, and a name only of letters that names have", () => {
    const many = Array.from({ length: 100 }, () => ({ owner: SAME, type: A, data: [1, 2, 3, 4] }));
    expect(read(answer("web", A, many), "web", A)).toBe(VERDICT.FOUND);
    expect(reader.found_ipv4()).toBe(FAMILY_MAX);
    for (const [name, length] of [
      ["host.example", 12],
      ["a b.example", 0],
      ["a\0b.example", 0],
      ["\x1b[31m.example", 0],
      ["", 0],
    ] as const) {
      const records = [{ owner: SAME, type: PTR, data: wire(name) }];
      expect(read(answer("1.in-addr.arpa", PTR, records), "1.in-addr.arpa", PTR)).toBe(
        VERDICT.FOUND,
      );
      expect(reader.found_name()).toBe(length);
    }
  });
});

describe("a query", () => {
  test("asks for one name in small letters, and says how much it takes at once", () => {
    expect([...query("Web.Example.", AAAA)]).toEqual([
      ...[...u16(ID), 1, 0, 0, 1, 0, 0, 0, 0, 0, 1],
      ...[...wire("web.example"), 0, 28, 0, 1],
      ...[0, 0, 41, ...u16(1232), 0, 0, 0, 0, 0, 0],
    ]);
  });

  test("is made of names alone", () => {
    const label = "a".repeat(63);
    for (const name of ["a", "a.", "_x-9", `${label}.${label}.${label}.${"a".repeat(61)}`]) {
      expect(query(name, A).length).toBeGreaterThan(0);
    }
    for (const name of [
      "",
      ".",
      "..",
      "a..",
      ".a",
      `${label}a`,
      "a b",
      "é",
      `${label}.`.repeat(4),
    ]) {
      expect(query(name, A)).toHaveLength(0);
    }
  });
});

describe("whatever somebody sends", () => {
  const TYPES = [A, AAAA, PTR] as const;
  const bytes = fc.uint8Array({ maxLength: 700 });
  const pointer = fc.nat(0x3fff).map((to) => [0xc0 | (to >> 8), to & 255]);
  const near = fc.nat(120).map((to) => [0xc0, to]);
  const label = fc
    .uint8Array({ minLength: 1, maxLength: 63 })
    .map((letters) => [letters.length, ...letters]);
  const owner = fc
    .tuple(fc.array(label, { maxLength: 4 }), fc.oneof(near, pointer, fc.constant([0])))
    .map(([labels, end]) => [...labels.flat(), ...end]);
  const record = fc.record({
    owner: fc.oneof(owner, fc.constant(SAME)),
    type: fc.constantFrom(A, CNAME, PTR, AAAA, 41, 255),
    ttl: fc.nat(),
    data: fc.oneof(owner, fc.array(fc.nat(255), { maxLength: 20 })),
  });

  const holds = (verdict: number, type: number): void => {
    expect(Object.values(VERDICT)).toContain(verdict);
    expect(reader.found_ipv4()).toBeLessThanOrEqual(type === A ? FAMILY_MAX : 0);
    expect(reader.found_ipv6()).toBeLessThanOrEqual(type === AAAA ? FAMILY_MAX : 0);
    expect(reader.found_name()).toBeLessThanOrEqual(type === PTR ? 253 : 0);
    if (verdict !== VERDICT.FOUND) {
      expect(reader.found_ipv4() + reader.found_ipv6() + reader.found_name()).toBe(0);
    }
  };

  test("rubbish never traps", () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom(...TYPES), (message, type) => {
        holds(read(message, "web", type), type);
      }),
      { numRuns: 3000 },
    );
  });

  test("answers of rubbish records, cut anywhere, never trap", () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 12 }),
        fc.constantFrom(...TYPES),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(0xffff),
        (records, type, cut, count) => {
          const whole = answer("web", type, records, { count });
          holds(read(answer("web", type, records), "web", type), type);
          holds(read(whole, "web", type), type);
          holds(read(whole.subarray(0, Math.ceil(whole.length * cut)), "web", type), type);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("good answers with bytes changed never trap", () => {
    const good = answer("web", A, [
      { owner: SAME, type: CNAME, data: wire("a.example") },
      { owner: wire("a.example"), type: A, data: [1, 2, 3, 4] },
      { owner: [1, 0x61, 0xc0, 12], type: A, data: [1, 2, 3, 4] },
    ]);
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const message = good.slice();
        for (const [at, value] of changes) message[at] = value;
        holds(read(message, "web", A), A);
      }),
      { numRuns: 5000 },
    );
  });

  test("a message of the largest size that leads round and round is read soon", () => {
    const chain = Array.from({ length: 512 }, (_, index) => ({
      owner: index === 0 ? SAME : wire(`n${index}`),
      type: CNAME,
      data: wire(`n${index + 1}`),
    }));
    expect(read(answer("web", A, chain), "web", A)).toBe(VERDICT.FOUND);
    expect(reader.found_ipv4()).toBe(0);
  });
});
