//! What a terminal makes of keys: in lines, which can be edited, until it is raw.

import type { SimSignal } from "./signals.ts";

const END_OF_INPUT = 0x04;
const BACKSPACE = 0x08;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const DELETE = 0x7f;

/** Keys that are signals. */
const SIGNALS: ReadonlyMap<number, SimSignal> = new Map([
  [0x03, "SIGINT"],
  [0x1c, "SIGQUIT"],
]);

/** Back, over, and back again. */
const ERASE = Uint8Array.of(BACKSPACE, 0x20, BACKSPACE);

export interface TerminalSide {
  /** To whoever reads; not empty. */
  input(data: Uint8Array): void;
  end(): void;
  /** What is shown of it. */
  echo(data: Uint8Array): void;
  signal(signal: SimSignal): void;
}

export class TerminalInput {
  readonly #side: TerminalSide;
  #line: number[] = [];

  constructor(side: TerminalSide) {
    this.#side = side;
  }

  type(keys: Uint8Array, raw: boolean): void {
    if (raw) {
      if (keys.length > 0) this.#side.input(keys);
      return;
    }
    for (const key of keys) this.#typeKey(key === RETURN ? LINE_FEED : key);
  }

  /** What is there of a line can be read. */
  flush(): void {
    const line = Uint8Array.from(this.#line);
    this.#line = [];
    if (line.length > 0) this.#side.input(line);
  }

  #typeKey(key: number): void {
    const signal = SIGNALS.get(key);
    if (signal !== undefined) {
      this.#line = [];
      this.#side.signal(signal);
    } else if (key === END_OF_INPUT) {
      if (this.#line.length === 0) this.#side.end();
      else this.flush();
    } else if (key === BACKSPACE || key === DELETE) {
      this.#erase();
    } else {
      this.#line.push(key);
      this.#side.echo(Uint8Array.of(key));
      if (key === LINE_FEED) this.flush();
    }
  }

  /** The last character, which UTF-8 may have in several bytes. */
  #erase(): void {
    if (this.#line.length === 0) return;
    while (((this.#line.pop() ?? 0) & 0xc0) === 0x80);
    this.#side.echo(ERASE);
  }
}
