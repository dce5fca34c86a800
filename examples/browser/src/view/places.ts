//! Where in a guest's source its coroutines wait.
//!
//! The runtime tells what a coroutine waits for, and names of functions. The call that makes it wait stands in
//! one of those functions, or in one that was inlined into it; so the line is found in the text.

/** What the runtime calls a wait, and the call that waits so. `sf_read` stands for sf_read_timeout too. */
const CALLS: readonly (readonly [RegExp, string])[] = [
  [/^operation (read|readv)$/, "sf_read"],
  [/^operation (write|writev)$/, "sf_write"],
  [/^operation accept$/, "sf_tcp_accept"],
  [/^operation connect$/, "sf_tcp_connect"],
  [/^operation close$/, "sf_close"],
  [/^sleep/, "sf_sleep"],
  [/^channel receive/, "sf_channel_receive"],
  [/^broadcast/, "sf_broadcast_receive"],
  [/^end of a task/, "sf_task_wait"],
  [/^join/, "sf_cancel_wait"],
];

/** The call that makes a coroutine wait so; undefined: none of them does. */
export function callOf(wait: string): string | undefined {
  return CALLS.find(([pattern]) => pattern.test(wait))?.[1];
}

interface CFunction {
  readonly name: string;
  /** Lines, from 0; the last one is that of its closing brace. */
  readonly first: number;
  readonly last: number;
}

export class Places {
  readonly #lines: readonly string[];
  readonly #functions: readonly CFunction[];

  constructor(source: string) {
    this.#lines = source.split("\n");
    this.#functions = findFunctions(this.#lines);
  }

  /** The first line that has the call, from 0; undefined: none. */
  lineOf(call: string): number | undefined {
    return this.#find(call, 0, this.#lines.length - 1);
  }

  /** The line that a coroutine waits at: one in a function of its stack, if there is one. */
  lineOfTask({ wait, stack }: { wait: string; stack: readonly string[] }): number | undefined {
    const call = callOf(wait);
    if (call === undefined) return undefined;
    for (const name of stack) {
      const line = this.#below(call, name, new Set());
      if (line !== undefined) return line;
    }
    return this.lineOf(call);
  }

  /** In a function, or in one that it calls: that may have been inlined. */
  #below(call: string, name: string, seen: Set<string>): number | undefined {
    const found = this.#functions.find((candidate) => candidate.name === name);
    if (found === undefined || seen.has(name)) return undefined;
    seen.add(name);
    const line = this.#find(call, found.first, found.last);
    if (line !== undefined) return line;
    for (const other of this.#functions) {
      if (this.#find(other.name, found.first + 1, found.last) === undefined) continue;
      const below = this.#below(call, other.name, seen);
      if (below !== undefined) return below;
    }
    return undefined;
  }

  #find(call: string, first: number, last: number): number | undefined {
    const pattern = new RegExp(`\\b${call}(_\\w+)?\\(`);
    for (let line = first; line <= last; line++) {
      if (pattern.test(this.#lines[line]!)) return line;
    }
    return undefined;
  }
}

/** A definition starts in the first column and ends with a brace there. */
function findFunctions(lines: readonly string[]): CFunction[] {
  const functions: CFunction[] = [];
  for (const [first, line] of lines.entries()) {
    const name = /^(?:EXPORT\(\w+\) )?[A-Za-z_][\w ]*[ *](\w+)\(.*\{/.exec(line)?.[1];
    if (name === undefined) continue;
    const end = line.endsWith("}") ? first : lines.indexOf("}", first);
    functions.push({ name, first, last: end < 0 ? first : end });
  }
  return functions;
}
