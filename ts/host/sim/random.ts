//! Seeded random numbers: xoshiro128** (Blackman and Vigna), its state made from a text by the
//! 128-bit hash below. A consumer forks a stream of its own by name, so that adding one, or drawing
//! more from it, changes none of the others.

/** A stream of random numbers that its seed determines. */
export class Random {
  /** What it was made from, with the names of the forks that led here. */
  readonly seed: string;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: string) {
    this.seed = seed;
    [this.#a, this.#b, this.#c, this.#d] = hash128(seed);
  }

  /** A stream of its own, the same for the same name, however much was drawn from this one. */
  fork(name: string): Random {
    return new Random(`${this.seed}/${name}`);
  }

  /** 32 random bits, as an unsigned number. */
  bits(): number {
    const b = this.#b;
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    this.#c ^= this.#a;
    this.#d ^= b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= b << 9;
    this.#d = rotate(this.#d, 11);
    return result;
  }

  /** From 0 up to, and without, 1. */
  next(): number {
    return this.bits() / 2 ** 32;
  }

  /** A whole number from 0 up to, and without, `end`, which is at most 2^32. */
  integer(end: number): number {
    return Math.floor((this.bits() / 2 ** 32) * end);
  }

  /** True with this probability. Draws nothing for 0 and 1. */
  chance(probability: number): boolean {
    return probability > 0 && (probability >= 1 || this.next() < probability);
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(count);
    this.fill(out);
    return out;
  }

  fill(out: Uint8Array): void {
    for (let at = 0; at < out.length; at += 4) {
      const bits = this.bits();
      for (let index = at; index < Math.min(at + 4, out.length); index++) {
        out[index] = bits >>> (8 * (index - at));
      }
    }
  }
}

/** A seed that no one has had: 64 random bits in hexadecimal. */
export function freshSeed(): string {
  const words = crypto.getRandomValues(new Uint32Array(2));
  return [...words].map((word) => word.toString(16).padStart(8, "0")).join("");
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Four words of a text: the rounds of MurmurHash3, with four states that feed each other. */
function hash128(text: string): [number, number, number, number] {
  let a = 1779033703;
  let b = 3144134277;
  let c = 1013904242;
  let d = 2773480762;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    a = b ^ Math.imul(a ^ unit, 597399067);
    b = c ^ Math.imul(b ^ unit, 2869860233);
    c = d ^ Math.imul(c ^ unit, 951274213);
    d = a ^ Math.imul(d ^ unit, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  a ^= b ^ c ^ d;
  // All zero is the one state that xoshiro never leaves.
  return [a, b ^ a, c ^ a, (d ^ a) | 1];
}
