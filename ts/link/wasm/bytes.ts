//! Reading and writing the primitive encodings of the wasm binary format.

import { StackfulError } from "../../errors.ts";

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

/** A position in a byte array that only moves forward; reading past the end is an SF_MODULE error. */
export class ByteReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  u8(): number {
    if (this.position >= this.end) throw truncated(this.position);
    return this.bytes[this.position++]!;
  }

  /** An unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result >>> 0;
    }
    throw truncated(this.position);
  }

  /** A signed LEB128 of at most 32 bits. */
  s32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 25 && byte & 0x40 ? result | (-1 << (shift + 7)) : result;
    }
    throw truncated(this.position);
  }

  /** Skips a LEB128 of any width. */
  skipLeb(): void {
    while (this.u8() >= 0x80);
  }

  skip(count: number): void {
    if (count > this.end - this.position) throw truncated(this.position);
    this.position += count;
  }

  name(): string {
    const length = this.u32();
    const start = this.position;
    this.skip(length);
    return DECODER.decode(this.bytes.subarray(start, this.position));
  }

  /** The next `length` bytes as a reader of their own. */
  slice(length: number): ByteReader {
    const start = this.position;
    this.skip(length);
    return new ByteReader(this.bytes, start, start + length);
  }
}

function truncated(position: number): StackfulError {
  return new StackfulError(
    "SF_MODULE",
    `reading the wasm module: it ends or is malformed at byte ${position}`,
    { hint: "is the file complete?" },
  );
}

/** A growing byte array. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.u8(rest);
  }

  s32(value: number): this {
    let rest = value | 0;
    for (;;) {
      const byte = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && byte < 0x40) || (rest === -1 && byte >= 0x40)) return this.u8(byte);
      this.u8(byte | 0x80);
    }
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  name(text: string): this {
    const bytes = ENCODER.encode(text);
    return this.u32(bytes.length).raw(bytes);
  }

  /** `body` behind its length. */
  sized(body: ByteWriter): this {
    return this.u32(body.length).raw(body.finish());
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.finish());
    this.#bytes = grown;
  }
}
