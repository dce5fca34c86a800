//! What a shared library for Linux needs of the system that loads it, read from the file.

import { readFileSync } from "node:fs";

export interface LibraryNeeds {
  /** Other libraries, by name. */
  readonly libraries: readonly string[];
  /** Versions of symbols: "GLIBC_2.17". */
  readonly versions: readonly string[];
  /** Symbols of others, without versions. */
  readonly symbols: readonly string[];
}

const LOAD = 1;
const DYNAMIC = 2;
const TAG = {
  end: 0,
  needed: 1,
  strings: 5,
  symbols: 6,
  versions: 0x6ffffffe,
  versionsCount: 0x6fffffff,
} as const;
/** Type of the section of symbols that are found when it is loaded; the first of them is none. */
const SYMBOLS = 11;
const SYMBOL_BYTES = 24;

/** @throws {Error} when it is no library for a 64-bit machine, least byte first. */
export function libraryNeeds(file: string): LibraryNeeds {
  const bytes = readFileSync(file);
  if (bytes.toString("latin1", 0, 6) !== "\x7fELF\x02\x01")
    throw new Error(`${file}: no 64-bit ELF`);
  const at = (offset: number): number => Number(bytes.readBigUInt64LE(offset));
  const programHeaders = Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const start = at(32) + index * bytes.readUInt16LE(54);
    const [offset, address, size] = [at(start + 8), at(start + 16), at(start + 32)];
    return { type: bytes.readUInt32LE(start), offset, address, size };
  });

  /** Where in the file an address is. */
  const offsetOf = (wanted: number): number => {
    for (const { type, offset, address, size } of programHeaders) {
      if (type === LOAD && wanted >= address && wanted < address + size) {
        return offset + wanted - address;
      }
    }
    throw new Error(`${file}: nothing is at ${wanted}`);
  };

  const dynamic = programHeaders.find(({ type }) => type === DYNAMIC)!;
  const entries: { readonly tag: number; readonly value: number }[] = [];
  for (let entry = dynamic.offset; at(entry) !== TAG.end; entry += 16) {
    entries.push({ tag: at(entry), value: at(entry + 8) });
  }
  const firstOf = (wanted: number): number | undefined =>
    entries.find(({ tag }) => tag === wanted)?.value;
  const place = (tag: number): number => offsetOf(firstOf(tag)!);

  const strings = place(TAG.strings);
  const text = (index: number): string => {
    const start = strings + index;
    return bytes.toString("latin1", start, bytes.indexOf(0, start));
  };

  const versions: string[] = [];
  let library = firstOf(TAG.versions) === undefined ? 0 : place(TAG.versions);
  for (let left = firstOf(TAG.versionsCount) ?? 0; left > 0; left--) {
    let version = library + bytes.readUInt32LE(library + 8);
    for (let count = bytes.readUInt16LE(library + 2); count > 0; count--) {
      versions.push(text(bytes.readUInt32LE(version + 8)));
      version += bytes.readUInt32LE(version + 12);
    }
    library += bytes.readUInt32LE(library + 12);
  }

  const sections = Array.from({ length: bytes.readUInt16LE(60) }, (_, index) => {
    const start = at(40) + index * bytes.readUInt16LE(58);
    return { type: bytes.readUInt32LE(start + 4), size: at(start + 32) };
  });
  const symbols = place(TAG.symbols);
  const count = sections.find(({ type }) => type === SYMBOLS)!.size / SYMBOL_BYTES;
  const undefinedSymbols = Array.from(
    { length: count },
    (_, index) => symbols + index * SYMBOL_BYTES,
  )
    .slice(1)
    .filter((symbol) => bytes.readUInt16LE(symbol + 6) === 0)
    .map((symbol) => text(bytes.readUInt32LE(symbol)));
  return {
    libraries: entries.filter(({ tag }) => tag === TAG.needed).map(({ value }) => text(value)),
    versions: [...new Set(versions)],
    symbols: undefinedSymbols,
  };
}
