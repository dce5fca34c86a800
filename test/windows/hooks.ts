//! Module loader hook: "vitest" is the one beside this file.

interface Resolved {
  readonly url: string;
  readonly shortCircuit?: boolean;
}

export async function resolve(
  specifier: string,
  context: object,
  next: (specifier: string, context: object) => Promise<Resolved>,
): Promise<Resolved> {
  if (specifier !== "vitest") return next(specifier, context);
  return { url: new URL("./vitest.js", import.meta.url).href, shortCircuit: true };
}
