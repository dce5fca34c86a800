//! What the laws use of vitest, where that does not run: its `expect`, and tests one after the other.

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
} from "@vitest/expect";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  (globalThis as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT],
);

interface Context {
  readonly task: { readonly meta: object };
  skip(reason: string): never;
}

type Body = (context: Context) => unknown;

export interface Law {
  readonly suite: string;
  readonly title: string;
  readonly timeoutMs: number;
  /** Absent: it is skipped. */
  readonly body?: Body;
}

/** As vitest's reporter writes them. */
export interface Result {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: "passed" | "failed" | "skipped";
  readonly failureMessages: readonly string[];
  readonly meta: object;
}

/** Those that were collected. */
export const laws: Law[] = [];

let suite = "";

export function describe(name: string, body: () => void): void {
  suite = name;
  body();
}

export function test(
  title: string,
  options: { readonly timeout?: number } | Body,
  body?: Body,
): void {
  const timeoutMs = typeof options === "function" ? undefined : options.timeout;
  const run = typeof options === "function" ? options : body;
  laws.push({ suite, title, timeoutMs: timeoutMs ?? 60_000, ...(run && { body: run }) });
}

test.skip = (title: string): void => {
  laws.push({ suite, title, timeoutMs: 0 });
};

class Skipped extends Error {}

export async function runLaw({ suite, title, timeoutMs, body }: Law): Promise<Result> {
  const meta = {};
  const result = { ancestorTitles: [suite], title, meta, failureMessages: [] };
  if (body === undefined) return { ...result, status: "skipped" };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${timeoutMs} ms`)), timeoutMs);
  });
  const skip = (reason: string): never => {
    throw new Skipped(reason);
  };
  try {
    await Promise.race([late, body({ task: { meta }, skip })]);
    return { ...result, status: "passed" };
  } catch (error) {
    if (error instanceof Skipped) {
      return { ...result, title: `${title} [skipped: ${error.message}]`, status: "skipped" };
    }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ...result, status: "failed", failureMessages: [message] };
  } finally {
    clearTimeout(timer);
  }
}
