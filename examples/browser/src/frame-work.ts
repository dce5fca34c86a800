//! How long the page's own code holds each frame.

const KEPT = 600;

export class FrameWork {
  readonly #works = new Float64Array(KEPT);
  #next = 0;
  #count = 0;

  add(ms: number): void {
    this.#works[this.#next] = ms;
    this.#next = (this.#next + 1) % KEPT;
    this.#count = Math.min(KEPT, this.#count + 1);
  }

  clear(): void {
    this.#next = this.#count = 0;
  }

  /** Of the last frames, in ms. */
  get summary(): { frames: number; median: number; p95: number; max: number } {
    const sorted = this.#works.slice(0, this.#count).sort();
    const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
    return { frames: sorted.length, median: at(0.5), p95: at(0.95), max: at(1) };
  }
}
