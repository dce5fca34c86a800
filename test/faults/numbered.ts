//! The streams of test/support/guests/numbered.h.

function word(stream: number, index: number): number {
  let x = (Math.imul(stream + 1, 0x9e3779b1) + index) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** Bytes of a stream from `position` on. */
export function numberedBytes(stream: number, position: number, count: number): Uint8Array {
  const out = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const at = position + index;
    out[index] = word(stream, at >>> 2) >>> ((at & 3) * 8);
  }
  return out;
}

/** Whether these are the stream's bytes from `position` on. */
export function areNumbered(stream: number, position: number, bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, numberedBytes(stream, position, bytes.length)) === 0;
}
