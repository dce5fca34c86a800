//! What the laws run, as programs of a simulated host: cat, and as much of a shell as they use.

import type { SimSignal } from "../../ts/host/sim/signals.ts";
import type { SimProcess } from "../../ts/host/sim/sim-process.ts";

export async function cat(process: SimProcess): Promise<number> {
  for (;;) {
    const data = await process.read();
    if (data.length === 0) return 0;
    await process.write(data);
  }
}

/** `sh -c SCRIPT NAME ARGUMENTS`; without -c, one that finds nothing to do. */
export async function shell(process: SimProcess): Promise<number> {
  const [, option, script, ...parameters] = process.arguments;
  if (option !== "-c" || script === undefined) return 0;
  return await new Shell(process, parameters).run(script);
}

/** A word with what is quoted in it: `text`, or the script of a trap. */
type Token =
  | { readonly word: string }
  | { readonly operator: ";" | "||" | "|" | ">" | ">&2" | "do" | "done" | "while" };

const OPERATORS = [";", "||", "|", ">&2", ">"] as const;
const KEYWORDS = ["do", "done", "while"] as const;

class Shell {
  readonly #process: SimProcess;
  readonly #parameters: readonly string[];
  readonly #variables = new Map<string, string>();
  readonly #caught: string[] = [];
  #status = 0;

  constructor(process: SimProcess, parameters: readonly string[]) {
    this.#process = process;
    this.#parameters = parameters;
    for (const [name, value] of Object.entries(process.environment)) {
      this.#variables.set(name, value);
    }
  }

  async run(script: string): Promise<number> {
    await this.#runTokens(tokensOf(script));
    return this.#status;
  }

  async #runTokens(tokens: readonly Token[]): Promise<void> {
    for (let at = 0; at < tokens.length; ) {
      const first = tokens[at]!;
      if ("operator" in first && first.operator === "while") {
        const body = bodyOf(tokens, at);
        // Of the laws each goes on until a signal ends it.
        for (;;) await this.#runTokens(body);
      }
      let end = at;
      while (end < tokens.length && !isOperator(tokens[end], ";")) end++;
      await this.#runList(tokens.slice(at, end));
      for (let trap = this.#caught.shift(); trap !== undefined; trap = this.#caught.shift()) {
        await this.run(trap);
      }
      at = end + 1;
    }
  }

  /** `command`, `command || command` or `command | sort`. */
  async #runList(tokens: readonly Token[]): Promise<void> {
    const or = tokens.findIndex((token) => isOperator(token, "||"));
    const pipe = tokens.findIndex((token) => isOperator(token, "|"));
    if (or >= 0) {
      await this.#runList(tokens.slice(0, or));
      if (this.#status !== 0) await this.#runList(tokens.slice(or + 1));
    } else if (pipe >= 0) {
      const lines = (await this.#output(tokens.slice(0, pipe))).split("\n");
      await this.#process.write(`${lines.slice(0, -1).sort().join("\n")}\n`);
    } else if (tokens.length > 0) {
      await this.#redirect(tokens);
    }
  }

  async #redirect(tokens: readonly Token[]): Promise<void> {
    const output = await this.#output(tokens.filter((token) => "word" in token));
    const into = tokens.findIndex((token) => isOperator(token, ">"));
    if (into >= 0) {
      const { word } = tokens[into + 1] as { word: string };
      this.#process.host.disk.writeFile(this.#expand(word), output);
    } else if (output !== "") {
      const toErrors = tokens.some((token) => isOperator(token, ">&2"));
      await this.#process.write(output, toErrors ? 2 : 1);
    }
  }

  /** Runs a command; returns what it prints. */
  async #output(tokens: readonly Token[]): Promise<string> {
    const words = tokens.flatMap((token) => ("word" in token ? [this.#expand(token.word)] : []));
    const [command, ...args] = words;
    this.#status = 0;
    switch (command) {
      case ":":
        return "";
      case "echo":
        return `${args.join(" ")}\n`;
      case "pwd":
        return `${this.#process.directory}\n`;
      case "env":
      case "export": {
        const entries = Object.entries(this.#process.environment);
        return entries.map(([name, value]) => `${name}=${value}\n`).join("");
      }
      case "read":
        this.#status = (await this.#read(args[0]!)) ? 0 : 1;
        return "";
      case "exit":
        this.#process.exit(Number(args[0]));
        return await new Promise(() => {});
      case "kill":
        // STOP: it never goes on.
        if (args[0] === "-STOP") return await new Promise(() => {});
        this.#process.signal(`SIG${args[0]!.slice(1)}` as SimSignal);
        return "";
      case "trap":
        for (const name of args.slice(1)) this.#trap(`SIG${name}` as SimSignal, args[0]!);
        return "";
      default:
        throw new Error(`sh: ${command}: not found`);
    }
  }

  #trap(signal: SimSignal, script: string): void {
    this.#process.onSignal(signal, script === "" ? "ignore" : () => this.#caught.push(script));
  }

  /** A line, byte by byte: what follows it is left for others. */
  async #read(name: string): Promise<boolean> {
    let line = "";
    for (;;) {
      const byte = await this.#process.read(1);
      const character = new TextDecoder().decode(byte);
      if (byte.length === 0 || character === "\n") {
        this.#variables.set(name, line);
        return byte.length > 0;
      }
      line += character;
    }
  }

  #expand(word: string): string {
    return word.replace(/\$(\$|#|\d|[A-Za-z_]\w*)/g, (_whole, name: string) => {
      if (name === "$") return String(this.#process.pid);
      if (name === "#") return String(Math.max(0, this.#parameters.length - 1));
      if (/\d/.test(name)) return this.#parameters[Number(name)] ?? "";
      return this.#variables.get(name) ?? "";
    });
  }
}

function isOperator(token: Token | undefined, operator: string): boolean {
  return token !== undefined && "operator" in token && token.operator === operator;
}

function bodyOf(tokens: readonly Token[], at: number): readonly Token[] {
  const from = tokens.findIndex((token, index) => index > at && isOperator(token, "do"));
  const to = tokens.findIndex((token, index) => index > from && isOperator(token, "done"));
  return tokens.slice(from + 1, to);
}

function tokensOf(script: string): Token[] {
  const tokens: Token[] = [];
  let rest = script.trimStart();
  while (rest !== "") {
    const operator = OPERATORS.find((text) => rest.startsWith(text));
    if (operator !== undefined) {
      tokens.push({ operator });
      rest = rest.slice(operator.length).trimStart();
      continue;
    }
    const [whole] = /^(?:"[^"]*"|'[^']*'|[^\s;|>"'])+/.exec(rest)!;
    const keyword = KEYWORDS.find((word) => word === whole);
    tokens.push(
      keyword === undefined ? { word: whole.replace(/["']/g, "") } : { operator: keyword },
    );
    rest = rest.slice(whole.length).trimStart();
  }
  return tokens;
}
