//! The custom section "name": what a module calls its functions and globals.

import { ByteReader, ByteWriter } from "./bytes.ts";

const SUBSECTION = { functions: 1, globals: 7 } as const;

/** The content of a section. */
export function readNameSection(reader: ByteReader) {
  const functions = new Map<number, string>();
  const globals = new Map<number, string>();
  while (!reader.done) {
    const id = reader.u8();
    const content = reader.slice(reader.u32());
    const target =
      id === SUBSECTION.functions ? functions : id === SUBSECTION.globals ? globals : undefined;
    if (target === undefined) continue;
    for (let count = content.u32(); count > 0; count--) target.set(content.u32(), content.name());
  }
  return { functions, globals };
}

/** The content of a section, with names of functions that come after all that it names, in their order. */
export function withFunctionNames(
  section: Uint8Array,
  names: readonly (readonly [index: number, name: string])[],
): Uint8Array {
  const out = new ByteWriter();
  for (const reader = new ByteReader(section); !reader.done; ) {
    const id = reader.u8();
    const length = reader.u32();
    const start = reader.position;
    reader.skip(length);
    const content = new ByteWriter();
    if (id === SUBSECTION.functions) {
      const counted = new ByteReader(section, start);
      content.u32(counted.u32() + names.length);
      content.raw(section.subarray(counted.position, start + length));
      for (const [index, name] of names) content.u32(index).name(name);
    } else {
      content.raw(section.subarray(start, start + length));
    }
    out.u8(id).sized(content);
  }
  return out.finish();
}
