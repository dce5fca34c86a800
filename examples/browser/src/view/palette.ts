//! Colours of the states that coroutines are in, as the style sheet has them.

/** In the order of the legend. `is`: what the runtime calls the states that belong to it. */
export const KINDS = [
  { name: "ran just now", variable: "--ran", is: /^running$/ },
  { name: "ready", variable: "--ready", is: /^ready$/ },
  { name: "read", variable: "--read", is: /^operation (read|readv|pread|recv.*)$/ },
  { name: "write", variable: "--write", is: /^operation (write|writev|pwrite|send.*)$/ },
  { name: "connect, accept", variable: "--connect", is: /^operation / },
  { name: "timer", variable: "--timer", is: /^sleep$/ },
  { name: "channel", variable: "--channel", is: /^(channel |broadcast|watch|select)/ },
  { name: "join", variable: "--join", is: /^(join|end of a task|group|end of a canceled group)/ },
  { name: "other", variable: "--other", is: /./ },
] as const;

/** Index into KINDS of a state's name. */
export function kindOf(wait: string): number {
  return KINDS.findIndex(({ is }) => is.test(wait));
}

export const RAN = 0;

export interface Palette {
  /** By kind, as canvas and style sheet write them. */
  readonly kinds: readonly string[];
  /** The same as words of an ImageData: red in the lowest byte. */
  readonly words: readonly number[];
  readonly empty: number;
  readonly box: string;
  readonly line: string;
  readonly cutLine: string;
  readonly ask: string;
  readonly answer: string;
  readonly ink: string;
  readonly focus: string;
}

/** What the style sheet says now: read it again when the theme changes. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const of = (variable: string): string => style.getPropertyValue(variable).trim();
  const kinds = KINDS.map(({ variable }) => of(variable));
  return {
    kinds,
    words: kinds.map(wordOf),
    empty: wordOf(of("--empty")),
    box: of("--box"),
    line: of("--line"),
    cutLine: of("--bad"),
    ask: of("--ask"),
    answer: of("--answer"),
    ink: of("--ink"),
    focus: of("--accent"),
  };
}

/** `part` of the way from one word to another. */
export function blend(from: number, to: number, part: number): number {
  let word = 0xff000000;
  for (const shift of [0, 8, 16]) {
    const [a, b] = [(from >> shift) & 255, (to >> shift) & 255];
    word |= Math.round(a + (b - a) * part) << shift;
  }
  return word >>> 0;
}

/** @param color - "#rrggbb", or "#rgb" as a minifier writes it. */
function wordOf(color: string): number {
  const digits = color.length === 4 ? color.replace(/[^#]/g, "$&$&") : color;
  const rgb = Number.parseInt(digits.slice(1), 16);
  const [red, green, blue] = [(rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255];
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}
