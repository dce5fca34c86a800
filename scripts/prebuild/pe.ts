//! What a DLL for Windows needs of the system that loads it, read from the file.

import { readFileSync } from "node:fs";

export interface DllNeeds {
  /** process.arch, or the number of another machine in hexadecimal. */
  readonly arch: string;
  /** Other DLLs, by name, in small letters. */
  readonly libraries: readonly string[];
}

const ARCHITECTURES: Readonly<Record<number, string>> = { 34404: "x64", 43620: "arm64" };

const COFF_BYTES = 20;
const SECTION_BYTES = 40;
const IMPORT_BYTES = 20;
/** Of the optional header's directories. */
const IMPORTS = { now: 1, later: 13 } as const;

/** @throws {Error} when it is no DLL for a 64-bit machine. */
export function dllNeeds(file: string): DllNeeds {
  const bytes = readFileSync(file);
  const signature = bytes.length < 64 ? 0 : bytes.readUInt32LE(60);
  const coff = signature + 4;
  const optional = coff + COFF_BYTES;
  const isDll =
    bytes.toString("latin1", 0, 2) === "MZ" &&
    bytes.toString("latin1", signature, coff) === "PE\0\0" &&
    bytes.readUInt16LE(optional) === 0x20b;
  if (!isDll) throw new Error(`${file}: no 64-bit DLL`);

  const machine = bytes.readUInt16LE(coff);
  const sectionsStart = optional + bytes.readUInt16LE(coff + 16);
  const sections = Array.from({ length: bytes.readUInt16LE(coff + 2) }, (_, index) => {
    const start = sectionsStart + index * SECTION_BYTES;
    const [size, address, , offset] = [8, 12, 16, 20].map((at) => bytes.readUInt32LE(start + at));
    return { size: size!, address: address!, offset: offset! };
  });
  /** Where in the file an address is. */
  const offsetOf = (wanted: number): number => {
    for (const { size, address, offset } of sections) {
      if (wanted >= address && wanted < address + size) return offset + wanted - address;
    }
    throw new Error(`${file}: nothing is at ${wanted}`);
  };
  const text = (address: number): string => {
    const start = offsetOf(address);
    return bytes.toString("latin1", start, bytes.indexOf(0, start));
  };

  const directory = (index: number): number => bytes.readUInt32LE(optional + 112 + 8 * index);
  if (directory(IMPORTS.later) !== 0) throw new Error(`${file}: loads DLLs later`);
  const libraries: string[] = [];
  const first = directory(IMPORTS.now);
  for (let at = first === 0 ? 0 : offsetOf(first); at > 0; at += IMPORT_BYTES) {
    const name = bytes.readUInt32LE(at + 12);
    if (name === 0) break;
    libraries.push(text(name).toLowerCase());
  }
  return { arch: ARCHITECTURES[machine] ?? machine.toString(16), libraries };
}
