//! A law that does not hold.

export class Violation extends Error {
  override readonly name = "Violation";
  /** What should hold, in words. */
  readonly law: string;

  constructor(law: string, message: string) {
    super(message);
    this.law = law;
  }
}

/** @throws {Violation} unless `holds`. */
export function check(holds: boolean, law: string, message: () => string): asserts holds {
  if (!holds) throw new Violation(law, message());
}
