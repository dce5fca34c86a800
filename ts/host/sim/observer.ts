//! Who watches a world: a callback, and the trace. Nobody watching costs nothing: whoever has
//! something to tell asks `watched` before making the event.

import type { Untimed, WorldEvent } from "./world-event.ts";

export class Observer {
  /** Whether events are wanted. */
  watched = false;
  /** The lines, when they are kept. */
  readonly lines: string[] | undefined;
  readonly #nowNs: () => number;
  /** Whether lines are wanted. */
  readonly tracing: boolean;
  readonly #hash = new LineHash();
  #onEvent: ((event: WorldEvent) => void) | undefined;

  /** @param trace - Whether to make a line of every event: of all a hash, or the lines as well. */
  constructor(trace: boolean | "hash", nowNs: () => number) {
    this.#nowNs = nowNs;
    this.tracing = trace !== false;
    this.watched = this.tracing;
    this.lines = trace === true ? [] : undefined;
  }

  get onEvent(): ((event: WorldEvent) => void) | undefined {
    return this.#onEvent;
  }

  set onEvent(onEvent: ((event: WorldEvent) => void) | undefined) {
    this.#onEvent = onEvent;
    this.watched = this.tracing || onEvent !== undefined;
  }

  get hash(): string {
    return this.#hash.text;
  }

  tell(untimed: Untimed): void {
    const event = { timeNs: this.#nowNs(), ...untimed } as WorldEvent;
    if (this.tracing) this.#trace(lineOf(event));
    this.#onEvent?.(event);
  }

  /** A line of the trace that is no event. */
  note(text: string): void {
    this.#trace(`${this.#nowNs()} ${text}`);
  }

  #trace(line: string): void {
    this.#hash.add(line);
    this.lines?.push(line);
  }
}

function lineOf({ timeNs, type, ...rest }: WorldEvent): string {
  let line = `${timeNs} ${type}`;
  for (const [name, value] of Object.entries(rest)) line += ` ${name}=${value}`;
  return line;
}

/** Two FNV-1a hashes with different starts, side by side. */
class LineHash {
  #a = 0x811c9dc5;
  #b = 0xcbf29ce4;

  get text(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");
    return hex(this.#a) + hex(this.#b);
  }

  add(line: string): void {
    let a = this.#a;
    let b = this.#b;
    for (let index = 0; index < line.length; index++) {
      const unit = line.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul(b ^ unit, 0x01000193) ^ (b >>> 15);
    }
    this.#a = a;
    this.#b = Math.imul(b ^ 10, 0x01000193);
  }
}
