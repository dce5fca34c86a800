//! Bytes in a queue, kept in the pieces in which they came.

export class Chunks {
  #pieces: Uint8Array[] = [];
  /** The oldest piece, and what of it is gone. */
  #first = 0;
  #offset = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** @param piece - Not empty, and this queue's from here on. */
  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** The oldest bytes: at least one of those that are there, at most `limit`, out of one piece. */
  take(limit: number): Uint8Array {
    const piece = this.#pieces[this.#first]!;
    const end = Math.min(piece.length, this.#offset + limit);
    const taken =
      this.#offset === 0 && end === piece.length ? piece : piece.subarray(this.#offset, end);
    this.#bytes -= taken.length;
    this.#offset = end;
    if (end === piece.length) this.#dropFirst();
    return taken;
  }

  clear(): void {
    this.#pieces = [];
    this.#first = 0;
    this.#offset = 0;
    this.#bytes = 0;
  }

  #dropFirst(): void {
    this.#offset = 0;
    this.#first++;
    if (this.#first === this.#pieces.length) {
      this.#pieces.length = 0;
      this.#first = 0;
    } else if (this.#first >= 64 && this.#first * 2 >= this.#pieces.length) {
      this.#pieces.splice(0, this.#first);
      this.#first = 0;
    }
  }
}
