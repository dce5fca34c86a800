/**
 * Checks an invariant of this package. A failure is a bug in the package, never in its caller, so
 * it is not a `StackfulError` and is not meant to be caught. Stays on in release builds.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`stackful: internal invariant violated: ${message}`);
}
